#!/usr/bin/python3
"""Mininet's chain of N hosts without switches: what it takes to come up and to go, as one line of JSON.

    unshare --net mininet-chain.py N

CPU is that of this process, of the processes that it has waited for and of the hosts' shells.
"""
import json
import resource
import sys
import time

from mininet.net import Mininet
from mininet.topo import Topo

count = int(sys.argv[1])
Mininet.inited = True  # It would raise the whole machine's limits.


class Chain(Topo):
    def build(self, n=2):
        hosts = [self.addHost("h%d" % (i + 1)) for i in range(n)]
        for near, far in zip(hosts, hosts[1:]):
            self.addLink(near, far)


def cpu(net=None):
    total = 0.0
    for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        usage = resource.getrusage(who)
        total += usage.ru_utime + usage.ru_stime
    for host in net.hosts if net else []:
        try:
            total += int(open("/proc/%d/schedstat" % host.shell.pid).read().split()[0]) / 1e9
            fields = open("/proc/%d/stat" % host.shell.pid).read().rsplit(")", 1)[1].split()
            total += (int(fields[13]) + int(fields[14])) / 100
        except OSError:
            pass
    return total


before, start = cpu(), time.perf_counter()
net = Mininet(topo=Chain(n=count), controller=None, build=False)
net.build()
net.start()
up, up_wall = cpu(net), time.perf_counter() - start
near, far = net.hosts[0], net.hosts[1]
works = " 0% packet loss" in near.cmd("ping -c1 -W2 %s" % far.IP())
start = time.perf_counter()
net.stop()
print(
    json.dumps(
        {
            "bench": "lab-%d" % count,
            "peer": "mininet-chain",
            "cpu_s": round(up - before, 3),
            "wall_s": round(up_wall, 3),
            "down_ms": round((time.perf_counter() - start) * 1e3, 1),
            "works": works,
            "per_cpu_s": round(count / (up - before)),
        },
        separators=(",", ":"),
    )
)

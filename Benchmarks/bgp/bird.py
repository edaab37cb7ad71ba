#!/usr/bin/env python3
"""Our speaker and Debian's BIRD 2 in the same run, over veth; root needed.

  bird.py --host PATH/patronus-bgp-host [--tools FOLDER] [--routes N] [--attrs N] [--runs N] [--tests LIST]

The measuring is that of bgp_bench.py, which lies beside the repository (../shared/tools/bgp):
four namespaces joined by veth, an injector's stream made ahead, CPU from schedstat. Both
daemons get the same stream, one after the other, and each phase is one line of JSON with both
figures and their ratio. Memory includes what the allocator keeps.
"""
import argparse, json, os, re, sys, tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
TOOLS = os.path.join(HERE, "../../../shared/tools/bgp")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default=os.path.join(HERE, "../../.build/benchmarks/release/patronus-bgp-host"))
    parser.add_argument("--tools", default=TOOLS)
    parser.add_argument("--routes", type=int, default=1_000_000)
    parser.add_argument("--attrs", type=int, default=60_000)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--tests", default="ingest,propagate,failover")
    parser.add_argument("--patience", type=float, default=10, help="seconds to wait for a calm machine")
    return parser.parse_args()


def patronus(bench, path):
    """Our speaker as a device under test."""

    class Patronus(bench.Dut):
        name = "patronus"

        def start(self):
            peers = [f"10.255.{i}.2,10.255.{i}.1,{bench.PEER_AS[p]},{'out' if p == 's' else 'in'}" for p, i in bench.NET.items()]
            self.pid = self.spawn(os.path.abspath(path), "65000", "10.255.0.1", *peers)
            self.wait_port()
            return [self.pid]

        def version(self):
            return "patronus"

        def count(self):
            found = re.findall(r"routes (\d+)", open(f"{self.dir}/log").read())
            return dict(routes=int(found[-1]) if found else 0)

        def memory(self):
            return ""

    return Patronus


PHASES = {"ingest": ["load", "withdraw", "reload", "drop"], "propagate": ["announce", "withdraw"], "failover": ["failover"]}
MEMORY = {"ingest": "bytes_per_route", "propagate": "bytes_per_route", "failover": "bytes_per_prefix"}


def median(values):
    return sorted(values)[len(values) // 2]


def main():
    options = parse()
    sys.path.insert(0, options.tools)
    import bgp_bench as bench

    duts = {"bird": bench.Bird, "patronus": patronus(bench, options.host)}
    settings = argparse.Namespace(routes=options.routes, attrs=options.attrs, seed=1, max_nlri=0, stream=None,
                                  memdump=False, timeout=120, threads=0)
    with tempfile.TemporaryDirectory() as folder:
        bench.RUN = folder
        os.chmod(folder, 0o755)
        bench.netns_up()
        try:
            for test in options.tests.split(","):
                results = {name: [] for name in duts}
                for _ in range(options.runs):
                    for name, dut in duts.items():
                        bench.calm(patience=options.patience)
                        results[name].append(bench.TESTS[test](settings, dut(settings)))
                report(test, results, options)
        finally:
            bench.netns_down()


def report(test, results, options):
    for phase in PHASES[test]:
        line = {"bench": f"bgp-veth-{test}-{phase}", "routes": options.routes, "attrs": options.attrs}
        for name, runs in results.items():
            for key in ("cpu_s", "wall_s"):
                values = [run[phase][key] for run in runs if run[phase].get(key) is not None]
                line[f"{name}_{key}"] = median(values) if values else None
            updates = [run[phase]["tx_updates"] for run in runs if "tx_updates" in run[phase]]
            if updates:
                line[f"{name}_updates"] = median(updates)
        if line["bird_cpu_s"] and line["patronus_cpu_s"]:
            line["cpu_ratio"] = round(line["patronus_cpu_s"] / line["bird_cpu_s"], 2)
        line["foreign_cores"] = max(run[phase]["foreign_cores"] for runs in results.values() for run in runs)
        print(json.dumps(line), flush=True)
    memory = {f"{name}_{MEMORY[test]}": median([run["mem"][MEMORY[test]] for run in runs]) for name, runs in results.items()}
    print(json.dumps({"bench": f"bgp-veth-{test}-memory", **memory}), flush=True)


if __name__ == "__main__":
    main()

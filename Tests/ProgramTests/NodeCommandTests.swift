import Foundation
import Glibc
import LinuxSystem
import TestKit
import Testing

/// A machine that becomes a node on its own cards, by the program alone.
@Suite(.serialized, .enabled(if: RealWorld.isPossible, "\(RealWorld.reason)"))
struct NodeCommandTests {
    @Test(arguments: [false, true])
    func `tunnels come up, traffic passes, and after SIGTERM all is as it was`(dataplane: Bool) throws {
        let world = try RealWorld(dataplane: dataplane)
        let former = try world.snapshot()
        let (branch, hq) = try world.startBoth()
        #expect(try world.modes(.branch) == (dataplane ? ["native", "native", "native"] : []))
        let links = try world.ip(.branch, "-d link")
        // "prog/xdp" is what ip says of a program in the driver, "prog/xdpgeneric" of one that is not.
        #expect(links.split(separator: "\n").filter { $0.contains("prog/xdp ") }.count == (dataplane ? 3 : 0))
        let traffic = RealTraffic(world: world)
        let octets = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        #expect(eventually(every: 0.2) { (try? traffic.talk(5).count) ?? 0 > 0 })
        #expect(try traffic.transfer(octets) == octets)
        #expect(try traffic.talk(50).count >= 49)
        branch.send(SIGTERM)
        let outcome = try branch.outcome()
        #expect(outcome.status == 143, "\(outcome.errors)")
        #expect(outcome.errorLines.last == "patronus-sim: terminated; all is as it was")
        try world.expectSame(former)
        #expect(world.workspace.names(in: "state/real").filter { !$0.hasPrefix(".") } == ["hq"])
        hq.send(SIGINT)
        #expect(try hq.outcome().status == 130)
    }

    @Test(arguments: [false, true])
    func `traffic goes on when a card loses its carrier`(dataplane: Bool) throws {
        let world = try RealWorld(dataplane: dataplane)
        _ = try world.startBoth()
        let traffic = RealTraffic(world: world)
        #expect(eventually(every: 0.2) { (try? traffic.talk(5).count) ?? 0 > 0 })
        let arrivals = try traffic.talk(300) { try world.ip(.ispA, "link set branch down") }
        let gaps = zip(arrivals, arrivals.dropFirst()).map { $1 - $0 }
        #expect(arrivals.count > 200)
        #expect(gaps.max() ?? .max < 1_000)
        #expect(try eventually { try world.upTunnels(.branch) == [RealWorld.tunnels[1]] })
        try world.ip(.ispA, "link set branch up")
        #expect(try eventually { try world.upTunnels(.branch) == RealWorld.tunnels })
    }

    @Test func `what nobody confirms is undone, and what somebody confirms is not`() throws {
        let world = try RealWorld()
        let former = try world.snapshot()
        let hasty = try world.startNode(.branch, ["--confirm-within", "1s"])
        let outcome = try hasty.outcome()
        #expect(outcome.status == 1)
        #expect(outcome.errorLines.last == "patronus-sim: nobody confirmed within 1s; all is as it was")
        try world.expectSame(former)

        let patient = try world.startNode(.branch, ["--confirm-within", "2s"])
        #expect(try eventually { try world.state(.branch)?["secondsToConfirm"] != nil })
        #expect(try world.run(.branch, "node", "--confirm").output == "node branch is confirmed\n")
        usleep(2_300_000)
        let state = try #require(try world.state(.branch))
        #expect(state["secondsToConfirm"] == nil)
        let down = try world.run(.branch, "node", "--down")
        #expect(down.output == "node branch has ended; all is as it was\n")
        #expect(try patient.outcome().status == 0)
        try world.expectSame(former)
    }

    @Test func `whoever watches a node hears its telemetry, each batch once however often he asked`() throws {
        let world = try RealWorld()
        _ = try world.startBoth()
        let socket = try UnixSocket(connectingTo: world.workspace.url("state/real/branch/control").path)
        try socket.write(Array("{\"watch\":{}}\n{\"watch\":{}}\n".utf8))
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(
            socket.descriptor.number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var (octets, buffer) = ([UInt8](), [UInt8](repeating: 0, count: 65_536))
        var lines: [Substring] = []
        while lines.count < 6, let count = try socket.read(into: &buffer), count > 0 {
            octets += buffer[..<count]
            // What is behind the last line's end has not come yet.
            let whole = octets.lastIndex(of: UInt8(ascii: "\n")).map { octets[..<$0] } ?? []
            lines = String(decoding: whole, as: UTF8.self).split(separator: "\n")
        }
        try #require(lines.count >= 6, "\(lines)")
        #expect(lines.prefix(2) == [#"{"done":{}}"#, #"{"done":{}}"#])
        let batches = lines.dropFirst(2)
        #expect(batches.allSatisfy { $0.hasPrefix(#"{"telemetry":{"_0":["#) }, "\(batches)")
        // The order of keys is nobody's promise.
        let told = Set(try batches.map { NSDictionary(dictionary: try parsed(String($0))) })
        #expect(told.count == batches.count, "\(batches)")
    }

    @Test func `a dry run changes nothing, and needs no privilege`() throws {
        let world = try RealWorld()
        let former = try world.snapshot()
        let plain = try world.run(.branch, "node", "topology.json", "--name", "branch")
        #expect(plain.status == 0)
        #expect(plain.output.contains("port wan-a (WAN) on an interface to be named with --port wan-a=INTERFACE"))
        #expect(plain.output.contains("route 100.64.0.4/32 through 100.64.0.1 by port wan-a, metric 100"))
        try #require(chmod(world.workspace.path, 0o777) == 0)
        let dry = try world.start(
            .branch, ["node", "topology.json", "--name", "branch", "--real", "--dry-run"] + RealWorld.ports,
            through: Self.nobody
        ).outcome()
        #expect(dry.status == 0, "\(dry.errors)")
        #expect(dry.output.contains("port lan0 (LAN) on eth3\n  address 10.2.0.1/16\n"))
        #expect(try world.snapshot() == former)
        #expect(!world.workspace.exists("state"))
    }

    private static let nobody = [
        "setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all", "--bounding-set=-all",
    ]

    @Test func `somebody without privileges gets one line`() throws {
        let world = try RealWorld()
        try #require(chmod(world.workspace.path, 0o777) == 0)
        let outcome = try world.start(
            .branch, ["node", "topology.json", "--name", "branch", "--real"] + RealWorld.ports, through: Self.nobody
        ).outcome()
        #expect(outcome.status == 4)
        #expect(outcome.errorLines.count == 1 && outcome.errors.contains("run it with sudo"))
        #expect(!world.workspace.exists("state"))
    }

    @Test(arguments: [
        (
            ["wan-a=eth1"],
            "no interface is named for wan-b, lan0; every port of branch needs one: --port wan-a=INTERFACE "
                + "--port wan-b=INTERFACE --port lan0=INTERFACE"
        ),
        (
            ["wan-a=eth0", "wan-b=eth2", "lan0=eth3"],
            "eth0 is the interface of a default route, and is not taken; "
                + "name another, or say --allow-management"
        ),
        (
            ["wan-a=eth9", "wan-b=eth2", "lan0=eth3"],
            "there is no interface \"eth9\"; there are eth0, eth1, eth2, eth3"
        ),
        (
            ["wan-a=eth1", "wan-b=eth1", "lan0=eth3"],
            "eth1 is named for wan-a and for wan-b; each port needs an "
                + "interface of its own"
        ),
        (["wan-a=eth1", "wan-a=eth2", "lan0=eth3"], "port wan-a is named twice; give it one interface"),
        (["wan-c=eth1"], "the node has no port \"wan-c\"; it has wan-a, wan-b, lan0"),
    ])
    func `ports that cannot be are refused in one line`(_ ports: [String], _ words: String) throws {
        let world = try RealWorld()
        let former = try world.snapshot()
        for last in [["--real"], ["--real", "--dry-run"]] {
            let outcome = try world.start(
                .branch, ["node", "topology.json", "--name", "branch"] + ports.flatMap { ["--port", $0] } + last
            ).outcome()
            #expect(outcome.status == 2)
            #expect(outcome.errors == "patronus-sim: \(words)\n")
        }
        #expect(try world.snapshot() == former)
        #expect(world.workspace.names(in: "state/real").filter { !$0.hasPrefix(".") }.isEmpty)
    }

    @Test func `the interface of the SSH session is refused, also where sudo has dropped the variable`() throws {
        let world = try RealWorld()
        let arguments = ["node", "topology.json", "--name", "branch", "--real", "--dry-run"] + RealWorld.ports
        let dropping = ["/bin/sh", "-c", "env -u SSH_CONNECTION \"$0\" \"$@\"; exit $?"]
        let sessions = [
            // To an address of eth1; and from somebody to whom the way is by eth1.
            "192.168.7.1 50000 203.0.113.7 22", "198.18.0.5 50000 192.168.7.2 22",
        ]
        for session in sessions {
            for wrapper in [[], dropping] {
                let outcome = try world.start(
                    .branch, arguments, environment: ["SSH_CONNECTION": session], through: wrapper
                ).outcome()
                #expect(outcome.status == 2)
                #expect(outcome.errors.contains("eth1 is the interface of this SSH session, and is not taken"))
            }
        }
        let allowed = try world.start(
            .branch, arguments + ["--allow-management"], environment: ["SSH_CONNECTION": sessions[0]]
        ).outcome()
        #expect(allowed.status == 0)
    }

    @Test func `what a default route's interface consists of is refused too`() throws {
        let world = try RealWorld()
        try world.ip(.branch, "link add br0 type bridge")
        try world.ip(.branch, "link set br0 up")
        try world.ip(.branch, "link set eth2 master br0")
        let enslaved = try world.start(
            .branch, ["node", "topology.json", "--name", "branch", "--real"] + RealWorld.ports
        ).outcome()
        #expect(enslaved.errors == "patronus-sim: eth2 is a port of br0; take it out of there, or name another\n")
        try world.ip(.branch, "addr add 192.168.8.2/24 dev br0")
        try world.ip(.branch, "route add default via 192.168.8.1 metric 900")
        let below = try world.start(
            .branch, ["node", "topology.json", "--name", "branch", "--real"] + RealWorld.ports
        ).outcome()
        #expect(below.status == 2)
        #expect(below.errors.contains("eth2 is below br0, which is the interface of a default route"))
    }

    @Test func `where IPv6 is forwarded by all or none, routers across other interfaces are still believed`() throws {
        let world = try RealWorld(ipv6: true)
        let route = { try world.ip(.branch, "-6 route show default").contains("dev eth0 proto ra") }
        let isTold = try eventually(every: 0.2) {
            try world.announceRouter(.office, "eth0")
            return try route()
        }
        try #require(isTold)
        let former = try world.parameters()
        let branch = try world.startNode(.branch, through: world.olderKernel())
        #expect(try eventually { try world.state(.branch) != nil })
        let present = try world.parameters()
        #expect(present.contains("ipv6/all/forwarding = 1") && present.contains("ipv6/eth0/forwarding = 1"))
        #expect(present.contains("ipv6/eth0/accept_ra = 2"))
        #expect(try route())
        branch.send(SIGTERM)
        let outcome = try branch.outcome()
        #expect(outcome.status == 143, "\(outcome.errors)")
        #expect(try world.parameters() == former)
        #expect(try route())
    }

    @Test func `a route that was given for a time gets back what is left of it`() throws {
        let world = try RealWorld()
        for (prefix, seconds) in [("2001:db8:a::/48", 600), ("2001:db8:b::/48", 5)] {
            try world.ip(.branch, "-6 route add \(prefix) via 2001:db8:1::1 dev eth1 proto ra expires \(seconds)")
        }
        let branch = try world.startNode(.branch)
        #expect(try eventually { try world.state(.branch) != nil })
        for site in ["a", "b"] { try world.ip(.branch, "-6 route del 2001:db8:\(site)::/48") }
        sleep(4)
        branch.send(SIGTERM)
        let outcome = try branch.outcome()
        #expect(outcome.status == 143, "\(outcome.errors)")
        let routes = try world.ip(.branch, "-6 route show")
        let line = try #require(routes.split(separator: "\n").first { $0.contains("2001:db8:a::/48") }, "\(routes)")
        let seconds = line.firstMatch(of: #/expires (\d+)sec/#).flatMap { Int($0.output.1) }
        #expect((400...596).contains(seconds ?? 0), "\(line)")
        #expect(!routes.contains("2001:db8:b::/48"))
    }

    @Test func `a machine is one node at a time`() throws {
        let world = try RealWorld()
        let branch = try world.startNode(.branch)
        #expect(try eventually { try world.state(.branch) != nil })
        let present = try world.snapshot()
        let second = try world.start(
            .branch, ["node", "topology.json", "--name", "hq", "--real"] + RealWorld.ports
        ).outcome()
        #expect(second.status == 2)
        #expect(second.errors.hasPrefix("patronus-sim: this machine is node branch already, under process "))
        #expect(try world.snapshot() == present)
        branch.send(SIGTERM)
        #expect(try branch.outcome().status == 143)
        let nobody = try world.run(.branch, "node", "--inspect")
        #expect(nobody.status == 2 && nobody.errors.contains("this machine is no node"))
    }

    @Test func `a driver without native XDP is refused, unless generic will do`() throws {
        let world = try RealWorld(dataplane: true)
        for command in ["link add br0 type bridge", "link set br0 up", "link set br0 down"] {
            try world.ip(.branch, command)
        }
        let former = try world.snapshot()
        let arguments =
            ["node", "topology.json", "--name", "branch", "--real"]
            + ["--port", "wan-a=eth1", "--port", "wan-b=br0", "--port", "lan0=eth3"]
        let refused = try world.start(.branch, arguments).outcome()
        #expect(refused.status == 4)
        #expect(refused.errors.contains("the driver has no native XDP"))
        try world.expectSame(former)
        let slow = try world.start(.branch, arguments + ["--allow-generic"])
        #expect(try eventually { try world.modes(.branch) == ["native", "generic", "native"] })
        slow.send(SIGTERM)
        #expect(try slow.outcome().errors.contains("warning: br0 runs XDP in generic mode, which is slow: "))
        try world.expectSame(former)
    }

    @Test func `an interface with another program, or too large for ours, is refused where ours is to run`() throws {
        let world = try RealWorld(dataplane: true)
        let former = try world.snapshot()
        let topology = try world.workspace.text("topology.json")
        let arguments = ["node", "topology.json", "--name", "branch", "--real"] + RealWorld.ports
        try world.namespace(.branch) { namespace in
            var routes = try RouteSocket(in: namespace)
            let card = try routes.existingLink(.named("eth1")).index
            let attachment = try XDPAttachment(KernelProgram.passingEverything(), to: card, in: namespace)
            let taken = try world.start(.branch, arguments).outcome()
            #expect(taken.status == 2)
            #expect(taken.errors.hasPrefix("patronus-sim: eth1 runs an XDP program already; "))
            try world.workspace.write(
                topology.replacing(#""dataplane": true"#, with: #""dataplane": false"#), to: "topology.json")
            #expect(try world.start(.branch, arguments + ["--dry-run"]).outcome().status == 0)
            #expect(attachment.mode == .native)
        }

        try world.workspace.write(
            topology.replacing(
                #"["branch:wan-b", "isp-b"]"#, with: #"["branch:wan-b", "isp-b"], "mtu": 9000"#), to: "topology.json")
        let large = try world.start(.branch, arguments).outcome()
        #expect(large.status == 4)
        #expect(large.errors.hasPrefix("patronus-sim: eth2 would have an MTU of 9000, and its driver veth takes XDP"))
        #expect(try world.snapshot() == former)
    }

    @Test func `addresses that are there can stay`() throws {
        let world = try RealWorld()
        let wanting = try world.startNode(.branch, ["--keep-addresses"]).outcome()
        #expect(wanting.status == 2)
        #expect(wanting.errors.contains("eth1 does not have the address 100.64.0.0 of port wan-a"))
        try world.ip(.branch, "addr add 100.64.0.0/31 dev eth1")
        try world.ip(.branch, "addr add 100.64.0.2/31 dev eth2")
        try world.ip(.branch, "addr add 10.2.0.1/16 dev eth3")
        let former = try world.snapshot()
        let branch = try world.startNode(.branch, ["--keep-addresses"])
        let hq = try world.startNode(.hq)
        #expect(try eventually(every: 0.1) { try world.upTunnels(.branch) == RealWorld.tunnels })
        #expect(try world.ip(.branch, "addr show eth1").contains("203.0.113.7"))
        for program in [branch, hq] {
            program.send(SIGTERM)
            #expect(try program.outcome().status == 143)
        }
        try world.expectSame(former)
    }

    @Test func `the service manager hears of the start, of life and of the end`() throws {
        let world = try RealWorld()
        let path = world.workspace.url("notify").path
        let manager = try ManagerSocket(at: path)
        let branch = try world.startNode(
            .branch, environment: ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "200000"])
        let ready = try #require(manager.next())
        #expect(ready.split(separator: "\n") == ["READY=1", "STATUS=node branch of two-sites"])
        #expect(try world.state(.branch) != nil)
        for _ in 0..<3 { #expect(manager.next() == "WATCHDOG=1") }
        branch.send(SIGTERM)
        #expect(try branch.outcome().status == 143)
        var last: String?
        while let word = manager.next(within: 100_000) { last = word }
        #expect(last == "STOPPING=1")
    }
}

import Foundation
import Glibc
import LinuxSystem
import TestKit
import Testing

/// What a node took that died is given back, by the next start and by `gc`.
@Suite(.serialized, .enabled(if: RealWorld.isPossible, "\(RealWorld.reason)"))
struct NodeGiveBackTests {
    @Test func `after SIGKILL the next start gives back what the dead node took, and so does gc`() throws {
        let world = try RealWorld(dataplane: true)
        let former = try world.snapshot()
        let (branch, _) = try world.startBoth()
        branch.send(SIGKILL)
        #expect(try branch.outcome().status == 128 + SIGKILL)
        #expect(try world.snapshot() != former)
        let again = try world.startNode(.branch)
        #expect(try eventually(every: 0.1) { try world.upTunnels(.branch) == RealWorld.tunnels })
        again.send(SIGTERM)
        let outcome = try again.outcome()
        #expect(outcome.errors.contains("node branch, which died: restored interface eth1"))
        try world.expectSame(former, "after the second start")

        let third = try world.startNode(.branch)
        #expect(try eventually(every: 0.1) { try world.state(.branch) != nil })
        third.send(SIGKILL)
        _ = try third.outcome()
        let garbage = try world.run(.branch, "gc")
        #expect(garbage.status == 0, "\(garbage.errors)")
        #expect(garbage.output.contains("node branch, which died: restored interface eth1"))
        try world.expectSame(former, "after gc")
        #expect(try world.run(.branch, "gc").output == "nothing is left of any dead lab or node\n")
    }

    @Test func `routes with several next hops go with the node, and others stay`() throws {
        let world = try RealWorld()
        let topology = Fixture.topology.replacingOccurrences(
            of: #""lan": ["10.2.0.0/16"]"#, with: #""lan": ["10.2.0.0/16"], "bgp": { "maximumPaths": 2 }"#)
        try world.workspace.write(topology, to: "topology.json")
        let others = "198.51.100.128/25 nexthop via 192.168.7.1 dev eth0 nexthop via 192.168.7.3 dev eth0"
        try world.ip(.branch, "route add \(others)")
        func policies() throws -> [String] {
            try world.inside(.branch) {
                try ["ipv4", "ipv6"].map {
                    try String(contentsOfFile: "/proc/sys/net/\($0)/fib_multipath_hash_policy", encoding: .utf8)
                }
            }
        }
        let former = try world.snapshot()
        try #require(try policies() == ["0\n", "0\n"])
        for isKilled in [true, false] {
            let branch = try world.startNode(.branch)
            #expect(try eventually(every: 0.1) { try world.state(.branch) != nil })
            #expect(try policies() == ["1\n", "1\n"])
            // As the node's host sets it for what neighbours tell.
            let hops = "nexthop via 100.64.0.1 dev eth1 nexthop via 100.64.0.3 dev eth2"
            try world.ip(.branch, "route add 198.51.100.0/24 metric 1790 \(hops)")
            branch.send(isKilled ? SIGKILL : SIGTERM)
            #expect(try branch.outcome().status == 128 + (isKilled ? SIGKILL : SIGTERM))
            if isKilled { #expect(try world.run(.branch, "gc").status == 0) }
            try world.expectSame(former, isKilled ? "after gc" : "after SIGTERM")
            #expect(try policies() == ["0\n", "0\n"])
        }
    }

    @Test func `gc waits while a node begins here`() throws {
        let world = try RealWorld()
        let branch = try world.startNode(.branch)
        #expect(try eventually(every: 0.1) { try world.state(.branch) != nil })
        branch.send(SIGKILL)
        _ = try branch.outcome()
        let lock = open(world.workspace.url("state/real/.lock").path, O_RDWR | O_CLOEXEC)
        try #require(flock(lock, LOCK_EX) == 0)
        let garbage = try world.start(.branch, ["gc"])
        usleep(500_000)
        #expect(world.journalLines("branch") > 0)
        close(lock)
        #expect(try garbage.outcome().output.contains("node branch, which died: restored interface eth1"))
        #expect(world.journalLines("branch") == 0)
    }

    @Test func `gc goes on where a node cannot be given back, and says everything that came of it`() throws {
        let world = try RealWorld()
        let namespace = try world.namespace(.branch) { try $0.identity }
        let boot = try String(contentsOfFile: "/proc/sys/kernel/random/boot_id", encoding: .utf8)
            .trimmingCharacters(in: .whitespacesAndNewlines)
        for (node, number, parameters) in [
            ("alpha", namespace, [("ipv4/conf/eth1/arp_announce", "1"), ("ipv4/conf/eth1/rp_filter", "nonsense")]),
            ("beta", namespace, [("ipv4/conf/eth3/arp_ignore", "2")]), ("gamma", namespace + 1, []),
        ] {
            let first =
                #"{"node":{"boot":"\#(boot)","name":"\#(node)","namespace":\#(number),"#
                + #""process":0,"start":0,"topology":"two-sites"}}"#
            let rest = parameters.map { #"{"parameter":{"former":"\#($0.1)","name":"\#($0.0)"}}"# }
            let folder = world.workspace.url("state/real/\(node)")
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try world.workspace.write(([first] + rest).map { $0 + "\n" }.joined(), to: "state/real/\(node)/journal")
        }
        let garbage = try world.run(.branch, "gc")
        #expect(garbage.status == 4)
        let words = garbage.output.split(separator: "\n")
        try #require(words.count == 3, "\(words)")
        #expect(words[0] == "node alpha, which died: restored ipv4/conf/eth1/arp_announce = 1")
        #expect(words[1] == "node beta, which died: restored ipv4/conf/eth3/arp_ignore = 2")
        #expect(words[2].hasPrefix("node gamma died in another network namespace"))
        #expect(garbage.errorLines.count == 1 && garbage.errors.contains("ipv4/conf/eth1/rp_filter"))
        #expect(world.workspace.names(in: "state/real").filter { !$0.hasPrefix(".") } == ["alpha", "gamma"])
        #expect(try world.parameters().contains("ipv4/eth3/arp_ignore = 2"))
    }

    @Test func `a node whose journal is gone does not claim that all is as it was`() throws {
        let world = try RealWorld()
        let branch = try world.startNode(.branch)
        #expect(try eventually(every: 0.1) { try world.state(.branch) != nil })
        try world.workspace.write("nothing that can be read\n", to: "state/real/branch/journal")
        branch.send(SIGTERM)
        let outcome = try branch.outcome()
        #expect(outcome.status == 4)
        #expect(outcome.errors.contains("not all could be restored: its journal cannot be read"))
        #expect(!outcome.errors.contains("all is as it was"))
    }

    @Test func `killed at any step, what was taken is given back`() throws {
        let world = try RealWorld()
        let former = try world.snapshot()
        for lines in [1, 2, 3, 4, 5, 8, 12, 16, 20] {
            let program = try world.startNode(.branch)
            var isOver = false
            for _ in 0..<20_000 where !isOver {
                isOver = world.journalLines("branch") >= lines
                usleep(50)
            }
            program.send(SIGKILL)
            _ = try program.outcome()
            let garbage = try world.run(.branch, "gc")
            #expect(garbage.status == 0, "\(garbage.errors)")
            try world.expectSame(former, "after \(lines) lines")
        }
    }
}

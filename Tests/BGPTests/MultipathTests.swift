import BGP
import Basics
import Testing
import Wire

/// A speaker with four peers by the test's hand: 0 and 1 of one AS, 2 of another, 3 of the speaker's own.
private func exchange(configure: (inout SpeakerConfiguration) -> Void = { _ in }) -> Bench {
    let numbers: [UInt32] = [65010, 65010, 65020, 65001]
    let bench = Bench {
        $0.maximumPaths = 4
        $0.peers = numbers.indices.map { peer in
            PeerConfiguration(
                address: .v4(IPv4Address(192, 0, 2, UInt8(peer + 10))), autonomousSystem: numbers[peer],
                localAddress: "192.0.2.1")
        }
        configure(&$0)
    }
    bench.start()
    for peer in numbers.indices {
        bench.speaker.connected(
            peer: peer, connection: ConnectionID(UInt32(peer)), isIncoming: false, at: bench.now,
            into: &bench.outbox)
        bench.send(
            Bench.open(
                autonomousSystem: numbers[peer], identifier: IPv4Address(10, 0, 0, peer == 1 ? 9 : UInt8(10 + peer)))
                + keepalive, on: UInt32(peer))
    }
    _ = bench.takeActions()
    return bench
}

@Suite struct MultipathTests {
    private let prefix: IPPrefix = "198.51.100.0/24"
    private let hops: [IPAddress] = ["192.0.2.10", "192.0.2.11", "192.0.2.12", "192.0.2.13"]

    private func tell(_ peer: Int, _ bench: Bench, medium: UInt32? = nil) {
        let path: ASPath = peer == 2 ? ASPath(65020, 65030) : peer == 3 ? ASPath() : ASPath(65010, 65030)
        bench.send(
            announcement([prefix], path: path, nextHop: hops[peer]) {
                $0.multiExitDiscriminator = medium
                if peer == 3 { $0.localPreference = 100 }
            }, on: UInt32(peer))
    }

    @Test func `every change of the next hops is told, and none other`() {
        let bench = exchange()
        tell(1, bench)
        #expect(bench.takeActions() == [.install(prefix, nextHop: hops[1])])
        #expect(bench.speaker.nextHops(to: prefix) == [hops[1]])
        // The best stays, the other joins it; both in order of address.
        tell(0, bench)
        #expect(bench.takeActions() == [.install(prefix, nextHop: hops[1])])
        #expect(bench.speaker.nextHops(to: prefix) == [hops[0], hops[1]])
        tell(0, bench)
        tell(2, bench)
        #expect(bench.takeActions().isEmpty, "nothing new, and another neighbour")
        tell(0, bench, medium: 5)
        #expect(bench.takeActions() == [.install(prefix, nextHop: hops[1])])
        #expect(bench.speaker.nextHops(to: prefix) == [hops[1]])
        tell(0, bench)
        bench.send(withdrawal([prefix]), on: 1)
        #expect(bench.takeActions().last == .install(prefix, nextHop: hops[0]))
        #expect(bench.speaker.nextHops(to: prefix) == [hops[0]])
        bench.send(withdrawal([prefix]), on: 0)
        bench.send(withdrawal([prefix]), on: 2)
        #expect(bench.takeActions().last == .withdraw(prefix))
        #expect(bench.speaker.nextHops(to: prefix).isEmpty)
    }

    @Test func `other neighbours count where paths are as long`() {
        let bench = exchange { $0.spreadsOverNeighbors = true }
        for peer in [0, 1, 2] { tell(peer, bench) }
        #expect(bench.speaker.nextHops(to: prefix) == Array(hops[0...2]))
        #expect(bench.speaker.multipathRoutes(to: prefix).map(\.peer) == [1, 0, 2])
        tell(3, bench)
        #expect(bench.speaker.nextHops(to: prefix) == [hops[3]], "an empty path is shorter")
        bench.speaker.announce(prefix, at: bench.now, into: &bench.outbox)
        bench.collect()
        #expect(bench.takeActions().last == .withdraw(prefix), "the own route leads nowhere else")
        #expect(bench.speaker.nextHops(to: prefix).isEmpty)
    }

    @Test func `the cost of the way tells equals apart`() {
        let bench = exchange()
        tell(0, bench)
        tell(1, bench)
        _ = bench.takeActions()
        bench.speaker.nextHopChanged(hops[0], cost: 7, at: bench.now, into: &bench.outbox)
        bench.collect()
        #expect(bench.takeActions() == [.install(prefix, nextHop: hops[1])])
        #expect(bench.speaker.nextHops(to: prefix) == [hops[1]])
        bench.speaker.nextHopChanged(hops[1], cost: 7, at: bench.now, into: &bench.outbox)
        bench.collect()
        #expect(bench.speaker.nextHops(to: prefix) == [hops[0], hops[1]])
    }

    @Test(arguments: [(1, 1), (2, 2), (3, 3), (9, 3)])
    func `no more are used than are allowed`(maximum: Int, count: Int) {
        let bench = exchange {
            $0.maximumPaths = maximum
            $0.spreadsOverNeighbors = true
        }
        for peer in [0, 1, 2] { tell(peer, bench) }
        let used = bench.speaker.nextHops(to: prefix)
        #expect(used.count == count && used.contains(hops[1]), "the best is among them")
        #expect(bench.speaker.multipathRoutes(to: prefix).count == count)
    }

    @Test func `a session that is lost takes its next hop along`() {
        let bench = exchange()
        tell(0, bench)
        tell(1, bench)
        bench.close(0)
        #expect(bench.speaker.nextHops(to: prefix) == [hops[1]])
        #expect(bench.takeActions().last == .install(prefix, nextHop: hops[1]))
        bench.close(1)
        #expect(bench.takeActions().last == .withdraw(prefix))
    }
}

import BGP
import Basics
import Testing
import Wire

/// A speaker with two peers of its own AS and one of another, which all mind the metric of RFC 7311.
private func exchange(configure: (inout SpeakerConfiguration) -> Void = { _ in }) -> Bench {
    let numbers: [UInt32] = [65001, 65001, 65002]
    let bench = Bench {
        $0.peers = numbers.indices.map { peer in
            var settings = PeerConfiguration(
                address: .v4(IPv4Address(192, 0, 2, UInt8(peer + 10))), autonomousSystem: numbers[peer],
                localAddress: "192.0.2.1")
            settings.session.carriesAccumulatedMetric = true
            return settings
        }
        configure(&$0)
    }
    bench.start()
    for peer in numbers.indices {
        bench.speaker.connected(
            peer: peer, connection: ConnectionID(UInt32(peer)), isIncoming: false, at: bench.now,
            into: &bench.outbox)
        bench.send(
            Bench.open(autonomousSystem: numbers[peer], identifier: IPv4Address(10, 0, 0, UInt8(10 + peer)))
                + keepalive, on: UInt32(peer))
    }
    return bench
}

@Suite struct AccumulatedMetricTests {
    private let prefix: IPPrefix = "198.51.100.0/24"
    private let hops: [IPAddress] = ["192.0.2.10", "192.0.2.11"]

    private func tell(_ peer: Int, _ bench: Bench, metric: UInt64?, length: UInt32 = 1) {
        var path = ASPath()
        for number in 0..<length { path.prepend(65100 + number) }
        bench.send(
            announcement([prefix], path: path, nextHop: hops[peer]) {
                $0.localPreference = 100
                $0.accumulatedMetric = metric
            }, on: UInt32(peer))
    }

    private func cost(_ peer: Int, _ bench: Bench, _ cost: UInt32) {
        bench.speaker.nextHopChanged(hops[peer], cost: cost, at: bench.now, into: &bench.outbox)
        bench.collect()
    }

    @Test func `the least metric wins before the length of the path is looked at`() throws {
        let bench = exchange()
        tell(0, bench, metric: nil)
        tell(1, bench, metric: 50, length: 4)
        var explanation = try #require(bench.speaker.explain(prefix))
        #expect(explanation.paths.map(\.verdict) == [.lost(.accumulatedMetric), .best])
        #expect(
            explanation.steps.map(\.step) == [.originatedHere, .freshness, .localPreference, .accumulatedMetric])
        tell(0, bench, metric: 40, length: 5)
        #expect(bench.speaker.bestRoute(to: prefix)?.peer == 0)
        // The way to the next hop counts with it.
        cost(0, bench, 11)
        #expect(bench.speaker.bestRoute(to: prefix)?.peer == 1)
        cost(1, bench, 1)
        explanation = try #require(bench.speaker.explain(prefix))
        #expect(explanation.paths.map(\.verdict) == [.lost(.pathLength), .best], "51 and 51")
        tell(1, bench, metric: nil)
        #expect(bench.speaker.bestRoute(to: prefix)?.peer == 0)
    }

    @Test func `whoever puts itself in place of the next hop adds the way there`() {
        let bench = exchange { $0.peers[1].nextHopSelf = true }
        cost(0, bench, 9)
        func told() -> UInt64? { bench.speaker.advertisedRoutes(to: 2).first?.attributes.accumulatedMetric }
        tell(0, bench, metric: 40)
        #expect(told() == 49)
        cost(0, bench, 12)
        #expect(told() == 52, "and tells it again when it costs something else")
        tell(0, bench, metric: .max - 3)
        #expect(told() == .max)
        bench.send(withdrawal([prefix]))
        bench.send(withdrawal([prefix]), on: 0)
        #expect(told() == nil && bench.speaker.attributeSetCount == 0)
    }

    @Test func `the metric is not minded where the session does not carry it`() {
        let bench = exchange {
            $0.peers[1].session.carriesAccumulatedMetric = false
            $0.peers[2].session.carriesAccumulatedMetric = nil
        }
        tell(0, bench, metric: nil)
        tell(1, bench, metric: 1, length: 3)
        #expect(bench.speaker.bestRoute(to: prefix)?.peer == 0)
        tell(0, bench, metric: 5)
        #expect(bench.speaker.advertisedRoutes(to: 2).map(\.attributes.accumulatedMetric) == [nil])
    }
}

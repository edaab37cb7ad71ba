import BGP
import Basics
import TestKit
import Testing
import Wire

/// Routes that stand for others.
@Suite struct AggregationTests {
    private static let whole: IPPrefix = "198.51.0.0/16"
    private static let parts: [IPPrefix] = ["198.51.100.0/24", "198.51.101.0/24", "198.51.128.0/17"]

    /// Speakers in a row; the one in the middle tells `whole` for its parts.
    private static func row(
        _ networks: [IPPrefix] = [], isSummaryOnly: Bool, seed: UInt64 = 1
    ) -> Network {
        Network(
            autonomousSystems: [65_001, 65_002, 65_003], edges: [(0, 1), (1, 2)], networks: [networks, [], []],
            seed: seed
        ) { index, configuration in
            if index == 1 { configuration.aggregates = [Aggregate(whole, isSummaryOnly: isSummaryOnly)] }
        }
    }

    private static func told(_ network: Network) -> [IPPrefix] {
        network.speakers[2].bestRoutes.map(\.prefix).sorted()
    }

    @Test(arguments: [false, true])
    func `an aggregate is there as long as a part of it is`(isSummaryOnly: Bool) throws {
        var network = Self.row([Self.parts[0], "203.0.113.0/24"], isSummaryOnly: isSummaryOnly)
        network.start()
        network.run(for: .seconds(30))
        let rest: [IPPrefix] = isSummaryOnly ? [] : [Self.parts[0]]
        #expect(Self.told(network) == ([Self.whole, "203.0.113.0/24"] + rest).sorted())
        let route = try #require(network.speakers[2].bestRoutes.first { $0.prefix == Self.whole })
        // RFC 4271 §5.1.6, §5.1.7: whose it is, and that numbers are missing in its path.
        #expect(route.attributes.path.numbers == [65_002] && route.attributes.isAtomicAggregate)
        let speaker = network.speakers[1].configuration
        #expect(
            route.attributes.aggregator
                == Aggregator(autonomousSystem: speaker.autonomousSystem, identifier: speaker.routerID))
        // Packets for what there is no part of go nowhere, and are not sent back to who told a longer way.
        #expect(network.forwarding[1][Self.whole] == .v4(.any))
        #expect(network.forwarding[1][Self.parts[0]] == .v4(Network.address(0)))

        network.command(0) { $0.announce(Self.parts[2], at: $1, into: &$2) }
        network.command(0) { $0.withdraw(Self.parts[0], at: $1, into: &$2) }
        network.run(for: .seconds(5))
        #expect(Self.told(network).contains(Self.whole))
        network.command(0) { $0.withdraw(Self.parts[2], at: $1, into: &$2) }
        network.run(for: .seconds(5))
        #expect(Self.told(network) == ["203.0.113.0/24"])
        #expect(network.forwarding[1][Self.whole] == nil)
    }

    @Test func `the aggregate's origin is the least certain of its parts'`() throws {
        let bench = Bench {
            $0.aggregates = [Aggregate(Self.whole)]
        }
        bench.start()
        bench.establish()
        func origin() -> Origin? { bench.speaker.bestRoute(to: Self.whole)?.attributes.origin }
        for (prefix, own, expected) in [
            (Self.parts[0], Origin.interior, Origin.interior), (Self.parts[1], .incomplete, .incomplete),
            (Self.parts[2], .exterior, .incomplete), (Self.parts[1], .interior, .exterior),
        ] {
            bench.send(announcement([prefix]) { $0.origin = own }, on: 1)
            #expect(origin() == expected)
        }
        bench.send(withdrawal(Self.parts), on: 1)
        #expect(origin() == nil && bench.speaker.bestRoute(to: Self.parts[0]) == nil)
    }

    @Test func `an aggregate that is announced besides outlives its parts, and they outlive the announcement`() throws {
        var network = Self.row(isSummaryOnly: false)
        network.start()
        network.run(for: .seconds(30))
        func route() -> Route? { network.speakers[2].bestRoute(to: Self.whole) }
        network.command(1) { $0.announce(Self.whole, at: $1, into: &$2) }
        network.run(for: .seconds(5))
        #expect(try #require(route()).attributes.isAtomicAggregate == false)
        network.command(0) { $0.announce(Self.parts[0], at: $1, into: &$2) }
        network.run(for: .seconds(5))
        #expect(try #require(route()).attributes.isAtomicAggregate)
        network.command(0) { $0.withdraw(Self.parts[0], at: $1, into: &$2) }
        network.run(for: .seconds(5))
        #expect(try #require(route()).attributes.isAtomicAggregate == false)
        network.command(0) { $0.announce(Self.parts[0], at: $1, into: &$2) }
        network.command(1) { $0.withdraw(Self.whole, at: $1, into: &$2) }
        network.run(for: .seconds(5))
        #expect(try #require(route()).attributes.isAtomicAggregate)
        network.command(0) { $0.withdraw(Self.parts[0], at: $1, into: &$2) }
        network.run(for: .seconds(5))
        #expect(route() == nil)
    }

    @Test func `aggregates follow whatever comes and goes, nested ones too`() {
        forEachSeed(30) { random in
            let small: IPPrefix = "198.51.96.0/20"
            var network = Network(
                autonomousSystems: [65_001, 65_002, 65_003], edges: [(0, 1), (1, 2)], networks: [[], [], []],
                seed: random.next()
            ) { index, configuration in
                guard index == 1 else { return }
                configuration.aggregates = [Aggregate(Self.whole), Aggregate(small, isSummaryOnly: true)]
            }
            network.start()
            network.run(for: .seconds(20))
            var present: Set<IPPrefix> = []
            for _ in 0..<12 {
                let part = Self.parts[Int(random.below(3))]
                if present.remove(part) != nil {
                    network.command(0) { $0.withdraw(part, at: $1, into: &$2) }
                } else {
                    present.insert(part)
                    network.command(0) { $0.announce(part, at: $1, into: &$2) }
                }
                if random.chance(Ratio(0.2)) { network.resetConnections(0) }
                // A session that was lost several times in a row is away for up to a minute.
                network.run(for: .seconds(120))
                let covered = present.filter { $0 != Self.parts[2] }
                var expected = present.subtracting(covered)
                if !present.isEmpty { expected.insert(Self.whole) }
                if !covered.isEmpty { expected.insert(small) }
                #expect(Self.told(network) == expected.sorted())
            }
        }
    }
}

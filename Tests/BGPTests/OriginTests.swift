import BGP
import Basics
import TestKit
import Testing
import Wire

@Suite struct OriginTests {
    private let table = OriginTable([
        OriginAuthorization("10.0.0.0/16", maximumLength: 20, autonomousSystem: 65001),
        OriginAuthorization("10.0.0.0/16", autonomousSystem: 65002),
        OriginAuthorization("10.0.0.0/8", autonomousSystem: 0),
        OriginAuthorization("2001:db8::/32", maximumLength: 48, autonomousSystem: 65001),
    ])

    @Test(
        arguments: [
            ("10.0.0.0/16", 65001, OriginValidity.valid), ("10.0.16.0/20", 65001, .valid),
            ("10.0.16.0/21", 65001, .invalid), ("10.0.0.0/16", 65002, .valid), ("10.0.0.0/17", 65002, .invalid),
            ("10.1.0.0/16", 65001, .invalid), ("11.0.0.0/8", 65001, .notFound), ("2001:db8:1::/48", 65001, .valid),
            ("2001:db8:1::/49", 65001, .invalid), ("10.0.0.0/16", nil, .invalid), ("10.1.0.0/16", 0, .invalid),
        ] as [(String, UInt32?, OriginValidity)])
    func `an origin is valid by one authorization and invalid by a cover without one`(
        _ prefix: String, number: UInt32?, expected: OriginValidity
    ) throws {
        let prefix = try #require(IPPrefix(prefix))
        #expect(table.validity(of: prefix, from: number) == expected)
    }

    @Test func `it agrees with going through all authorizations`() {
        forEachSeed(30) { random in
            func prefix() -> IPPrefix {
                IPPrefix(
                    .v4(IPv4Address(bits: 0x0A00_0000 | UInt32(random.below(8)) << 21)),
                    length: 8 + Int(random.below(8)))
            }
            let all = (0..<20).map { _ in
                let prefix = prefix()
                return OriginAuthorization(
                    prefix, maximumLength: prefix.length + Int(random.below(4)),
                    autonomousSystem: UInt32(random.below(4)))
            }
            let table = OriginTable(all)
            for _ in 0..<50 {
                let probe = prefix()
                let number = UInt32(random.below(4))
                let covering = all.filter { $0.prefix.length <= probe.length && $0.prefix.contains(probe.address) }
                let isValid = covering.contains {
                    $0.maximumLength >= probe.length && $0.autonomousSystem == number && number != 0
                }
                let expected: OriginValidity = isValid ? .valid : covering.isEmpty ? .notFound : .invalid
                try #require(table.validity(of: probe, from: number) == expected)
            }
        }
    }

    @Test func `the originator is the last of a sequence, and nobody's behind a set`() {
        #expect(ASPath(65001, 65002).originator == 65002)
        #expect(ASPath(segments: [.init(.sequence, [1]), .init(.set, [2])]).originator == nil)
        #expect(ASPath().originator == nil)
    }

    @Test func `a policy turns away what nobody may originate`() {
        let bench = Bench {
            $0.origins = OriginTable([OriginAuthorization("10.0.0.0/8", maximumLength: 24, autonomousSystem: 65002)])
            $0.peers[0].importPolicy = RoutePolicy(
                [
                    PolicyRule(sequence: 10, .deny, conditions: [.originValidity(.invalid)]),
                    PolicyRule(
                        sequence: 20, .permit, conditions: [.originValidity(.valid)],
                        settings: [.localPreference(200)]),
                ], otherwise: .permit)
        }
        bench.establish()
        bench.send(announcement(["10.1.0.0/16", "10.1.1.0/25", "11.0.0.0/8"]))
        #expect(bench.speaker.bestRoutes.map(\.prefix) == ["10.1.0.0/16", "11.0.0.0/8"])
        #expect(bench.speaker.bestRoutes.map(\.attributes.localPreference) == [200, nil])
    }

    @Test(arguments: [
        ([Community(65001, 1)], true), ([Community(65001, 9)], false), ([Community(65002, 1)], false),
        ([Community(65002, 1), Community(65001, 2)], true), ([], false),
    ])
    func `the first entry of a community list that matches decides`(_ communities: [Community], isPermitted: Bool) {
        let list = CommunityList([.init(.deny, Community(65001, 9)), .init(.permit, allOf: 65001)])
        #expect(list.permits(communities) == isPermitted)
    }
}

@Suite struct ExplanationTests {
    private let prefix: IPPrefix = "198.51.100.0/24"

    private func bench(configure: (inout SpeakerConfiguration) -> Void = { _ in }) -> Bench {
        let bench = Bench {
            for peer in 3...4 {
                $0.peers.append(
                    PeerConfiguration(
                        address: .v4(IPv4Address(192, 0, 2, UInt8(peer))), autonomousSystem: 65002,
                        localAddress: "192.0.2.1"))
            }
            configure(&$0)
        }
        bench.establish()
        for peer in 1...2 {
            let connection = UInt32(peer + 1)
            bench.speaker.connected(
                peer: peer, connection: ConnectionID(connection), isIncoming: false, at: bench.now,
                into: &bench.outbox)
            bench.send(Bench.open(identifier: IPv4Address(10, 0, 0, UInt8(peer + 2))) + keepalive, on: connection)
        }
        return bench
    }

    @Test func `it says step by step why a path has won`() throws {
        let bench = bench()
        bench.send(announcement([prefix], path: ASPath(65002, 65003, 65004)))
        bench.send(announcement([prefix], path: ASPath(65002, 65003), nextHop: "192.0.2.3"), on: 2)
        bench.send(
            announcement([prefix], path: ASPath(65002, 65003), nextHop: "192.0.2.4") { $0.origin = .incomplete }, on: 3)
        let explanation = try #require(bench.speaker.explain(prefix))
        #expect(explanation.paths.map(\.verdict) == [.lost(.pathLength), .best, .lost(.origin)])
        #expect(explanation.steps.map(\.step) == [.originatedHere, .freshness, .localPreference, .pathLength, .origin])
        #expect(explanation.steps.map(\.remaining) == [3, 3, 3, 2, 1])
        #expect(bench.speaker.explain("10.0.0.0/8") == nil)
    }

    @Test func `it says why a path takes no part`() throws {
        let bench = bench()
        bench.send(announcement([prefix], path: ASPath(65002, 65001)))
        bench.send(announcement([prefix], nextHop: "192.0.2.3"), on: 2)
        bench.speaker.nextHopChanged("192.0.2.3", cost: nil, at: bench.now, into: &bench.outbox)
        let explanation = try #require(bench.speaker.explain(prefix))
        #expect(explanation.paths.map(\.verdict) == [.notAccepted, .nextHopUnreachable])
        #expect(bench.speaker.bestRoute(to: prefix) == nil)
    }

    @Test func `packets may be spread over paths that differ in nothing but who tells them`() {
        let bench = bench { $0.maximumPaths = 2 }
        bench.send(announcement([prefix], path: ASPath(65002, 65003)))
        bench.send(announcement([prefix], path: ASPath(65002, 65004), nextHop: "192.0.2.3"), on: 2)
        bench.send(announcement([prefix], path: ASPath(65002, 65004, 65005), nextHop: "192.0.2.4"), on: 3)
        #expect(bench.speaker.multipathRoutes(to: prefix).map(\.peer) == [0, 1])
    }

    @Test func `rounds of UPDATEs keep their distance`() {
        let bench = bench { $0.peers[1].advertisementInterval = .seconds(5) }
        bench.send(announcement(["10.1.0.0/16"]))
        let first = bench.takeMessages(on: 2).filter { $0.type == 2 }
        #expect(first.count == 1)
        bench.send(announcement(["10.2.0.0/16"]))
        bench.send(announcement(["10.3.0.0/16"]))
        bench.send(withdrawal(["10.2.0.0/16"]))
        #expect(bench.takeMessages(on: 2).filter { $0.type == 2 }.isEmpty)
        #expect(bench.takeMessages(on: 3).filter { $0.type == 2 }.count == 4)
        bench.advance(by: .seconds(4))
        #expect(bench.takeMessages(on: 2).filter { $0.type == 2 }.isEmpty)
        bench.advance(by: .seconds(1))
        #expect(bench.takeMessages(on: 2).filter { $0.type == 2 }.count == 1)
        #expect(bench.speaker.advertisedRoutes(to: 1).map(\.prefix) == ["10.1.0.0/16", "10.3.0.0/16"])
    }
}

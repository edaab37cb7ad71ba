import BGP
import Basics
import TestKit
import Testing
import Wire

private struct Draft {
    var attributes = PathAttributes(path: ASPath(65002, 65009), nextHop: "192.0.2.2")
    var origin = RouteOrigin.external
    var cost: UInt32 = 10
    var identifier = IPv4Address(10, 0, 0, 5)
    var address: IPAddress = "192.0.2.5"

    var candidate: RouteCandidate {
        RouteCandidate(
            DecisionKey(attributes), origin: origin, interiorCost: cost, peerIdentifier: identifier,
            peerAddress: address, accumulatedMetric: attributes.accumulatedMetric)
    }
}

private func candidate(_ change: (inout Draft) -> Void = { _ in }) -> RouteCandidate {
    var draft = Draft()
    change(&draft)
    return draft.candidate
}

@Suite struct DecisionProcessTests {
    /// A pair for each step: the first wins by it, and loses in every step behind it.
    private static let pairs: [(DecisionStep, RouteCandidate, RouteCandidate)] = [
        (
            .originatedHere,
            candidate {
                $0.origin = .local; $0.attributes.localPreference = 1
            },
            candidate { $0.attributes.localPreference = 200 }
        ),
        (
            .freshness, candidate { $0.attributes.localPreference = 1 },
            candidate { $0.attributes.communities = [.longLivedStale] }
        ),
        (
            .localPreference,
            candidate {
                $0.attributes.localPreference = 101; $0.attributes.path = ASPath(65002, 1, 2, 3)
            },
            candidate()
        ),
        (
            .accumulatedMetric,
            candidate {
                $0.attributes.accumulatedMetric = 7; $0.attributes.path = ASPath(65002, 1, 2, 3)
            },
            candidate()
        ),
        (
            .accumulatedMetric,
            candidate {
                $0.attributes.accumulatedMetric = .max; $0.cost = 2; $0.attributes.path = ASPath(65002, 1, 2, 3)
            },
            candidate {
                $0.attributes.accumulatedMetric = .max - 1; $0.cost = 4
            }
        ),
        (
            .pathLength, candidate { $0.attributes.origin = .incomplete },
            candidate { $0.attributes.path = ASPath(65002, 65003, 65009) }
        ),
        (
            .pathLength,
            candidate {
                $0.attributes.path = ASPath(segments: [.init(.sequence, [65002]), .init(.set, [1, 2, 3])])
                $0.identifier = IPv4Address(10, 0, 0, 9)
            },
            candidate { $0.attributes.path = ASPath(65002, 65003, 65009) }
        ),
        (
            .origin, candidate { $0.attributes.multiExitDiscriminator = 9 },
            candidate { $0.attributes.origin = .exterior }
        ),
        (
            .multiExitDiscriminator, candidate { $0.origin = .internal },
            candidate { $0.attributes.multiExitDiscriminator = 1 }
        ),
        (.externalOverInternal, candidate { $0.cost = 99 }, candidate { $0.origin = .internal }),
        (.interiorCost, candidate { $0.identifier = IPv4Address(10, 0, 0, 9) }, candidate { $0.cost = 11 }),
        (
            .identifier,
            candidate {
                $0.address = "192.0.2.9"; $0.attributes.clusterList = [.any]
            },
            candidate { $0.identifier = IPv4Address(10, 0, 0, 6) }
        ),
        (
            .identifier,
            candidate {
                $0.attributes.originatorID = IPv4Address(10, 0, 0, 1); $0.identifier = IPv4Address(10, 0, 0, 9)
            },
            candidate()
        ),
        (
            .clusterListLength, candidate { $0.address = "192.0.2.9" },
            candidate { $0.attributes.clusterList = [IPv4Address(10, 0, 0, 1)] }
        ),
        (.peerAddress, candidate(), candidate { $0.address = "192.0.2.6" }),
    ]

    @Test func `each step of RFC 4271 9_1_2_2 decides in its turn`() {
        for (step, better, worse) in Self.pairs {
            for order in [[better, worse], [worse, better]] {
                let best = DecisionProcess.best(of: ContiguousArray(order))
                #expect(best.map { order[$0.index] } == better, "\(step)")
                #expect(best?.decidedBy == step)
            }
        }
        #expect(Set(Self.pairs.map(\.0)).count == DecisionStep.allCases.count, "every step has its case")
    }

    @Test func `no route is no choice and one is none to make`() {
        #expect(DecisionProcess.best(of: []) == nil)
        let only = DecisionProcess.best(of: [candidate()])
        #expect(only?.index == 0 && only?.decidedBy == nil)
    }

    @Test func `discriminators of different neighbours do not compare`() {
        let best = DecisionProcess.best(of: [
            candidate {
                $0.attributes.multiExitDiscriminator = 50; $0.identifier = IPv4Address(10, 0, 0, 1)
            },
            candidate {
                $0.attributes.path = ASPath(65003, 65009); $0.attributes.multiExitDiscriminator = 1
            },
        ])
        #expect(best?.index == 0)
        #expect(best?.decidedBy == .identifier)
    }

    @Test func `the choice does not depend on the order of the routes`() {
        // The classic case: pairwise comparison runs in a circle here.
        let circle = [
            candidate {
                $0.attributes.path = ASPath(1, 9); $0.attributes.multiExitDiscriminator = 10
                $0.identifier = IPv4Address(10, 0, 0, 1)
            },
            candidate {
                $0.attributes.path = ASPath(2, 9); $0.attributes.multiExitDiscriminator = 0
                $0.identifier = IPv4Address(10, 0, 0, 2)
            },
            candidate {
                $0.attributes.path = ASPath(1, 9); $0.attributes.multiExitDiscriminator = 5
                $0.identifier = IPv4Address(10, 0, 0, 3)
            },
        ]
        for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
            let best = DecisionProcess.best(of: ContiguousArray(order.map { circle[$0] }))
            #expect(best.map { order[$0.index] } == 1)
        }
        forEachSeed(200) { random in
            var candidates = ContiguousArray(
                (0..<2 + Int(random.below(6))).map { index in
                    candidate { draft in
                        draft.attributes.path = ASPath(UInt32(1 + random.below(2)), UInt32(1 + random.below(3)))
                        draft.attributes.multiExitDiscriminator = UInt32(random.below(3))
                        draft.attributes.origin = random.below(3) == 0 ? .exterior : .interior
                        draft.origin = random.below(2) == 0 ? .internal : .external
                        draft.cost = UInt32(random.below(2))
                        draft.identifier = IPv4Address(10, 0, 0, UInt8(random.below(3)))
                        draft.address = .v4(IPv4Address(192, 0, 2, UInt8(index)))
                    }
                })
            let first = DecisionProcess.best(of: candidates).map { candidates[$0.index] }
            for _ in 0..<5 {
                candidates.swapAt(0, Int(random.below(UInt64(candidates.count))))
                candidates.swapAt(1, Int(random.below(UInt64(candidates.count))))
                let again = DecisionProcess.best(of: candidates).map { candidates[$0.index] }
                try #require(again == first)
            }
        }
    }
}

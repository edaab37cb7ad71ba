import BGP
import Basics
import TestKit
import Testing
import Wire

private func bench(_ change: (inout FlapDamping) -> Void = { _ in }) -> Bench {
    var damping = FlapDamping()
    change(&damping)
    let chosen = damping
    let bench = Bench {
        $0.holdTime = .zero
        $0.peers[0].damping = chosen
    }
    bench.establish(Bench.open(holdTime: 0))
    _ = bench.takeActions()
    return bench
}

/// A route's penalty as RFC 2439 §4.2 words it, from all of its flaps anew.
private struct Model {
    var flaps: [(at: Instant, penalty: Double)] = []
    var isSuppressed = false
    var isThere = false
    var isWithdrawn = false
    var path = ASPath(65002)

    func penalty(at now: Instant) -> Double {
        flaps.reduce(0) { sum, flap in
            sum + flap.penalty * naturalExponential(-0.693_147_180_559_945_3 * (now - flap.at).inSeconds / 900)
        }
    }

    func isNearThreshold(at now: Instant) -> Bool {
        [375, 750].contains { abs(penalty(at: now) - $0) < 3 }
    }

    /// Lets the route in again, and forgets it, when enough time has passed.
    mutating func rest(at now: Instant) {
        if penalty(at: now) < 750 { isSuppressed = false }
        guard penalty(at: now) < 375 else { return }
        flaps = []
        isWithdrawn = false
    }

    mutating func flap(_ penalty: Double, at now: Instant) {
        flaps.append((now, penalty))
        if self.penalty(at: now) > 3_000 { isSuppressed = true }
    }
}

@Suite struct DampingTests {
    private let prefix: IPPrefix = "198.51.100.0/24"

    private func flap(_ bench: Bench, times: Int) {
        for _ in 0..<times {
            bench.send(withdrawal([prefix]))
            bench.send(announcement([prefix]))
        }
    }

    private func verdict(_ bench: Bench) -> DecisionExplanation.Verdict? {
        bench.speaker.explain(prefix)?.paths.first?.verdict
    }

    @Test func `a route that does not come to rest is suppressed until it has been quiet`() throws {
        let bench = bench()
        bench.send(announcement([prefix]))
        flap(bench, times: 6)
        #expect(verdict(bench) == .best, "6000 is not beyond 6000")
        flap(bench, times: 1)
        // 900 s times the logarithm of 7000 by 750 to base 2, in whole seconds.
        let end = bench.now + .seconds(2_901)
        #expect(verdict(bench) == .suppressed(until: end))
        let damped = try #require(bench.speaker.dampedRoutes(of: 0, at: bench.now).first)
        #expect(damped.prefix == prefix && damped.penalty == 7_000 && damped.suppressedUntil == end)
        #expect(bench.takeActions().last == .withdraw(prefix))
        #expect(bench.speaker.status(of: 0).receivedRoutes == 1 && bench.speaker.status(of: 0).acceptedRoutes == 0)
        #expect(bench.speaker.candidates(for: prefix).isEmpty)
        bench.advance(to: end - .milliseconds(1))
        #expect(bench.takeActions().isEmpty)
        bench.advance(to: end)
        #expect(bench.takeActions() == [.install(prefix, nextHop: "192.0.2.2")])
        #expect(verdict(bench) == .best && bench.speaker.status(of: 0).acceptedRoutes == 1)
        // Half of what lets it in again is left of it a half-life later, and it is forgotten.
        #expect(bench.speaker.dampedRoutes(of: 0, at: bench.now).map(\.penalty) == [749])
        bench.advance(by: .seconds(901))
        #expect(bench.speaker.dampedRoutes(of: 0, at: bench.now).isEmpty)
    }

    @Test func `a route that is told while it is suppressed waits, and one that is withdrawn is no worse for it`() {
        let bench = bench()
        bench.send(announcement([prefix]))
        flap(bench, times: 7)
        bench.send(withdrawal([prefix]))
        bench.send(withdrawal([prefix]))
        #expect(bench.speaker.dampedRoutes(of: 0, at: bench.now).map(\.penalty) == [8_000], "once for one route")
        #expect(bench.speaker.explain(prefix) == nil)
        bench.advance(by: .seconds(60))
        bench.send(announcement([prefix]))
        bench.send(announcement([prefix]))
        #expect(bench.takeActions().last == .withdraw(prefix))
        // Its time passes while it is not there.
        bench.send(withdrawal([prefix]))
        bench.advance(by: .seconds(3_600))
        bench.send(announcement([prefix]))
        #expect(verdict(bench) == .best)
    }

    @Test func `other words cost half as much, the same words nothing`() {
        let bench = bench { $0.readvertisementPenalty = 200 }
        for medium in [1, 1, 2, 2, 3] as [UInt32] {
            bench.send(announcement([prefix]) { $0.multiExitDiscriminator = medium })
        }
        #expect(bench.speaker.dampedRoutes(of: 0, at: bench.now).map(\.penalty) == [1_000])
        bench.send(withdrawal([prefix]))
        bench.send(announcement([prefix]))
        bench.send(announcement([prefix]))
        #expect(bench.speaker.dampedRoutes(of: 0, at: bench.now).map(\.penalty) == [2_200])
    }

    @Test func `no route waits for longer than it may, and no penalty is without bound`() {
        let bench = bench { $0.maximumPenalty = 20_000 }
        bench.send(announcement([prefix]))
        flap(bench, times: 100)
        #expect(bench.speaker.dampedRoutes(of: 0, at: bench.now).map(\.penalty) == [20_000])
        #expect(verdict(bench) == .suppressed(until: bench.now + .seconds(3_600)))
        bench.advance(by: .seconds(3_600))
        #expect(verdict(bench) == .best)
    }

    @Test func `a session that is lost is no flap, and what had flapped before still has`() {
        let bench = bench()
        bench.send(announcement([prefix, "203.0.113.0/24"]))
        flap(bench, times: 7)
        bench.close()
        bench.advance(by: .seconds(2))
        bench.connect(2, isIncoming: true)
        bench.send(Bench.open(holdTime: 0) + keepalive, on: 2)
        bench.send(announcement([prefix, "203.0.113.0/24"]), on: 2)
        #expect(bench.speaker.bestRoutes.map(\.prefix) == ["203.0.113.0/24"])
        #expect(bench.speaker.dampedRoutes(of: 0, at: bench.now).map(\.prefix) == [prefix])
        bench.speaker.clearDamping(of: 0, at: bench.now, into: &bench.outbox)
        #expect(bench.speaker.bestRoutes.map(\.prefix) == [prefix, "203.0.113.0/24"])
        #expect(bench.speaker.dampedRoutes(of: 0, at: bench.now).isEmpty)
        #expect(bench.speaker.status(of: 0).acceptedRoutes == 2)
    }

    @Test func `nothing is damped unless it is asked for`() {
        let bench = Bench()
        bench.establish()
        bench.send(announcement([prefix]))
        flap(bench, times: 50)
        #expect(verdict(bench) == .best && bench.speaker.dampedRoutes(of: 0, at: bench.now).isEmpty)
    }

    @Test func `routes are suppressed and let in again as the formula has it`() {
        forEachSeed(20) { random in
            let bench = bench {
                $0.suppressThreshold = 3_000
                $0.readvertisementPenalty = 300
                $0.maximumPenalty = .max
                $0.maximumSuppression = .seconds(1_000_000)
            }
            let prefixes: [IPPrefix] = ["10.0.0.0/8", "10.1.0.0/16", "2001:db8::/32"]
            var models = prefixes.map { _ in Model() }
            for _ in 0..<200 {
                bench.advance(by: .milliseconds(Int64(random.below(random.below(8) == 0 ? 2_000_000 : 60_000))))
                // Routes are let in again and forgotten at whole seconds; nothing happens around them.
                while models.contains(where: { $0.isNearThreshold(at: bench.now) }) { bench.advance(by: .seconds(1)) }
                for place in models.indices { models[place].rest(at: bench.now) }
                let place = Int(random.below(3))
                if random.below(2) == 0 {
                    bench.send(withdrawal([prefixes[place]]))
                    if models[place].isThere { models[place].flap(1_000, at: bench.now) }
                    models[place].isWithdrawn = models[place].isWithdrawn || models[place].isThere
                    models[place].isThere = false
                } else {
                    let path = random.below(2) == 0 ? ASPath(65002) : ASPath(65002, 65003)
                    let nextHop: IPAddress = prefixes[place].isIPv4 ? "192.0.2.2" : "2001:db8::2"
                    bench.send(announcement([prefixes[place]], path: path, nextHop: nextHop))
                    if models[place].isWithdrawn {
                        models[place].flap(300, at: bench.now)
                    } else if models[place].isThere, models[place].path != path {
                        models[place].flap(500, at: bench.now)
                    }
                    models[place].isWithdrawn = false
                    models[place].isThere = true
                    models[place].path = path
                }
                for (prefix, model) in zip(prefixes, models) where model.isThere {
                    try #require((bench.speaker.bestRoute(to: prefix) == nil) == model.isSuppressed, "\(prefix)")
                }
            }
        }
    }
}

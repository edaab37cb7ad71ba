import Basics
import Steering
import Telemetry
import TestKit
import Testing

@Suite struct HysteresisTests {
    /// Both paths up and good, the call on the preferred one, at 2 s.
    private func started() -> Driven {
        var driven = Driven()
        driven.run(for: .seconds(2), [(0, Driven.good), (1, Driven.good)])
        driven.records = []
        return driven
    }

    @Test func `the preferred path is taken at the start, whichever came up first`() {
        var driven = Driven()
        driven.update(1)
        driven.update(0)
        let tunnel = driven.select()
        #expect(tunnel == 0)
        #expect(driven.records.map(\.record) == [.pathChange(Driven.call.key, from: nil, to: TunnelID(0), .policy)])
    }

    @Test func `one outlier moves nothing, a second in a row does`() {
        var driven = started()
        for _ in 0..<10 {
            driven.run(for: .milliseconds(200), [(0, Driven.brownout), (1, Driven.good)])
            driven.run(for: .milliseconds(200), [(0, Driven.good), (1, Driven.good)])
        }
        #expect(driven.records.isEmpty)
        driven.run(for: .milliseconds(400), [(0, Driven.brownout), (1, Driven.good)])
        #expect(driven.moves == ["6200ms 0>1 slaViolated"])
        #expect(driven.verdicts == ["6200ms 0 degraded slaViolated"])
    }

    @Test func `a brownout is left within two evaluations and returned from once, after the failback delay`() {
        var driven = started()
        driven.run(for: .seconds(30), [(0, Driven.brownout), (1, Driven.good)])
        driven.run(for: .seconds(200), [(0, Driven.good), (1, Driven.good)])
        #expect(driven.moves == ["2200ms 0>1 slaViolated", "92000ms 1>0 failback"])
        #expect(driven.verdicts == ["2200ms 0 degraded slaViolated", "92000ms 0 up slaMet"])
    }

    @Test func `the delay starts again with each evaluation that is not good enough`() {
        var driven = started()
        driven.run(for: .seconds(10), [(0, Driven.brownout), (1, Driven.good)])
        driven.run(for: .seconds(59), [(0, Driven.good), (1, Driven.good)])
        // 71 % of the threshold: it meets the class, but is no reason to return.
        let fair = PathSample(latency: .microseconds(106_500))
        driven.run(for: .seconds(1), [(0, fair), (1, Driven.good)])
        #expect(driven.moves.count == 1)
        driven.run(for: .seconds(100), [(0, Driven.good), (1, Driven.good)])
        #expect(driven.moves.dropFirst() == ["132000ms 1>0 failback"])
    }

    @Test func `a tunnel that goes down is left with the next packet, and it returns after the delay`() {
        var driven = started()
        driven.update(0, isUp: false)
        let next = driven.select()
        #expect(next == 1)
        driven.run(for: .seconds(10), [(1, Driven.good)])
        driven.update(0)
        driven.run(for: .seconds(5), [(1, Driven.good)])
        #expect(driven.steering.nextDeadline == nil)
        driven.run(for: .seconds(100), [(0, Driven.good), (1, Driven.good)])
        #expect(driven.moves == ["2000ms 0>1 failover", "77000ms 1>0 failback"])
        #expect(driven.verdicts.isEmpty)
    }

    @Test func `a degradation that ends in a failure is one failure`() {
        var driven = started()
        driven.run(for: .seconds(5), [(0, Driven.brownout), (1, Driven.good)])
        driven.update(0, isUp: false)
        driven.run(for: .seconds(5), [(1, Driven.good)])
        driven.run(for: .seconds(100), [(0, Driven.good), (1, Driven.good)])
        #expect(driven.moves == ["2200ms 0>1 slaViolated", "72000ms 1>0 failback"])
    }

    @Test func `a path that flaps is left once, and each further failure doubles the wait`() {
        var driven = started()
        for _ in 0..<5 {
            driven.update(0, isUp: false)
            driven.run(for: .seconds(2), [(1, Driven.good)])
            driven.update(0)
            driven.run(for: .seconds(2), [(0, Driven.good), (1, Driven.good)])
        }
        driven.run(for: .seconds(2_000), [(0, Driven.good), (1, Driven.good)])
        // Good again at 20 s, and 60 s doubled four times is cut to 900 s.
        #expect(driven.moves == ["2000ms 0>1 failover", "920000ms 1>0 failback"])
    }

    @Test(arguments: [(290, 2), (310, 1)])
    func `a failure counts double within 300 s of the return from the last one`(seconds: Int, factor: Int) throws {
        var driven = started()
        driven.update(0, isUp: false)
        driven.run(for: .seconds(1), [(1, Driven.good)])
        driven.run(for: .seconds(60 + Int64(seconds)), [(0, Driven.good), (1, Driven.good)])
        driven.update(0, isUp: false)
        driven.run(for: .seconds(1), [(1, Driven.good)])
        let start = driven.now
        driven.run(for: .seconds(200), [(0, Driven.good), (1, Driven.good)])
        #expect(driven.moves.count == 4)
        let last = try #require(driven.records.last)
        #expect(last.at == start + .seconds(60 * Int64(factor)))
    }

    @Test func `a path in use that stays above 50 is kept although another is better`() {
        var driven = started()
        let poor = PathSample(latency: .milliseconds(149), jitter: .milliseconds(29), lossSent: Ratio(0.0099))
        driven.run(for: .seconds(100), [(0, poor), (1, Driven.good)])
        #expect(driven.records.isEmpty)
    }

    @Test func `while no path is good the best one is used, and small differences move nothing`() {
        var driven = started()
        driven.run(for: .seconds(2), [(0, Driven.brownout), (1, Driven.good)])
        let bad = PathSample(latency: .milliseconds(240))
        driven.run(for: .seconds(2), [(0, Driven.brownout), (1, bad)])
        #expect(driven.moves == ["2200ms 0>1 slaViolated"])
        let better = PathSample(latency: .milliseconds(180))
        driven.run(for: .seconds(2), [(0, better), (1, bad)])
        #expect(driven.moves.dropFirst() == ["6000ms 1>0 slaViolated"])
        let near = PathSample(latency: .milliseconds(160))
        driven.run(for: .seconds(2), [(0, better), (1, near)])
        #expect(driven.moves.count == 2)
    }

    @Test func `the only tunnel that is up is used, whatever is thought of it`() {
        var driven = started()
        driven.run(for: .seconds(2), [(0, Driven.brownout), (1, Driven.good)])
        driven.update(1, isUp: false)
        let last = driven.select()
        #expect(last == 0)
        driven.update(0, isUp: false)
        let none = driven.select()
        #expect(none == nil)
        driven.update(1)
        let back = driven.select()
        #expect(back == 1)
        #expect(driven.moves.suffix(2) == ["4000ms 1>0 failover", "4000ms 0>- failover"])
        #expect(
            driven.records.last?.record == .pathChange(Driven.call.key, from: nil, to: TunnelID(1), .sessionUp))
    }

    @Test func `a class that is violated on a path leaves the others' flows there`() {
        var driven = started()
        let web = Driven.packet(port: 443)
        let before = driven.select(web)
        let slow = PathSample(latency: .milliseconds(250))
        driven.run(for: .seconds(5), [(0, slow), (1, slow)])
        driven.run(for: .seconds(5), [(0, slow), (1, Driven.good)])
        let after = driven.select(web)
        #expect(before == after)
        #expect(driven.moves.count == 1)
        #expect(driven.steering.isUsable(TunnelID(0), for: .builtIn))
        #expect(!driven.steering.isUsable(TunnelID(0), for: Driven.voice))
        #expect(driven.steering.score(of: TunnelID(0), for: Driven.voice) == PathScore(17))
    }
}

import Basics
import Scenario
import Simulator
import Telemetry
import TestKit
import Testing
import Traffic

/// Each impairment alone, measured end to end against what was configured.
@Suite struct CalibrationTests {
    @Test(arguments: [1, 20, 180] as [Int64])
    func `delay is exact`(milliseconds: Int64) throws {
        let link = Worlds.settings { $0.delay = .milliseconds(milliseconds) }
        let record = Worlds.record(
            Worlds.pair(link, duration: .seconds(5), traffic: [Worlds.constantRate(.megabits(1), start: .seconds(1))]))
        let windows = try #require(record.report()).windows.filter {
            $0.start >= .zero + .seconds(3) && $0.received > 0
        }
        // By then the neighbour's address is known, and nothing else takes time: exact to the nanosecond.
        #expect(windows.count > 15)
        #expect(windows.allSatisfy { $0.latencyMean == .milliseconds(milliseconds) })
        #expect(windows.allSatisfy { $0.latencyMaximum == .milliseconds(milliseconds) })
    }

    @Test(arguments: [0.001, 0.01, 0.08, 0.5])
    func `loss lies within the binomial 99 % interval`(ratio: Double) throws {
        let link = Worlds.settings { $0.loss = .independent(Ratio(ratio)) }
        let reverse = LinkSettings()
        let record = Worlds.record(
            Worlds.pair(
                link, reverse: reverse, duration: .seconds(41),
                traffic: [Worlds.constantRate(.megabits(2), packetSize: 100, start: .seconds(1))]))
        let report = try #require(record.report())
        let sent = Double(try #require(report.sent).packets)
        let lost = Double(try #require(report.received).lost)
        let deviation = (sent * ratio * (1 - ratio)).squareRoot()
        #expect(abs(lost - sent * ratio) <= 2.576 * deviation + 1, "\(lost) of \(sent) at \(ratio)")
    }

    @Test(arguments: [1, 10, 100] as [UInt64])
    func `a saturated link passes its rate within one percent`(megabits: UInt64) throws {
        let link = Worlds.settings {
            $0.rate = .megabits(megabits)
            $0.queue = .packets(50)
        }
        let record = Worlds.record(
            Worlds.pair(
                link, duration: .seconds(11),
                traffic: [
                    Worlds.constantRate(.megabits(megabits * 2), packetSize: 1_486, start: .seconds(1))
                ]))
        let report = try #require(record.report()?.received)
        // What the link carries: 1486 octets of IP packet behind 14 of Ethernet, of which 1458 are payload.
        let bits = Double(report.packets) * 1_500 * 8
        let expected = Double(megabits) * 1e6 * 10
        #expect(abs(bits - expected) <= expected * 0.01, "\(bits) bits instead of \(expected)")
    }

    @Test func `a trace passes exactly the bytes that it allows`() throws {
        // Three opportunities in every 10 ms, of 1500 bytes each.
        let link = Worlds.settings {
            $0.trace = DeliveryTrace(file: "three-in-ten", opportunities: [2, 5, 10])
            $0.queue = .packets(20)
        }
        let record = Worlds.record(
            Worlds.pair(
                link, reverse: LinkSettings(), duration: .seconds(11),
                traffic: [Worlds.constantRate(.megabits(20), packetSize: 1_486, start: .seconds(1))]))
        let account = try #require(record.links.first { $0.direction == .forward })
        // From the first datagram at 1 s to 11 s there are 1000 periods; the last may still be on its way.
        let arp = UInt64(1)
        #expect((2_998...3_001).contains(account.delivered - arp))
    }

    @Test func `jitter has the deviation that was configured and reorders nothing`() throws {
        let link = Worlds.settings {
            $0.delay = .milliseconds(50)
            $0.jitter = .milliseconds(3)
        }
        let record = Worlds.record(
            Worlds.pair(
                link, duration: .seconds(61),
                traffic: [
                    TrafficEntry(
                        name: "load",
                        application: .constantRate(rate: BitRate(bitsPerSecond: 80_000), packetSize: ByteCount(200)),
                        from: 0, to: 1, start: .seconds(1))
                ]))
        let report = try #require(record.report()?.received)
        #expect(report.reordered == 0)
        let mean = try #require(report.latency.mean).inMilliseconds
        #expect(abs(mean - 50) < 0.5)
        let p95 = try #require(report.latency.percentile(Ratio(0.95))).inMilliseconds
        #expect(abs(p95 - (50 + 1.645 * 3)) < 0.6)
    }

    @Test func `duplicates and corruption come at their ratio and reach nobody`() throws {
        let link = Worlds.settings {
            $0.duplicate = Ratio(0.1)
            $0.corrupt = Ratio(0.05)
        }
        let record = Worlds.record(
            Worlds.pair(
                link, reverse: LinkSettings(), duration: .seconds(21),
                traffic: [Worlds.constantRate(.megabits(4), packetSize: 250, start: .seconds(1))]))
        let report = try #require(record.report())
        let sent = Double(try #require(report.sent).packets)
        let received = try #require(report.received)
        let account = try #require(record.links.first { $0.direction == .forward })
        #expect(abs(Double(account.duplicated) - sent * 0.1) < 2.576 * (sent * 0.09).squareRoot() + 1)
        // A copy stands in for a damaged original, so the loss is that of damage without a copy.
        #expect(abs(Double(received.lost) - sent * 0.05 * 0.9) < 2.576 * (sent * 0.05).squareRoot() + 60)
        #expect(received.duplicates > 0)
        #expect(record.violations.isEmpty)
    }
}

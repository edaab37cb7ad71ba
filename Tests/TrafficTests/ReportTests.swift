import Basics
import TestKit
import Testing
import Traffic

@Suite struct ReportTests {
    /// 100 packets a second for 10 s, of which those of `lost` never come; measured at `end`.
    private func report(lost: Range<UInt32>, latency: Interval, end: Instant, stop: Instant) throws -> FlowReport {
        var sender = SendMeter(duration: .seconds(10))
        var meter = FlowMeter(
            FlowMeter.Settings(start: .zero, stop: stop, evenGap: .milliseconds(10)))
        for number in 0..<1_000 as Range<UInt32> {
            let sentAt = Instant.milliseconds(Int64(number) * 10)
            guard sentAt < stop, sentAt <= end else { break }
            sender.send(byteCount: 50, at: sentAt)
            guard !lost.contains(number), sentAt + latency <= end else { continue }
            meter.receive(number, sentAt: sentAt, byteCount: 50, at: sentAt + latency)
        }
        let halves = [
            FlowReport(
                flow: 4, direction: .forward, application: "cbr", received: meter.report(at: end, overStreams: false)),
            FlowReport(flow: 4, direction: .forward, application: "cbr", sent: sender.report()),
        ]
        let merged = FlowReport.merged(halves)
        return try #require(merged.first)
    }

    @Test func `packets still on their way at the end are not lost`() throws {
        for latency in [1, 35, 50, 121, 480] as [Int64] {
            let report = try report(
                lost: 0..<0, latency: .milliseconds(latency), end: .milliseconds(7_777), stop: .milliseconds(10_000))
            #expect(report.lossRatio == .zero)
            #expect(report.received?.lost == 0)
            #expect(report.gaps.isEmpty)
        }
    }

    @Test func `what was lost behind the last arrival is lost, and the open gap says how much`() throws {
        let report = try report(
            lost: 600..<1_000, latency: .milliseconds(30), end: .milliseconds(12_000), stop: .milliseconds(10_000))
        let lost = try #require(report.received?.lost)
        #expect(lost == 399 || lost == 400)
        let gap = try #require(report.gaps.last)
        #expect(gap.isOpen)
        #expect(gap.packetsLost == lost)
        #expect(gap.length == .milliseconds(10_000 - 5_990 - 30))
    }

    @Test func `a sender that stops before its time leaves no gap`() throws {
        var sender = SendMeter()
        var meter = FlowMeter(FlowMeter.Settings(start: .zero, stop: .milliseconds(9_000), evenGap: .milliseconds(10)))
        for number in 0..<100 as Range<UInt32> {
            let sentAt = Instant.milliseconds(Int64(number) * 10)
            sender.send(byteCount: 50, at: sentAt)
            meter.receive(number, sentAt: sentAt, byteCount: 50, at: sentAt + .milliseconds(25))
        }
        let received = meter.report(at: .milliseconds(9_000), overStreams: false)
        #expect(received.gaps.count == 1)
        let halves = [
            FlowReport(flow: 1, direction: .forward, application: "cbr", sent: sender.report()),
            FlowReport(flow: 1, direction: .forward, application: "cbr", received: received),
        ]
        #expect(FlowReport.merged(halves).first?.gaps.isEmpty == true)
    }

    @Test func `windows say what was sent, also where nothing came`() throws {
        let report = try report(
            lost: 100..<200, latency: .milliseconds(30), end: .milliseconds(12_000), stop: .milliseconds(10_000))
        #expect(report.windows.count == 101)
        #expect(report.windows.prefix(100).allSatisfy { $0.sent == 10 })
        #expect(report.windows[15].received == 0)
        #expect(report.windows.reduce(0) { $0 + $1.received } == 900)
        #expect(report.lossRatio == Ratio(0.1))
        #expect(report.goodput == Double(900 * 50 * 8) / 10)
    }

    @Test func `halves are joined in order of flow and direction`() {
        var halves: [FlowReport] = []
        for flow in [3, 1, 2] as [UInt32] {
            for direction in [FlowDirection.backward, .forward] {
                halves.append(FlowReport(flow: flow, direction: direction, application: "voip"))
                halves.append(
                    FlowReport(flow: flow, direction: direction, application: "voip", received: ReceivedReport()))
            }
        }
        let merged = FlowReport.merged(halves)
        #expect(merged.map(\.flow) == [1, 1, 2, 2, 3, 3])
        #expect(merged.map(\.direction) == [.forward, .backward, .forward, .backward, .forward, .backward])
        #expect(merged.allSatisfy { $0.received != nil })
    }
}

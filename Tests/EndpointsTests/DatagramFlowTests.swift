import Basics
import Endpoints
import Machine
import TestKit
import Testing
import Traffic
import Wire

@Suite struct DatagramFlowTests {
    @Test func `a constant rate over an even pipe is reported as it was configured`() throws {
        let flow = bothEnds(
            1, .constantRate(ConstantRate(rate: .megabits(2), packetByteCount: 500)), from: .milliseconds(1_000),
            until: .seconds(11))
        var network = Network([flow.left], [flow.right])
        #expect(network.leftDeadline == .milliseconds(1_000))
        network.run(until: .seconds(12))
        let reports = network.reports()
        #expect(reports.count == 1)
        let report = try #require(reports.first)
        #expect(report.flow == 1 && report.direction == .forward && report.application == "cbr")
        #expect(report.sent?.packets == 5_000)
        #expect(report.sent?.bytes == 5_000 * 472)
        #expect(report.sent?.firstAt == .milliseconds(1_000))
        #expect(report.sent?.lastAt == .milliseconds(10_998))
        #expect(report.received?.packets == 5_000)
        #expect(report.latency.minimum == .milliseconds(30))
        #expect(report.latency.percentile(Ratio(0.99)) == .milliseconds(30))
        #expect(report.jitter == .zero)
        #expect(report.lossRatio == .zero)
        #expect(report.gaps.isEmpty)
        #expect(report.goodput == 472 * 8 * 500)
        #expect(report.windows.prefix(100).allSatisfy { $0.sent == 50 })
        #expect(network.leftDeadline == nil)
    }

    @Test func `loss, repetition, spread and an outage are reported as they happened`() throws {
        var pipe = Pipe(spread: .milliseconds(25), loss: Ratio(0.05), duplication: Ratio(0.02))
        pipe.outage = .milliseconds(4_000)..<(.milliseconds(4_500))
        let flow = bothEnds(
            1, .constantRate(ConstantRate(rate: .megabits(2), packetByteCount: 500)), until: .seconds(10))
        var network = Network([flow.left], [flow.right], pipe: pipe)
        network.run(until: .seconds(11))
        let report = try #require(network.reports().first)
        let received = try #require(report.received)
        #expect(Int(received.lost) == network.lost[0])
        #expect(Int(received.packets) == network.offered[0] - network.lost[0])
        #expect(received.duplicates > 50)
        #expect(received.reordered > 1_000)
        let longest = try #require(received.longestGap)
        #expect(longest.length > .milliseconds(470) && longest.length < .milliseconds(540))
        #expect(longest.packetsLost >= 240 && longest.packetsLost <= 260)
        let median = try #require(report.latency.percentile(Ratio(0.5)))
        #expect(abs(median.inMilliseconds - 42.5) < 1)
        // The mean difference of two even draws from 25 ms is a third of that.
        #expect(abs(report.jitter.inMilliseconds - 8.3) < 3)
    }

    @Test func `both directions of ten calls on one port are told apart and scored`() throws {
        var left: [FlowAssignment] = []
        var right: [FlowAssignment] = []
        for number in 1...10 as ClosedRange<UInt32> {
            let start = Instant.milliseconds(Int64(number) * 7)
            let flow = bothEnds(number, .voip(VoIP()), from: start, until: start + .seconds(20))
            left.append(flow.left)
            right.append(flow.right)
        }
        var network = Network(left, right)
        network.run(until: .seconds(21))
        let reports = network.reports()
        #expect(reports.count == 20)
        let clean = EModel.g711.meanOpinionScore(delay: .milliseconds(70), loss: .zero)
        for report in reports {
            #expect(report.sent?.packets == 1_000)
            #expect(report.received?.packets == 1_000)
            #expect(report.mos == [clean, clean, clean, clean])
        }
    }

    @Test func `a script is replayed in both directions, also what is too short for a stamp`() throws {
        var script = ReplayScript()
        for number in 0..<300 as Range<Int64> {
            script.append(
                at: .milliseconds(number * 3), number % 3 == 0 ? .backward : .forward,
                payloadByteCount: Int(number % 40), payload: [1, 2, 3])
        }
        let flow = bothEnds(5, .replay(script), until: .seconds(20))
        let call = bothEnds(6, .voip(VoIP()), until: .seconds(1))
        var network = Network([flow.left, call.left], [flow.right, call.right])
        network.run(until: .seconds(20))
        let reports = network.reports().filter { $0.flow == 5 }
        #expect(reports.map(\.direction) == [.forward, .backward])
        #expect(reports.map { $0.received?.packets } == [200, 100])
        #expect(reports.map(\.lossRatio) == [.zero, .zero])
        for report in reports {
            #expect(report.latency.minimum == .milliseconds(30))
            #expect(report.latency.maximum == .milliseconds(30))
            #expect(report.gaps.isEmpty)
            #expect(report.received?.bytes == report.sent?.bytes)
        }
    }

    @Test func `every deadline is met exactly, and calls in between change nothing`() {
        let profile = ApplicationProfile.constantRate(ConstantRate(rate: .megabits(7), packetByteCount: 100))
        let flow = bothEnds(1, profile, from: .milliseconds(1), until: .milliseconds(20))
        var host = EndHost(EndHostConfiguration(name: "a", flows: [flow.left]), seed: 1)
        var outbox = Outbox()
        host.handle(.start, at: .zero, into: &outbox)
        let first = outbox.actions
        #expect(first == [.bind(SocketID(0), local: flow.left.local, port: nil)])
        outbox.removeAll()
        var count: Int64 = 0
        while let deadline = host.nextDeadline {
            #expect(deadline.at.nanoseconds == UInt64(1_000_000 + count * 800_000 / 7))
            host.handle(.deadline, at: deadline.at - .nanoseconds(1), into: &outbox)
            let early = outbox.count
            #expect(early == 0)
            host.handle(.deadline, at: deadline.at, into: &outbox)
            let onTime = outbox.count
            #expect(onTime == 1)
            outbox.removeAll()
            count += 1
        }
        #expect(count == 167)
    }

    @Test func `work for more than 512 datagrams waits for a deadline at the same instant`() {
        var flows: [FlowAssignment] = []
        for number in 1...700 as ClosedRange<UInt32> {
            flows.append(bothEnds(number, .voip(VoIP()), until: .seconds(1)).left)
        }
        var host = EndHost(EndHostConfiguration(name: "a", flows: flows), seed: 1)
        var outbox = Outbox()
        host.handle(.command(.resetSession(peer: 1)), at: .zero, into: &outbox)
        let before = outbox.count
        #expect(before == 0)
        host.handle(.start, at: .zero, into: &outbox)
        let first = outbox.count
        #expect(first == 700 + 512)
        #expect(host.nextDeadline?.at == .zero)
        outbox.removeAll()
        host.handle(.deadline, at: .zero, into: &outbox)
        let second = outbox.count
        #expect(second == 188)
        #expect(host.nextDeadline?.at == .milliseconds(20))
    }

    @Test func `any datagram is counted or ignored, never a trap`() {
        var script = ReplayScript()
        script.append(at: .zero, .forward, payloadByteCount: 4)
        script.append(at: .zero, .backward, payloadByteCount: 40)
        let calls = bothEnds(1, .voip(VoIP()), until: .seconds(1))
        let replay = bothEnds(2, .replay(script), until: .seconds(1))
        let steady = bothEnds(
            3, .constantRate(ConstantRate(rate: .megabits(1), packetByteCount: 100)), until: .seconds(1))
        forEachSeed { random in
            var host = EndHost(
                EndHostConfiguration(name: "a", flows: [calls.right, replay.right, steady.right]), seed: 1)
            var outbox = Outbox()
            host.handle(.start, at: .zero, into: &outbox)
            var now = Instant.zero
            for _ in 0..<200 {
                now += .microseconds(Int64(random.below(5_000)))
                var bytes = (0..<random.below(60)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                if random.chance(Ratio(0.5)), bytes.count > 28 {
                    let offset = [0, 12, bytes.count - 16][Int(random.below(3))]
                    bytes.replaceSubrange(offset..<offset + 4, with: [0, 0, 0, UInt8(random.below(5))])
                }
                let socket = SocketID(UInt32(random.below(3)))
                let sender = random.chance(Ratio(0.5)) ? replay.right.remote : calls.right.remote
                host.handle(.datagram(bytes.span.bytes, socket: socket, from: sender), at: now, into: &outbox)
                outbox.removeAll()
            }
            let received = host.reports(at: now).compactMap(\.received)
            let counted = received.reduce(0) { $0 + $1.packets + $1.duplicates + $1.tooLate }
            let strays = host.strayDatagrams
            try #require(counted + strays == 200)
        }
    }

    @Test func `a datagram sent and received costs no allocation once warm`() {
        let flow = bothEnds(
            1, .constantRate(ConstantRate(rate: .megabits(100), packetByteCount: 1_500)), until: .seconds(30))
        let call = bothEnds(2, .voip(VoIP()), port: 5_001, until: .seconds(30))
        var source = EndHost(EndHostConfiguration(name: "a", flows: [flow.left, call.left]), seed: 1)
        var sink = EndHost(EndHostConfiguration(name: "b", flows: [flow.right, call.right]), seed: 1)
        var outbox = Outbox()
        var answer = Outbox()
        source.handle(.start, at: .zero, into: &outbox)
        sink.handle(.start, at: .zero, into: &answer)
        func run(until end: Instant) {
            while let deadline = source.nextDeadline, deadline.at < end {
                source.handle(.deadline, at: deadline.at, into: &outbox)
                for index in 0..<outbox.count {
                    let action = outbox[index]
                    guard case .send(let socket, _, let range) = action else { continue }
                    sink.handle(
                        .datagram(outbox.bytes(range), socket: socket, from: flow.left.local),
                        at: deadline.at + .milliseconds(20), into: &answer)
                    answer.removeAll()
                }
                outbox.removeAll()
            }
        }
        run(until: .seconds(1))
        #expect(allocations { run(until: .seconds(4)) } == 0)
        let received = sink.reports(at: .seconds(4)).compactMap { $0.received?.packets }
        #expect(received.reduce(0, +) > 33_000)
    }
}

import Basics
import TestKit
import Testing
import Traffic

@Suite struct DepartureTests {
    private struct Sent: Equatable {
        var at: Interval
        var payload: [UInt8]
    }

    private func depart(
        _ profile: ApplicationProfile, role: FlowRole = .source, flow: UInt32 = 7, overIPv4: Bool = true, count: Int
    ) throws -> [Sent] {
        var generator = try #require(DatagramGenerator(profile, role: role, flow: flow, overIPv4: overIPv4))
        var filler = PayloadFiller(random: SeededRandom(seed: 1))
        var sent: [Sent] = []
        while sent.count < count, let departure = generator.next {
            let stamp = MeasuringStamp(
                flow: flow, sequence: UInt32(sent.count), sentAt: .zero + departure.offset)
            let payload = octets { generator.take(stampedWith: stamp, filler: &filler, into: &$0) }
            try #require(payload.count == departure.payloadByteCount)
            sent.append(Sent(at: departure.offset, payload: payload))
        }
        return sent
    }

    @Test func `a constant rate sends equal packets at exact multiples of their time`() throws {
        let profile = ApplicationProfile.constantRate(ConstantRate(rate: .megabits(1), packetByteCount: 250))
        let sent = try depart(profile, count: 1_000)
        #expect(sent.map(\.at) == (0..<1_000).map { .milliseconds(2) * $0 })
        #expect(sent.allSatisfy { $0.payload.count == 222 })
        let overIPv6 = try depart(profile, overIPv4: false, count: 3)
        #expect(overIPv6.allSatisfy { $0.payload.count == 202 })
    }

    @Test func `a rate that no whole nanosecond fits does not drift`() throws {
        // 100 bytes at 7 Mbit/s take 114285 5/7 ns.
        let profile = ApplicationProfile.constantRate(ConstantRate(rate: .megabits(7), packetByteCount: 100))
        let sent = try depart(profile, count: 70_001)
        #expect(sent[7].at == .microseconds(800))
        #expect(sent[70_000].at == .seconds(8))
        #expect(sent[1].at == .nanoseconds(114_285))
        for (number, packet) in sent.enumerated() {
            try #require(packet.at.nanoseconds == Int64(number) * 800_000 / 7)
        }
    }

    @Test func `only the source of a constant rate sends`() {
        let profile = ApplicationProfile.constantRate(ConstantRate(rate: .megabits(1), packetByteCount: 250))
        #expect(DatagramGenerator(profile, role: .sink, flow: 1, overIPv4: true) == nil)
        #expect(profile.rhythm(.backward) == nil)
        #expect(profile.rhythm(.forward)?.evenGap == .milliseconds(2))
    }

    @Test func `a caller speaks fifty times a second in packets of RTP`() throws {
        let sent = try depart(.voip(VoIP()), flow: 7, count: 101)
        #expect(sent.map(\.at) == (0..<101).map { .milliseconds(20) * $0 })
        #expect(sent.allSatisfy { $0.payload.count == 172 })
        #expect(sent[0].payload.prefix(12) == [0x80, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 14])
        #expect(sent[100].payload.prefix(12) == [0x80, 0, 0, 100, 0, 0, 0x3E, 0x80, 0, 0, 0, 14])
        #expect(sent[100].payload[12..<20] == [0, 0, 0, 7, 0, 0, 0, 100])
        let stamp = stamp(of: sent[100].payload, .behindRTP)
        #expect(stamp == MeasuringStamp(flow: 7, sequence: 100, sentAt: .milliseconds(2_000)))
    }

    @Test func `both ends of a call speak, each with its own source identifier`() throws {
        let answer = try depart(.voip(VoIP()), role: .sink, flow: 7, count: 2)
        #expect(answer[1].at == .milliseconds(20))
        #expect(answer[1].payload[8..<12] == [0, 0, 0, 15])
    }

    @Test func `a script is replayed with its times, its sizes and its first octets`() throws {
        var script = ReplayScript()
        script.append(at: .milliseconds(3), .forward, payloadByteCount: 40, payload: [1, 2, 3, 4])
        script.append(at: .milliseconds(5), .backward, payloadByteCount: 1_200)
        script.append(at: .milliseconds(4), .forward, payloadByteCount: 12, payload: Array(1...12))
        script.append(at: .milliseconds(9), .forward, payloadByteCount: 3, payload: [7, 8, 9])
        script.append(at: .milliseconds(9), .forward, payloadByteCount: 0)
        let sent = try depart(.replay(script), count: 10)
        #expect(sent.map(\.at) == [.milliseconds(3), .milliseconds(5), .milliseconds(9), .milliseconds(9)])
        #expect(sent.map(\.payload.count) == [40, 12, 3, 0])
        #expect(sent[0].payload.prefix(4) == [1, 2, 3, 4])
        let whole = stamp(of: sent[0].payload, .trailing)
        #expect(whole == MeasuringStamp(flow: 7, sequence: 0, sentAt: .milliseconds(3)))
        #expect(sent[1].payload == [1, 2, 3, 4, 0, 0, 0, 7, 0, 0, 0, 1])
        let short = stamp(of: sent[1].payload, .trailing)
        #expect(short == MeasuringStamp(flow: 7, sequence: 1, sentAt: nil))
        #expect(sent[2].payload == [7, 8, 9])
        #expect(stamp(of: sent[2].payload, .trailing) == nil)
        let answer = try depart(.replay(script), role: .sink, count: 10)
        #expect(answer.map(\.at) == [.milliseconds(5)])
        #expect(script.rhythm(.forward)?.lastOffset == .milliseconds(9))
    }

    @Test func `a stamp is found in octets of any length or not at all`() {
        forEachSeed { random in
            for placement in StampPlacement.allCases {
                let count = Int(random.below(60))
                let payload = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                let stamp = stamp(of: payload, placement)
                let room = placement == .behindRTP ? count - 12 : count
                try #require((stamp != nil) == (room >= 8))
                try #require((stamp?.sentAt != nil) == (room >= 16))
            }
        }
    }

    @Test func `random content never repeats and text does`() {
        var filler = PayloadFiller(random: SeededRandom(seed: 3))
        var pages: [[UInt8]] = []
        for _ in 0..<16 { pages.append(octets { filler.append(4_096, of: .random, to: &$0) }) }
        #expect(Set(pages).count == 16)
        var stretches: Set<[UInt8]> = []
        for page in pages {
            for start in stride(from: 0, to: 4_096, by: 16) { stretches.insert(Array(page[start..<start + 16])) }
        }
        #expect(stretches.count == 16 * 256)
        let text = octets { filler.append(10_000, of: .text, to: &$0) }
        #expect(text.count == 10_000)
        #expect(text[0..<4_096] == text[4_096..<8_192])
        #expect(text.allSatisfy { $0 == 32 || $0 == 46 || (97...122).contains($0) })
    }
}

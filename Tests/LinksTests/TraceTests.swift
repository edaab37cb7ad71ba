import Basics
import Foundation
import Links
import TestKit
import Testing

/// The traces that come with the project's data, beside the package.
private let recordings = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
    .appending(path: "../shared/data/traces/mahimahi").standardizedFileURL

private func exists(_ name: String) -> Bool {
    FileManager.default.fileExists(atPath: recordings.appending(path: name).path(percentEncoded: false))
}

@Suite struct TraceTests {
    @Test func `a trace knows its period, its opportunities and its mean rate`() throws {
        let trace = try Trace(parsing: "0\n2\n2\n5\r\n10")
        #expect(trace.opportunityCount == 5)
        #expect(trace.period == .milliseconds(10))
        #expect(trace.meanRate == .megabits(6))
        #expect(try Trace(parsing: "1\n").meanRate == .megabits(12))
    }

    @Test(arguments: [
        ("", TraceError.Fault.empty, 1), ("\n", .empty, 1), ("1\n\n2\n", .empty, 2), ("1\n2\n\n", .empty, 3),
        ("5\n4\n", .decreasing, 2), ("0\n0\n", .withoutDuration, 2), ("1\nx\n", .notANumber, 2),
        ("-1\n", .notANumber, 1), ("1 \n", .notANumber, 1), ("1.5\n", .notANumber, 1), ("\r\n", .empty, 1),
        ("1\n99999999999999999999999\n", .tooLarge, 2), ("4294967296", .tooLarge, 1),
    ])
    func `a faulty trace is refused with its line`(text: String, fault: TraceError.Fault, line: Int) {
        let error = #expect(throws: TraceError.self) { try Trace(parsing: text) }
        #expect(error?.fault == fault)
        #expect(error?.line == line)
        #expect(error?.description.hasPrefix("line \(line): ") == true)
    }

    @Test func `whatever the octets, a trace is read or refused`() {
        forEachSeed(300) { random in
            var octets = Array("0\n3\n3\n17\n250\n1000\n".utf8)
            for _ in 0..<random.below(6) {
                let place = Int(random.below(UInt64(octets.count)))
                switch random.below(3) {
                case 0: octets[place] = UInt8(random.below(256))
                case 1: octets.insert(Array("0123456789\n\r".utf8)[Int(random.below(12))], at: place)
                default: octets.removeSubrange(place..<min(octets.count, place + Int(random.below(4))))
                }
                if octets.isEmpty { octets = [UInt8(random.below(256))] }
            }
            do {
                let trace = try Trace(parsing: octets)
                try #require(trace.period > .zero && trace.opportunityCount > 0)
                var link = Link(LinkProfile(trace: trace), random: random.fork())
                let happenings = link.run(count: 5, byteCount: 1_500, every: .milliseconds(7))
                try #require(happenings.count == 5)
            } catch let error as TraceError {
                try #require(error.line >= 1 && error.line <= octets.count + 1)
            }
        }
    }

    @Test func `a saturated link delivers exactly what the trace allows, period after period`() throws {
        let trace = try Trace(parsing: "1\n1\n4\n9\n")
        var link = Link(LinkProfile(queue: .packets(.max), trace: trace), random: testRandom())
        let happenings = link.run(count: 40, byteCount: 1_500, every: .zero)
        let expected = (0..<10 as Range<UInt64>).flatMap { cycle in
            [1, 1, 4, 9].map { Instant.milliseconds(cycle * 9 + $0) }
        }
        #expect(happenings.map(\.at) == expected)
    }

    @Test func `small packets share an opportunity, large ones take several, and an idle one is lost`() throws {
        let trace = try Trace(parsing: "1\n2\n3\n4\n10\n")
        var link = Link(LinkProfile(queue: .packets(.max), trace: trace), random: testRandom())
        var happenings: [Happening] = []
        func offer(_ token: UInt32, _ byteCount: UInt32, at now: Instant) {
            happenings += link.drain(until: now)
            _ = link.offer(QueuedPacket(token: token, byteCount: byteCount), at: now)
        }
        offer(0, 500, at: .zero)
        offer(1, 500, at: .zero)
        offer(2, 2_000, at: .zero)
        offer(3, 1_000, at: .zero)
        // The opportunity of 1 ms has been given away at 1 ms, as mm-link does.
        offer(4, 1_000, at: .milliseconds(3))
        offer(5, 500, at: .milliseconds(4))
        offer(6, 1_500, at: .milliseconds(25))
        happenings += link.drain()
        #expect(happenings.map(\.deliveredToken) == [0, 1, 2, 3, 4, 5, 6])
        #expect(happenings.map { $0.at.nanoseconds / 1_000_000 } == [1, 1, 2, 3, 4, 10, 30])
    }

    @Test func `a traced link is mm-link's queue`() {
        forEachSeed(60) { random in
            var lines: [UInt64] = []
            var last: UInt64 = random.below(3)
            for _ in 0..<(1 + random.below(30)) {
                lines.append(last)
                last += random.chance(Ratio(0.4)) ? 0 : random.below(random.chance(Ratio(0.1)) ? 400 : 6)
            }
            if lines.last == 0 { lines.append(1) }
            let trace = try Trace(parsing: lines.map { "\($0)\n" }.joined())
            var model = ReferenceTraceQueue(lines)
            var link = Link(LinkProfile(queue: .packets(.max), trace: trace), random: random.fork())
            var now = Instant.zero
            var happenings: [Happening] = []
            for token in 0..<300 as Range<UInt32> {
                now += Interval(nanoseconds: Int64(random.below(random.chance(Ratio(0.05)) ? 900_000_000 : 3_000_000)))
                if random.chance(Ratio(0.3)) {
                    now = .milliseconds(now.nanoseconds / 1_000_000 + 1)
                }
                let size = UInt32(1 + random.below(3_000))
                happenings += link.drain(until: now)
                _ = link.offer(QueuedPacket(token: token, byteCount: size), at: now)
                model.offer(token, byteCount: size, at: now)
            }
            happenings += link.drain()
            model.finish()
            try #require(happenings.map(\.deliveredToken) == model.departures.map(\.token))
            try #require(happenings.map(\.at) == model.departures.map(\.at))
        }
    }

    @Test(
        .enabled(if: exists("Verizon-LTE-short.down"), "the recorded traces are not beside the package"),
        arguments: ["Verizon-LTE-short.down", "ATT-LTE-driving-2016.up", "TMobile-LTE-short.up"])
    func `a recorded trace, looped, delivers to the byte`(name: String) throws {
        let octets = [UInt8](try Data(contentsOf: recordings.appending(path: name)))
        let lines = String(decoding: octets, as: UTF8.self).split(separator: "\n").compactMap { UInt64($0) }
        let trace = try Trace(parsing: octets)
        #expect(trace.opportunityCount == lines.count)
        #expect(trace.period == .milliseconds(Int64(lines.last ?? 0)))
        let profile = LinkProfile(delay: .milliseconds(20), queue: .bytes(200_000), trace: trace)
        var link = Link(profile, random: testRandom())
        // Offered in bursts faster than the trace, so that the queue is never empty.
        var token: UInt32 = 0
        var delivered: [UInt64] = []
        func tally(_ happenings: [Happening]) {
            for happening in happenings where happening.deliveredToken != nil {
                delivered.append((happening.at - .milliseconds(20)).nanoseconds.magnitude / 1_000_000)
            }
        }
        let period = trace.period.nanoseconds.magnitude
        let moments = [0] + lines.map { $0 * 1_000_000 } + lines.map { $0 * 1_000_000 + period }
        for moment in moments {
            tally(link.drain(until: .nanoseconds(moment)))
            while link.offer(QueuedPacket(token: token, byteCount: 1_500), at: .nanoseconds(moment)) == .accepted {
                token += 1
            }
        }
        tally(link.drain())
        // What stands at millisecond 0 has passed before anything could be offered, the first time.
        let expected = lines.filter { $0 > 0 } + lines.map { $0 + period / 1_000_000 }
        #expect(delivered.prefix(expected.count).elementsEqual(expected))
    }
}

/// Mahimahi's `LinkQueue`, line by line, with 1500 bytes to an opportunity.
private struct ReferenceTraceQueue {
    let lines: [UInt64]
    var base: UInt64 = 0
    var next = 0
    var queue: [(token: UInt32, left: Int)] = []
    var inTransit: (token: UInt32, left: Int)?
    var departures: [(token: UInt32, at: Instant)] = []

    init(_ lines: [UInt64]) { self.lines = lines }

    mutating func offer(_ token: UInt32, byteCount: UInt32, at now: Instant) {
        advance(to: now)
        queue.append((token, Int(byteCount)))
    }

    mutating func finish() {
        while !queue.isEmpty || inTransit != nil { advance(to: .milliseconds(base + lines[next])) }
    }

    private mutating func advance(to now: Instant) {
        while Instant.milliseconds(base + lines[next]) <= now {
            let moment = Instant.milliseconds(base + lines[next])
            next += 1
            if next == lines.count {
                next = 0
                base += lines[lines.count - 1]
            }
            var allowance = 1_500
            while allowance > 0 {
                if inTransit == nil, !queue.isEmpty { inTransit = queue.removeFirst() }
                guard let packet = inTransit else { break }
                let left = packet.left - allowance
                allowance = max(0, -left)
                inTransit = left <= 0 ? nil : (packet.token, left)
                if left <= 0 { departures.append((packet.token, moment)) }
            }
        }
    }
}

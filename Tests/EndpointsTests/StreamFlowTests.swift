import Basics
import Endpoints
import Machine
import TestKit
import Testing
import Traffic
import Wire

@Suite struct StreamFlowTests {
    @Test func `a file arrives whole, in the time that the pipe needs`() throws {
        let file = ApplicationProfile.fileTransfer(FileTransfer(byteCount: 5_000_000))
        let flow = bothEnds(1, file, from: .seconds(1), until: .seconds(60))
        var network = Network([flow.left], [flow.right], pipe: Pipe(room: 256 * 1024, rate: .megabits(20)))
        network.run(until: .seconds(60))
        let report = try #require(network.reports().first)
        #expect(network.reports().count == 1)
        #expect(report.sent?.bytes == 5_000_000)
        #expect(report.received?.bytes == 5_000_000)
        // 2 s of sending, 60 ms to connect and 30 ms on the way; the first round trip has only 64 KiB of room.
        let duration = try #require(report.completionTimes.first)
        #expect(report.completionTimes.count == 1)
        #expect(duration > .milliseconds(2_090) && duration < .milliseconds(2_160))
        #expect(abs(report.goodput - 5_000_000 * 8 / duration.inSeconds) < 1)
        #expect(report.gaps.isEmpty)
        let overruns = network.overruns
        #expect(overruns == 0)
        #expect(network.leftDeadline == nil)
    }

    @Test(arguments: [4_096, 16_384, 65_536])
    func `no more is written than there is room for, and the room is kept full`(room: Int) throws {
        let flow = bothEnds(1, .fileTransfer(FileTransfer(byteCount: nil)), until: .seconds(10))
        var network = Network([flow.left], [flow.right], pipe: Pipe(room: room, rate: .gigabits(1)))
        network.run(until: .seconds(12))
        let overruns = network.overruns
        #expect(overruns == 0)
        let report = try #require(network.reports().first)
        // One room in each round trip of 60 ms, after 60 ms to connect.
        let wanted = Double(room) / 0.06 * 9.94
        let bytes = Double(report.received?.bytes ?? 0)
        #expect(abs(bytes - wanted) < 0.02 * wanted + 65_536)
        #expect(report.completionTimes.isEmpty)
        #expect(report.sent?.bytes == report.received?.bytes)
    }

    @Test func `a stall of the pipe is a gap in the file's delivery`() throws {
        var pipe = Pipe(room: 256 * 1024, rate: .megabits(20))
        pipe.outage = .milliseconds(2_000)..<(.milliseconds(2_700))
        let flow = bothEnds(1, .fileTransfer(FileTransfer(byteCount: 8_000_000)), until: .seconds(60))
        var network = Network([flow.left], [flow.right], pipe: pipe)
        network.run(until: .seconds(20))
        let report = try #require(network.reports().first)
        #expect(report.gaps.count == 1)
        let gap = try #require(report.gaps.first)
        #expect(abs(gap.length.inMilliseconds - 700) < 2)
        #expect(!gap.isOpen)
    }

    @Test func `a file whose stream breaks is sent again, and its time runs from the first attempt`() throws {
        let flow = bothEnds(1, .fileTransfer(FileTransfer(byteCount: 4_000_000)), until: .seconds(60))
        var network = Network([flow.left], [flow.right], pipe: Pipe(room: 256 * 1024, rate: .megabits(20)))
        network.run(until: .seconds(1))
        network.resetStreams()
        network.run(until: .seconds(20))
        let report = try #require(network.reports().first)
        let duration = try #require(report.completionTimes.first)
        #expect(duration > .milliseconds(3_690) && duration < .milliseconds(3_760))
        #expect(report.gaps.contains { $0.length > .milliseconds(1_000) })
        let connectCount = network.connectCount
        #expect(connectCount == 2)
    }

    @Test func `a source tries again each second until its stop while nobody answers`() {
        let flow = bothEnds(1, .fileTransfer(FileTransfer(byteCount: 4_000)), until: .milliseconds(10_500))
        var network = Network([flow.left], [])
        network.run(until: .seconds(30))
        let connectCount = network.connectCount
        #expect(connectCount == 10)
        #expect(network.leftDeadline == nil)
    }

    @Test func `pages are read one after the other`() throws {
        var left: [FlowAssignment] = []
        var right: [FlowAssignment] = []
        for number in 1...5 as ClosedRange<UInt32> {
            let flow = bothEnds(number, .web(Web()), port: 80, until: .seconds(60))
            left.append(flow.left)
            right.append(flow.right)
        }
        var network = Network(left, right)
        network.run(until: .seconds(61))
        let reports = network.reports()
        #expect(reports.count == 10)
        for report in reports {
            let sent = try #require(report.sent?.bytes)
            let received = try #require(report.received?.bytes)
            #expect(received <= sent && received > 0)
            if report.direction == .forward {
                #expect(sent % 400 == 0)
                #expect(report.completionTimes.isEmpty)
            } else {
                #expect(report.completionTimes.count > 5)
                // Connecting, asking and answering take two round trips at least.
                #expect(report.completionTimes.allSatisfy { $0 >= .milliseconds(120) })
            }
        }
        let overruns = network.overruns
        #expect(overruns == 0)
    }

    @Test func `a page that loses its streams is completed later`() throws {
        let flow = bothEnds(1, .web(Web()), port: 80, until: .seconds(60))
        var network = Network([flow.left], [flow.right])
        network.run(until: .milliseconds(100))
        network.resetStreams()
        network.run(until: .seconds(30))
        let pages = network.reports().flatMap(\.completionTimes)
        let first = try #require(pages.first)
        #expect(first > .milliseconds(1_200))
    }

    @Test func `shutting down ends every stream and every timer`() throws {
        let file = bothEnds(1, .fileTransfer(FileTransfer(byteCount: nil)), until: .seconds(60))
        let web = bothEnds(2, .web(Web()), port: 80, until: .seconds(60))
        let call = bothEnds(3, .voip(VoIP()), until: .seconds(60))
        var network = Network([file.left, web.left, call.left], [file.right, web.right, call.right])
        network.run(until: .seconds(2))
        network.send(.shutDown)
        #expect(network.leftDeadline == nil)
        let before = network.reports().compactMap { $0.sent?.bytes }
        network.run(until: .seconds(10))
        let after = network.reports().compactMap { $0.sent?.bytes }
        #expect(before == after)
    }

    @Test func `two runs of the same seed do the same, another seed does not`() {
        func run(seed: UInt64) -> (Fingerprint, [FlowReport]) {
            let file = bothEnds(1, .fileTransfer(FileTransfer(byteCount: 500_000)), until: .seconds(20))
            let web = bothEnds(2, .web(Web()), port: 80, until: .seconds(20))
            let call = bothEnds(3, .voip(VoIP()), until: .seconds(20))
            var network = Network(
                [file.left, web.left, call.left], [file.right, web.right, call.right],
                pipe: Pipe(spread: .milliseconds(5), loss: Ratio(0.01)), seed: seed)
            network.run(until: .seconds(20))
            return (network.fingerprint, network.reports())
        }
        let first = run(seed: 1)
        let second = run(seed: 1)
        #expect(first.0 == second.0)
        #expect(first.1 == second.1)
        #expect(run(seed: 2).0 != first.0)
    }

    @Test func `any octets and any order of events leave a host standing`() {
        let files = bothEnds(1, .fileTransfer(FileTransfer(byteCount: 100_000)), until: .seconds(5))
        let pages = bothEnds(2, .web(Web()), port: 80, until: .seconds(5))
        forEachSeed(200) { random in
            var host = EndHost(
                EndHostConfiguration(
                    name: "a", flows: [files.left, files.right, pages.left, pages.right]), seed: random.next())
            var outbox = Outbox()
            host.handle(.start, at: .zero, into: &outbox)
            var now = Instant.zero
            for _ in 0..<300 {
                outbox.removeAll()
                now += .microseconds(Int64(random.below(40_000)))
                let isIncoming = random.chance(Ratio(0.5))
                let id = StreamID(UInt32(random.below(8)) | (isIncoming ? 0x8000_0000 : 0))
                switch random.below(8) {
                case 0, 1:
                    let (local, remote) = (files.right.local, files.left.local)
                    host.handle(.streamOpened(id, local: local, remote: remote), at: now, into: &outbox)
                case 2, 3, 4:
                    let bytes = drawOctets(&random)
                    host.handle(.streamBytes(id, bytes.span.bytes), at: now, into: &outbox)
                case 5:
                    let room = Int(truncatingIfNeeded: Int64(bitPattern: random.next()) >> random.below(64))
                    host.handle(.streamWritable(id, byteCount: room), at: now, into: &outbox)
                case 6:
                    let closures: [StreamClosure] = [.finished, .reset, .refused, .timedOut, .unreachable]
                    let closure = closures[Int(random.below(5))]
                    host.handle(.streamClosed(id, closure), at: now, into: &outbox)
                default:
                    host.handle(.deadline, at: now, into: &outbox)
                }
                let written = outbox.arena.count
                try #require(written <= 8 << 20)
            }
            try #require(host.reports(at: now).count == 6)
        }
    }

    private func drawOctets(_ random: inout SeededRandom) -> [UInt8] {
        var arena = ByteArena(capacity: 512)
        switch random.below(5) {
        case 0:
            for _ in 0..<random.below(100) { arena.append(UInt8(truncatingIfNeeded: random.next())) }
        case 1:
            let preamble = FilePreamble(
                flow: UInt32(random.below(4)), startedAt: Instant(nanoseconds: random.next() >> random.below(64)),
                byteCount: random.next() >> random.below(64))
            preamble.append(to: &arena)
        case 2:
            _ = Exchange.appendRequest(
                flow: UInt32(random.below(4)), responseByteCount: random.next() >> (20 + random.below(40)),
                byteCount: Int(random.below(300)), to: &arena)
        case 3:
            _ = Exchange.appendResponseHead(bodyByteCount: random.below(5_000), to: &arena)
        default:
            for _ in 0..<random.below(3_000) { arena.append(0x20 as UInt8) }
        }
        let count = Int(random.below(UInt64(arena.count) + 1))
        let bytes = arena.bytes(ByteRange(start: 0, count: random.chance(Ratio(0.7)) ? arena.count : count))
        return (0..<bytes.byteCount).map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    }
}

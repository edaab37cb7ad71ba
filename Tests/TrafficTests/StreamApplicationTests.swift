import Basics
import TestKit
import Testing
import Traffic

@Suite struct StreamApplicationTests {
    @Test func `a request has the length that was asked for and names its flow and size`() {
        let request = octets {
            _ = Exchange.appendRequest(flow: 17, responseByteCount: 12_345, byteCount: 400, to: &$0)
        }
        #expect(request.count == 400)
        #expect(String(decoding: request.prefix(40), as: UTF8.self) == "GET /17/12345 HTTP/1.1\r\nHost: www.exampl")
        #expect(request.suffix(4) == [13, 10, 13, 10])
    }

    @Test func `an exchange goes through in pieces of any size`() {
        forEachSeed { random in
            var filler = PayloadFiller(random: SeededRandom(seed: 1))
            var server = ExchangeServer()
            var client = ExchangeClient()
            for _ in 0..<3 {
                let size = random.below(5_000)
                let flow = UInt32(truncatingIfNeeded: random.next() >> random.below(64))
                client.ask(byteCount: size)
                let request = octets {
                    _ = Exchange.appendRequest(flow: flow, responseByteCount: size, byteCount: 400, to: &$0)
                }
                for piece in cut(request, &random) {
                    let isRight = server.receive(piece.span.bytes)
                    try #require(isRight)
                }
                try #require(server.flow == flow)
                try #require(server.isAnswering)
                var progress = ExchangeClient.Progress.unfinished
                while server.isAnswering {
                    let room = Int(random.below(1_000))
                    let piece = octets { arena in
                        let count = server.write(upTo: room, filler: &filler, into: &arena)
                        #expect(count == arena.count && count <= room)
                    }
                    for part in cut(piece, &random) {
                        try #require(progress == .unfinished)
                        progress = client.receive(part.span.bytes)
                    }
                }
                try #require(progress == .complete)
                try #require(!client.isWaiting)
            }
        }
    }

    @Test func `a server refuses what is no request of ours`() {
        let refused = [
            "POST /1/2 HTTP/1.1\r\n\r\n", "GET /x/2 HTTP/1.1\r\n\r\n", "GET //2 HTTP/1.1\r\n\r\n",
            "GET /1/ HTTP/1.1\r\n\r\n", "GET /4294967296/2 HTTP/1.1\r\n\r\n", "GET /1/99999999999999 HTTP/1.1\r\n\r\n",
            "GET /1\r\n\r\n", "GET /1/2 HTTP/1.1\r\n\r\nGET /1/2 HTTP/1.1\r\n\r\n",
            "GET /1/2 " + String(repeating: "a", count: 9_000),
        ]
        for text in refused {
            var server = ExchangeServer()
            let bytes = Array(text.utf8)
            let isRight = server.receive(bytes.span.bytes)
            #expect(!isRight, "\(text)")
        }
    }

    @Test func `a client refuses another answer than it asked for`() {
        for text in ["HTTP/1.1 404 Not Found\r\n\r\n", "SSH-2.0", "HTTP/1.1 200 OK\r\n\r\nabcdef"] {
            var client = ExchangeClient()
            client.ask(byteCount: 5)
            let bytes = Array(text.utf8)
            let progress = client.receive(bytes.span.bytes)
            #expect(progress == .wrong)
        }
        var client = ExchangeClient()
        let unasked = Array("HTTP".utf8)
        let progress = client.receive(unasked.span.bytes)
        #expect(progress == .wrong)
    }

    @Test func `random and mutated octets never trap a reader`() {
        forEachSeed(300) { random in
            var bytes = octets {
                _ = Exchange.appendRequest(flow: 3, responseByteCount: 100, byteCount: 200, to: &$0)
            }
            for _ in 0..<random.below(6) {
                bytes[Int(random.below(UInt64(bytes.count)))] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.chance(Ratio(0.3)) { bytes = bytes.map { _ in UInt8(truncatingIfNeeded: random.next()) } }
            var server = ExchangeServer()
            var client = ExchangeClient()
            client.ask(byteCount: random.below(300))
            var receiver = FileReceiver()
            for piece in cut(bytes, &random) {
                _ = server.receive(piece.span.bytes)
                _ = client.receive(piece.span.bytes)
                _ = receiver.receive(piece.span.bytes)
            }
            try #require(receiver.received == UInt64(bytes.count))
        }
    }

    @Test func `a file arrives whole, whatever the room and the pieces`() {
        forEachSeed { random in
            var filler = PayloadFiller(random: SeededRandom(seed: 1))
            let size = random.below(20_000)
            var sender = FileSender(
                FileTransfer(byteCount: size), flow: 9, startedAt: .milliseconds(70))
            var receiver = FileReceiver()
            while !sender.isComplete {
                let room = Int(random.below(3_000))
                let piece = octets { arena in
                    let count = sender.write(upTo: room, filler: &filler, into: &arena)
                    #expect(count == arena.count && count <= room)
                }
                for part in cut(piece, &random) {
                    try #require(!receiver.isComplete)
                    let isRight = receiver.receive(part.span.bytes)
                    try #require(isRight)
                }
            }
            let wanted = FilePreamble(flow: 9, startedAt: .milliseconds(70), byteCount: max(24, size))
            try #require(receiver.preamble == wanted)
            try #require(receiver.received == max(24, size))
            try #require(receiver.isComplete)
        }
    }

    @Test func `an endless file fills whatever room there is and is never complete`() {
        var filler = PayloadFiller(random: SeededRandom(seed: 1))
        var sender = FileSender(FileTransfer(byteCount: nil), flow: 9, startedAt: .zero)
        var receiver = FileReceiver()
        for room in [23, 24, 100_000, 1] {
            let piece = octets { _ = sender.write(upTo: room, filler: &filler, into: &$0) }
            #expect(piece.count == (room == 23 ? 0 : room))
            _ = receiver.receive(piece.span.bytes)
        }
        #expect(!sender.isComplete)
        #expect(!receiver.isComplete)
        #expect(receiver.received == 100_025)
    }

    @Test func `a reader fetches the main object first and then at most six at a time`() throws {
        var session = WebSession(Web(), start: .milliseconds(500), random: SeededRandom(seed: 5))
        #expect(step(&session, at: 0) == .wait(until: .milliseconds(500)))
        #expect(step(&session, at: 500) == .begun)
        #expect(step(&session, at: 500) == .open(lane: 0))
        #expect(step(&session, at: 500) == .idle)
        session.opened(lane: 0)
        guard case .request(lane: 0, _) = step(&session, at: 540) else {
            Issue.record("no request")
            return
        }
        #expect(step(&session, at: 540) == .idle)
        session.failed(lane: 0, at: .milliseconds(600))
        #expect(step(&session, at: 600) == .wait(until: .milliseconds(1_600)))
        #expect(step(&session, at: 1_600) == .open(lane: 0))
    }

    @Test func `pages complete one after the other, with think times between`() {
        forEachSeed(30) { random in
            var session = WebSession(Web(), start: .zero, random: random.fork())
            var now = Instant.zero
            var pageStart = Instant.zero
            var open: Set<Int> = []
            var busy: [Int] = []
            var pages = 0
            while pages < 20 {
                switch session.step(at: now) {
                case .open(let lane):
                    try #require(open.insert(lane).inserted && open.count <= 6)
                    session.opened(lane: lane)
                case .request(let lane, let byteCount):
                    try #require(open.contains(lane) && !busy.contains(lane))
                    try #require((1...5_000_000).contains(byteCount))
                    busy.append(lane)
                case .close(let lane):
                    try #require(open.remove(lane) != nil && busy.isEmpty)
                case .begun:
                    pageStart = now
                case .completed(let duration):
                    try #require(duration == now - pageStart && busy.isEmpty)
                    pages += 1
                case .wait(let instant):
                    try #require(open.isEmpty && instant - now >= .milliseconds(999))
                    try #require(instant - now <= .seconds(60))
                    now = instant
                case .idle:
                    now += .milliseconds(10)
                    session.responded(lane: busy.remove(at: Int(random.below(UInt64(busy.count)))))
                }
            }
        }
    }

    @Test func `a stream's stall is a gap, its round trips and its pauses are none`() {
        var meter = FlowMeter(FlowMeter.Settings(start: .zero, stop: .milliseconds(60_000)))
        func arrive(at milliseconds: Int64) {
            meter.receive(streamByteCount: 1_000, at: .milliseconds(milliseconds))
        }
        meter.beginTransfer(at: .zero)
        for time in [100, 150, 200, 250, 260, 270] as [Int64] { arrive(at: time) }
        meter.endTransfer(completionTime: .milliseconds(270), at: .milliseconds(270))
        meter.beginTransfer(at: .milliseconds(10_000))
        for time in [10_100, 10_110, 11_000, 11_010] as [Int64] { arrive(at: time) }
        let report = meter.report(at: .milliseconds(15_000), overStreams: true)
        #expect(
            report.gaps == [
                DeliveryGap(start: .milliseconds(10_110), end: .milliseconds(11_000)),
                DeliveryGap(start: .milliseconds(11_010), end: .milliseconds(15_000), isOpen: true),
            ])
        #expect(report.completionTimes == [.milliseconds(270)])
        #expect(report.activeTime == .milliseconds(5_270))
        #expect(report.bytes == 10_000)
    }

    private func step(_ session: inout WebSession, at milliseconds: Int64) -> ClientStep {
        session.step(at: .milliseconds(milliseconds))
    }

    private func cut(_ bytes: [UInt8], _ random: inout SeededRandom) -> [[UInt8]] {
        var pieces: [[UInt8]] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int(random.below(200)) + 1)
            pieces.append(Array(piece))
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }
}

import Basics
import TCP
import TestKit
import Testing
import Wire

@Suite struct LossTests {
    /// A connection with ten segments of 1460 bytes just sent, and a round trip of 20 ms.
    private func loaded(selective: Bool = true, timestamps: Bool = false) -> Specimen {
        let specimen = Specimen.established(timestamps: timestamps, selective: selective)
        specimen.write(count: 100_000)
        specimen.now += .milliseconds(20)
        return specimen
    }

    private func segment(_ index: Int) -> Int { 1 + 1_460 * index }

    @Test func `three selective acknowledgments bring the first segment again`() {
        let specimen = loaded()
        #expect(specimen.takeSent().count == 10)
        specimen.acknowledge(1, blocks: [segment(1)..<segment(2)])
        specimen.acknowledge(1, blocks: [segment(1)..<segment(3)])
        // Limited transmit: two new segments for two that have left (RFC 3042).
        #expect(specimen.takeSent().map(\.sequence) == [segment(10), segment(11)])
        specimen.acknowledge(1, blocks: [segment(1)..<segment(4)])
        #expect(specimen.takeSent().map(\.sequence) == [1])
        #expect(specimen.connection.statistics.fastRecoveries == 1)
        #expect(specimen.connection.statistics.slowStartThreshold == 10_220)
    }

    @Test func `the window falls in proportion to what arrives and ends at the threshold`() {
        let specimen = loaded()
        _ = specimen.takeSent()
        for index in 2...4 { specimen.acknowledge(1, blocks: [segment(1)..<segment(index)]) }
        let first = specimen.takeSent().count
        for index in 5...12 { specimen.acknowledge(1, blocks: [segment(1)..<segment(index)]) }
        let later = specimen.takeSent().count
        // Ten were in flight when the loss was found, and seven may be: the first again, and six new ones.
        #expect(first == 3)
        #expect(later == 6)
        #expect(specimen.connection.statistics.bytesInFlight == 7 * 1_460)
        specimen.acknowledge(segment(12) + later * 1_460)
        #expect(specimen.connection.statistics.congestionWindow >= 10_220)
        #expect(specimen.connection.statistics.congestionWindow < 14_600)
    }

    @Test func `what is sent and reported ahead of a hole waits for nothing`() {
        let specimen = Specimen.established(selective: true)
        specimen.write(count: 20_000)
        #expect(specimen.connection.unsentByteCount == 20_000 - 14_600)
        for index in 2...10 { specimen.acknowledge(1, blocks: [segment(1)..<segment(index)]) }
        // All has been sent, of which the other end has most; an application that has more may write it.
        #expect(specimen.connection.unacknowledgedByteCount == 20_000 && specimen.connection.unsentByteCount == 0)
    }

    @Test func `three duplicate ACKs do the same where there is no SACK`() {
        let specimen = loaded(selective: false)
        _ = specimen.takeSent()
        specimen.acknowledge(1)
        specimen.acknowledge(1)
        #expect(specimen.takeSent().map(\.sequence) == [segment(10), segment(11)])
        specimen.acknowledge(1)
        #expect(specimen.takeSent().map(\.sequence) == [1])
        // A partial ACK tells of the next hole (RFC 6582 §3.2 step 3).
        for _ in 0..<8 { specimen.acknowledge(1) }
        _ = specimen.takeSent()
        specimen.acknowledge(segment(5))
        #expect(specimen.takeSent().first?.sequence == segment(5))
        #expect(specimen.connection.statistics.fastRecoveries == 1)
    }

    @Test func `two selective acknowledgments and a quarter round trip are enough`() {
        let specimen = loaded()
        _ = specimen.takeSent()
        specimen.acknowledge(1, blocks: [segment(1)..<segment(3)])
        #expect(specimen.takeSent().map(\.sequence) == [segment(10), segment(11)])
        let start = specimen.now
        specimen.pass(.milliseconds(10))
        let sent = specimen.takeSent()
        #expect(sent.map(\.sequence) == [1])
        #expect(sent.map { $0.at - start } == [.milliseconds(5)])
    }

    @Test func `a lost retransmission is found without a timeout`() {
        let specimen = loaded()
        _ = specimen.takeSent()
        specimen.acknowledge(1, blocks: [segment(1)..<segment(10)])
        #expect(specimen.takeSent().map(\.sequence).first == 1)
        specimen.now += .milliseconds(20)
        specimen.acknowledge(1, blocks: [segment(1)..<segment(11)])
        specimen.acknowledge(1, blocks: [segment(1)..<segment(12)])
        specimen.pass(.milliseconds(20))
        #expect(specimen.takeSent().contains { $0.sequence == 1 })
        #expect(specimen.connection.statistics.timeouts == 0)
    }

    @Test func `a lost tail costs two round trips, not a timeout`() {
        let specimen = Specimen.established()
        specimen.write(count: 5 * 1_460)
        _ = specimen.takeSent()
        specimen.now += .milliseconds(20)
        specimen.acknowledge(segment(3))
        let start = specimen.now
        specimen.pass(.milliseconds(100))
        let probe = specimen.takeSent()
        #expect(probe.map(\.sequence) == [segment(4)])
        #expect(probe.map { $0.at - start } == [.milliseconds(40)])
        specimen.acknowledge(segment(3), blocks: [segment(4)..<segment(5)])
        specimen.pass(.milliseconds(10))
        #expect(specimen.takeSent().map(\.sequence) == [segment(3)])
        specimen.acknowledge(segment(5))
        #expect(specimen.connection.statistics.timeouts == 0)
        #expect(specimen.connection.nextDeadline == nil)
    }

    @Test func `reordering within a quarter of a round trip brings nothing again`() {
        let exchange = Exchange(seed: 3)
        exchange.sides[0].outgoing = pattern(400_000, seed: 1)
        exchange.paths[0] = PathModel(rate: .megabits(50), delay: .milliseconds(20))
        exchange.paths[0].reordering = Ratio(0.05)
        exchange.paths[0].reorderingDelay = .milliseconds(4)
        exchange.open()
        exchange.run(for: .seconds(30)) { exchange.bothClosed }
        #expect(exchange.sides[1].received == exchange.sides[0].outgoing)
        // The first time three are overtaken it still looks like a loss; from then on the window is known.
        #expect(exchange.statistics(0).retransmittedSegments <= 3)
    }

    @Test func `a timeout starts over with one segment and finds the rest by slow start`() {
        let specimen = loaded(selective: false)
        _ = specimen.takeSent()
        specimen.pass(.milliseconds(250))
        #expect(specimen.takeSent().map(\.sequence) == [1])
        #expect(specimen.connection.statistics.congestionWindow == 1_460)
        specimen.acknowledge(segment(1))
        #expect(specimen.takeSent().map(\.sequence) == [segment(1), segment(2)])
        specimen.acknowledge(segment(3))
        #expect(specimen.takeSent().map(\.sequence) == [segment(3), segment(4), segment(5), segment(6)])
    }

    @Test func `a needless timeout is taken back when the original's ACK arrives`() {
        let specimen = loaded(timestamps: true)
        let original = specimen.takeSent().first?.header.timestamps?.value ?? 0
        let window = specimen.connection.statistics.congestionWindow
        specimen.pass(.milliseconds(400))
        #expect(specimen.connection.statistics.timeouts == 1)
        _ = specimen.takeSent()
        specimen.echo = original
        specimen.acknowledge(1 + 1_448)
        #expect(specimen.connection.statistics.spuriousRecoveries == 1)
        #expect(specimen.connection.statistics.congestionWindow >= window)
        // Nothing goes out again; two new segments follow the one that arrived.
        #expect(specimen.takeSent().allSatisfy { $0.sequence >= 1 + 10 * 1_448 })
    }

    @Test func `a receiver may drop what it had acknowledged selectively`() {
        let specimen = loaded()
        _ = specimen.takeSent()
        specimen.acknowledge(1, blocks: [segment(1)..<segment(10)])
        _ = specimen.takeSent()
        // It had all but the first, and takes the first alone.
        specimen.acknowledge(segment(1))
        _ = specimen.takeSent()
        var expected = segment(1)
        for _ in 0..<200 {
            specimen.pass(.milliseconds(50))
            for sent in specimen.takeSent() where sent.sequence <= expected { expected = max(expected, sent.end) }
            specimen.acknowledge(expected)
            for sent in specimen.takeSent() where sent.sequence <= expected { expected = max(expected, sent.end) }
        }
        #expect(expected == 100_001)
    }

    @Test func `out of order segments are acknowledged at once, the latest run first`() throws {
        let specimen = Specimen.established()
        for sequence in [11, 31, 21, 51] {
            specimen.inject(
                .acknowledge, sequence: sequence, acknowledgment: 1, payload: [UInt8](repeating: 1, count: 5))
        }
        let sent = specimen.takeSent()
        #expect(sent.count == 4)
        let header = try #require(sent.last?.header)
        let starts = (0..<header.sackBlockCount).map { header.sackBlocks[$0].start - 900_000 }
        #expect(starts == [51, 21, 31, 11])
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: 1, payload: [UInt8](repeating: 1, count: 10))
        #expect(specimen.takeSent().map(\.acknowledgment) == [16])
        #expect(specimen.received.count == 15)
        #expect(specimen.connection.statistics.reassemblyByteCount == 15)
    }

    @Test func `a smaller path MTU sends the same bytes again in smaller segments and keeps the window`() {
        let specimen = loaded()
        _ = specimen.takeSent()
        let window = specimen.connection.statistics.congestionWindow
        specimen.setPathMTU(1_000)
        let sent = specimen.takeSent()
        #expect(sent.first?.sequence == 1)
        #expect(sent.allSatisfy { $0.payload.count <= 960 })
        #expect(sent.reduce(0) { $0 + $1.payload.count } <= window)
        #expect(sent.reduce(0) { $0 + $1.payload.count } > window - 960)
        #expect(specimen.connection.statistics.congestionWindow == window)
        #expect(specimen.connection.statistics.segmentSize == 960)
        specimen.setPathMTU(60)
        #expect(specimen.connection.statistics.segmentSize == 512)
    }

    @Test func `a transfer survives a path that becomes narrower`() {
        for selective in [true, false] {
            let exchange = Exchange()
            exchange.sides[0].outgoing = pattern(500_000, seed: 4)
            exchange.sides[0].configuration.offersSelectiveAcknowledgments = selective
            exchange.paths[0].loss = Ratio(0.01)
            exchange.open()
            exchange.run(for: .milliseconds(70))
            exchange.paths[0].mtu = 900
            exchange.run(for: .seconds(60)) { exchange.bothClosed }
            #expect(exchange.sides[1].received == exchange.sides[0].outgoing)
            #expect(exchange.statistics(0).segmentSize == 848)
        }
    }
}

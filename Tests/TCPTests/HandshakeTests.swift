import Basics
import TCP
import TestKit
import Testing
import Wire

@Suite struct HandshakeTests {
    @Test func `a SYN carries every option and an unscaled window`() throws {
        let specimen = Specimen(connecting: Connection.Configuration())
        let sent = specimen.takeSent()
        let header = try #require(sent.first?.header)
        #expect(sent.count == 1)
        #expect(header.flags == .synchronize)
        #expect(header.maximumSegmentSize == 1_460)
        #expect(header.windowScale == 7)
        #expect(header.sackPermitted)
        #expect(header.timestamps?.echo == 0)
        #expect(header.window == 65_535)
    }

    @Test func `the answer offers only what was asked for`() throws {
        let specimen = Specimen(accepting: Connection.Configuration()) { $0.maximumSegmentSize = 1_000 }
        let header = try #require(specimen.takeSent().first?.header)
        #expect(header.flags == [.synchronize, .acknowledge])
        #expect(header.windowScale == nil)
        #expect(!header.sackPermitted)
        #expect(header.timestamps == nil)
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: 1)
        #expect(specimen.tidings == [.connected])
        specimen.write(count: 5_000)
        #expect(specimen.takeSent().map(\.payload.count) == [1_000, 1_000, 1_000, 1_000, 1_000])
    }

    @Test func `a peer without a segment size gets the smallest that all must take`() {
        let specimen = Specimen.established(scale: nil, selective: false, segmentSize: nil)
        specimen.write(count: 2_000)
        #expect(specimen.takeSent().map(\.payload.count) == [536, 536, 536, 392])
    }

    @Test(arguments: [
        (6 << 20, 7, 49_152), (65_535, 0, 65_535), (65_536, 1, 32_768), (1 << 30, 14, 65_535),
    ])
    func `the scale fits the buffer`(buffer: Int, scale: Int, window: Int) throws {
        var configuration = Connection.Configuration()
        configuration.receiveBufferByteCount = buffer
        let specimen = Specimen(connecting: configuration)
        #expect(specimen.takeSent().first?.header.windowScale == UInt8(scale))
        specimen.inject([.synchronize, .acknowledge], sequence: 0, acknowledgment: 1) { $0.windowScale = 3 }
        #expect(specimen.takeSent().first.map { Int($0.header.window) } == window)
    }

    @Test func `a window is scaled only where both ends offered it`() {
        for scale in [nil, 4] as [UInt8?] {
            let specimen = Specimen.established(scale: scale, window: 1_000)
            specimen.acknowledge(1)
            let window = specimen.connection.statistics.sendWindow
            #expect(window == (scale == nil ? 1_000 : 16_000))
        }
    }

    @Test func `a RST in answer to the SYN refuses the connection`() {
        let specimen = Specimen(connecting: Connection.Configuration())
        specimen.inject([.reset, .acknowledge], sequence: 0, acknowledgment: 5)
        #expect(specimen.tidings.isEmpty)
        specimen.inject(.reset, sequence: 0, acknowledgment: 0)
        #expect(specimen.tidings.isEmpty)
        specimen.inject([.reset, .acknowledge], sequence: 0, acknowledgment: 1)
        #expect(specimen.tidings == [.closed(.refused)])
        let isClosed = specimen.connection.isClosed
        #expect(isClosed)
    }

    @Test func `an ACK of something else in SYN-SENT is answered with a RST`() {
        let specimen = Specimen(connecting: Connection.Configuration())
        _ = specimen.takeSent()
        specimen.inject(.acknowledge, sequence: 7, acknowledgment: 50)
        let sent = specimen.takeSent()
        #expect(sent.map(\.header.flags) == [.reset])
        #expect(sent.map(\.sequence) == [50])
    }

    @Test func `an unanswered SYN is repeated with doubled waits and given up after 127 s`() {
        let specimen = Specimen(connecting: Connection.Configuration())
        let start = specimen.now
        specimen.pass(.seconds(200))
        let times = specimen.takeSent().map { ($0.at - start).nanoseconds / 1_000_000_000 }
        #expect(times == [0, 1, 3, 7, 15, 31, 63])
        #expect(specimen.tidings == [.closed(.timedOut)])
    }

    @Test func `an unanswered SYN-ACK is repeated too, and at once for a repeated SYN`() {
        let specimen = Specimen(accepting: Connection.Configuration())
        let start = specimen.now
        specimen.pass(.seconds(4))
        let times = specimen.takeSent().map { ($0.at - start).nanoseconds / 1_000_000_000 }
        #expect(times == [0, 1, 3])
        specimen.inject(.synchronize, sequence: 0, acknowledgment: 0)
        #expect(specimen.takeSent().map(\.header.flags) == [[.synchronize, .acknowledge]])
    }

    @Test func `both ends may open at once`() {
        let exchange = Exchange()
        exchange.sides[0].outgoing = pattern(5_000, seed: 1)
        exchange.sides[1].outgoing = pattern(7_000, seed: 2)
        exchange.open(simultaneously: true)
        exchange.run(for: .seconds(5)) { exchange.bothClosed }
        #expect(exchange.sides[0].received == exchange.sides[1].outgoing)
        #expect(exchange.sides[1].received == exchange.sides[0].outgoing)
        let repeated = exchange.statistics(0).retransmittedSegments + exchange.statistics(1).retransmittedSegments
        #expect(repeated == 0)
    }

    @Test func `both ends may open at once and lose anything`() throws {
        for first in 0..<12 {
            for second in first..<12 {
                let exchange = Exchange()
                exchange.dropsSegment = { number, _ in number == first || number == second }
                exchange.sides[0].outgoing = pattern(3_000, seed: 1)
                exchange.sides[1].outgoing = pattern(2_000, seed: 2)
                exchange.open(simultaneously: true)
                exchange.run(for: .seconds(50)) { exchange.bothClosed }
                try #require(exchange.sides[0].received == exchange.sides[1].outgoing, "\(first) \(second)")
                try #require(exchange.sides[1].received == exchange.sides[0].outgoing, "\(first) \(second)")
                try #require(exchange.bothClosed)
            }
        }
    }

    @Test func `a wrong ACK in SYN-RECEIVED is answered with a RST`() {
        let specimen = Specimen(accepting: Connection.Configuration())
        _ = specimen.takeSent()
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: 9)
        #expect(specimen.takeSent().map(\.header.flags) == [.reset])
        #expect(specimen.tidings.isEmpty)
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: 1)
        #expect(specimen.tidings == [.connected])
    }

    @Test func `what is written before the answer is sent with it`() {
        let specimen = Specimen(connecting: Connection.Configuration())
        let written = specimen.write(count: 100)
        #expect(written == 100)
        specimen.finish()
        _ = specimen.takeSent()
        specimen.inject([.synchronize, .acknowledge], sequence: 0, acknowledgment: 1)
        let sent = specimen.takeSent()
        #expect(sent.map(\.payload.count) == [100])
        #expect(sent.map(\.header.flags) == [[.acknowledge, .push, .finish]])
    }

    @Test func `over IPv6 the segments leave room for its header`() throws {
        var output = Output()
        let (local, remote) = (IPv6Address(high: 1 << 60, low: 1), IPv6Address(high: 1 << 60, low: 2))
        _ = Connection(
            connectingFrom: SocketAddress(.v6(local), port: 1), to: SocketAddress(.v6(remote), port: 2),
            initialSequence: 3, at: .zero, into: &output)
        guard case .segment(let range)? = output.items.first else {
            Issue.record("no SYN")
            return
        }
        let bytes = octets(of: output, range)
        let isIntact = TCPHeader.isIntact(bytes.span.bytes, source: .v6(local), destination: .v6(remote))
        #expect(isIntact)
        let header = try TCPHeader(parsing: bytes.span.bytes)
        #expect(header.maximumSegmentSize == 1_440)
    }

    @Test func `a segment of no connection is answered with a RST that fits it`() throws {
        var header = TCPHeader(
            sourcePort: 80, destinationPort: 5_000, sequence: 1_000, acknowledgment: 77, flags: [.synchronize],
            window: 10)
        func answer(_ header: TCPHeader, payloadByteCount: Int) throws -> TCPHeader? {
            var output = Output()
            Connection.appendReset(
                answering: header, payloadByteCount: payloadByteCount, local: Specimen.local,
                remote: Specimen.remote, into: &output)
            guard case .segment(let range)? = output.items.first else { return nil }
            let bytes = octets(of: output, range)
            let isIntact = TCPHeader.isIntact(
                bytes.span.bytes, source: Specimen.local.address, destination: Specimen.remote.address)
            try #require(isIntact)
            return try TCPHeader(parsing: bytes.span.bytes)
        }
        let first = try #require(try answer(header, payloadByteCount: 3))
        #expect(first.flags == [.reset, .acknowledge])
        #expect(first.sequence == 0 && first.acknowledgment == 1_004)
        header.flags = .acknowledge
        let second = try #require(try answer(header, payloadByteCount: 3))
        #expect(second.flags == .reset)
        #expect(second.sequence == 77)
        header.flags = [.reset, .acknowledge]
        let third = try answer(header, payloadByteCount: 0)
        #expect(third == nil)
    }
}

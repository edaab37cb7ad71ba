import Basics
import TCP
import TestKit
import Testing
import Wire

/// RFC 5961, RFC 7323 §5 and the other rules that keep strangers and old segments out.
@Suite struct SecurityTests {
    @Test func `only a RST at exactly the next sequence number resets`() {
        let specimen = Specimen.established()
        specimen.inject(.reset, sequence: 2, acknowledgment: 1)
        #expect(specimen.tidings.isEmpty)
        #expect(specimen.takeSent().map(\.acknowledgment) == [1])
        specimen.inject(.reset, sequence: 0, acknowledgment: 1)
        specimen.inject(.reset, sequence: 90_000_000, acknowledgment: 1)
        #expect(specimen.tidings.isEmpty)
        #expect(specimen.takeSent().isEmpty)
        specimen.inject(.reset, sequence: 1, acknowledgment: 1)
        #expect(specimen.tidings == [.closed(.reset)])
        let isClosed = specimen.connection.isClosed
        #expect(isClosed)
        #expect(specimen.connection.nextDeadline == nil)
    }

    @Test func `a SYN is answered with an ACK and changes nothing`() {
        let specimen = Specimen.established()
        for sequence in [0, 1, 500, 80_000_000] {
            specimen.inject(.synchronize, sequence: sequence, acknowledgment: 0)
            #expect(specimen.takeSent().map(\.header.flags) == [.acknowledge])
        }
        #expect(specimen.connection.state == .established)
        #expect(specimen.tidings.isEmpty)
    }

    @Test func `a blind ACK is answered and its data dropped`() {
        let specimen = Specimen.established(window: 1_000)
        specimen.acknowledge(1)
        _ = specimen.takeSent()
        for acknowledgment in [2, 100, -1_001, -70_000, 1_000_000_000] {
            specimen.inject(.acknowledge, sequence: 1, acknowledgment: acknowledgment, payload: [1, 2, 3])
            #expect(specimen.takeSent().map(\.acknowledgment) == [1])
        }
        #expect(specimen.received.isEmpty)
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: -900, payload: [1, 2, 3])
        #expect(specimen.received == [1, 2, 3])
    }

    @Test func `challenge ACKs are few`() {
        let specimen = Specimen.established()
        for _ in 0..<1_000 { specimen.inject(.synchronize, sequence: 50, acknowledgment: 0) }
        #expect(specimen.takeSent().count == 10)
        specimen.pass(.seconds(1))
        for _ in 0..<1_000 { specimen.inject(.reset, sequence: 50, acknowledgment: 0) }
        #expect(specimen.takeSent().count == 10)
        #expect(specimen.connection.statistics.challengeAcknowledgments == 20)
    }

    @Test func `a segment with an old timestamp is acknowledged and dropped`() {
        let specimen = Specimen.established(timestamps: true)
        specimen.peerClock = 10_050
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: 1, payload: [1])
        #expect(specimen.received == [1])
        _ = specimen.takeSent()
        specimen.peerClock = 10_049
        specimen.inject(.acknowledge, sequence: 2, acknowledgment: 1, payload: [2])
        #expect(specimen.received == [1])
        #expect(specimen.takeSent().map(\.acknowledgment) == [2])
        #expect(specimen.connection.statistics.oldTimestamps == 1)
        // After 24 days the clock may have wrapped.
        specimen.pass(.seconds(25 * 86_400))
        specimen.inject(.acknowledge, sequence: 2, acknowledgment: 1, payload: [2])
        #expect(specimen.received == [1, 2])
    }

    @Test func `a segment without the agreed timestamp is dropped, a RST is not`() {
        let specimen = Specimen.established(timestamps: true)
        specimen.peerClock = nil
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: 1, payload: [1])
        #expect(specimen.received.isEmpty)
        specimen.inject(.reset, sequence: 1, acknowledgment: 1)
        #expect(specimen.tidings == [.closed(.reset)])
    }

    @Test func `the echoed timestamp is that of the segment that moved the window`() {
        let specimen = Specimen.established(timestamps: true)
        specimen.peerClock = 20_000
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: 1, payload: [1])
        #expect(specimen.takeSent().last?.header.timestamps?.echo == 20_000)
        // Out of order: RFC 7323 §4.3 keeps the echo of what came in order.
        specimen.peerClock = 20_100
        specimen.inject(.acknowledge, sequence: 5, acknowledgment: 1, payload: [5])
        #expect(specimen.takeSent().last?.header.timestamps?.echo == 20_000)
        specimen.peerClock = 20_200
        specimen.inject(.acknowledge, sequence: 2, acknowledgment: 1, payload: [2, 3, 4])
        #expect(specimen.takeSent().last?.header.timestamps?.echo == 20_200)
        #expect(specimen.received == [1, 2, 3, 4, 5])
    }

    @Test func `two ends that disagree do not acknowledge each other for ever`() {
        let specimen = Specimen.established()
        for _ in 0..<100 { specimen.acknowledge(1, sequence: 40_000_000) }
        #expect(specimen.takeSent().count == 10)
    }

    @Test func `data that comes again is reported as duplicate`() throws {
        let specimen = Specimen.established()
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: 1, payload: [1, 2, 3, 4])
        _ = specimen.takeSent()
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: 1, payload: [1, 2])
        let header = try #require(specimen.takeSent().first?.header)
        #expect(header.sackBlockCount == 1)
        #expect(header.sackBlocks[0] == SACKBlock(start: 900_001, end: 900_003))
        #expect(specimen.received == [1, 2, 3, 4])
    }

    @Test func `a SYN takes over a connection in TIME-WAIT only with a later number`() {
        let specimen = Specimen.established()
        specimen.finish()
        specimen.inject([.finish, .acknowledge], sequence: 1, acknowledgment: 2)
        func yields(_ sequence: UInt32) -> Bool {
            let header = TCPHeader(
                sourcePort: 80, destinationPort: 5_000, sequence: 900_000 &+ sequence, acknowledgment: 0,
                flags: .synchronize, window: 1)
            return specimen.connection.yields(to: header)
        }
        #expect(yields(2))
        #expect(yields(1_000_000))
        #expect(!yields(1))
        #expect(!yields(.max))
    }

    @Test func `aborting sends a RST that the other end believes`() {
        let specimen = Specimen.established()
        specimen.write(count: 100)
        _ = specimen.takeSent()
        specimen.abort()
        let sent = specimen.takeSent()
        #expect(sent.map(\.header.flags) == [[.reset, .acknowledge]])
        #expect(sent.map(\.sequence) == [101])
        let isClosed = specimen.connection.isClosed
        #expect(isClosed)
        #expect(specimen.tidings.isEmpty)
    }
}

import Basics
import TCP
import TestKit
import Testing
import Wire

@Suite struct FlowTests {
    @Test func `what is not consumed closes the window, and consuming opens it with one update`() {
        var configuration = Connection.Configuration()
        configuration.consumesExplicitly = true
        configuration.receiveBufferByteCount = 10_000
        let specimen = Specimen.established(configuration, scale: nil)
        var sequence = 1
        var windows: [Int] = []
        while sequence <= 10_000 {
            let count = min(1_000, 10_001 - sequence)
            specimen.inject(
                .acknowledge, sequence: sequence, acknowledgment: 1, payload: [UInt8](repeating: 3, count: count))
            sequence += count
            windows += specimen.takeSent().map { Int($0.header.window) }
        }
        #expect(windows == [9_000, 8_000, 7_000, 6_000, 5_000, 4_000, 3_000, 2_000, 1_000, 0])
        #expect(specimen.received.count == 10_000)
        specimen.inject(.acknowledge, sequence: sequence, acknowledgment: 1, payload: [1, 2, 3])
        #expect(specimen.received.count == 10_000)
        #expect(specimen.takeSent().map(\.header.window) == [0])
        specimen.consumed(1_000)
        #expect(specimen.takeSent().isEmpty)
        specimen.consumed(500)
        #expect(specimen.takeSent().map(\.header.window) == [1_500])
        specimen.consumed(8_500)
        #expect(specimen.takeSent().map(\.header.window) == [10_000])
    }

    @Test func `an ACK counts even where the window is closed`() {
        var configuration = Connection.Configuration()
        configuration.consumesExplicitly = true
        configuration.receiveBufferByteCount = 100
        let specimen = Specimen.established(configuration, scale: nil)
        specimen.write(count: 1_000)
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: 1, payload: [UInt8](repeating: 3, count: 100))
        specimen.inject(.acknowledge, sequence: 101, acknowledgment: 1_001, payload: [1])
        #expect(specimen.connection.unacknowledgedByteCount == 0)
        #expect(specimen.received.count == 100)
    }

    @Test func `pausing and resuming close and open the window`() {
        let exchange = Exchange()
        exchange.sides[0].outgoing = pattern(300_000, seed: 6)
        exchange.sides[1].configuration.receiveBufferByteCount = 50_000
        exchange.open()
        exchange.run(for: .milliseconds(25))
        exchange.withConnection(1) { connection, _, _ in connection.pauseReading() }
        exchange.run(for: .seconds(20))
        let held = exchange.sides[1].receivedCount
        #expect(held >= 50_000 - 1_448 && held <= 50_000 + 14_480)
        exchange.withConnection(1) { connection, now, output in connection.resumeReading(at: now, into: &output) }
        exchange.run(for: .seconds(20)) { exchange.bothClosed }
        #expect(exchange.sides[1].received == exchange.sides[0].outgoing)
    }

    @Test func `a lost window update is made good by the probe`() {
        let exchange = Exchange()
        exchange.sides[0].outgoing = pattern(100_000, seed: 6)
        exchange.sides[1].configuration.receiveBufferByteCount = 20_000
        exchange.sides[1].configuration.consumesExplicitly = true
        exchange.open()
        exchange.run(for: .seconds(2))
        #expect(exchange.sides[1].receivedCount == 20_000)
        exchange.dropsSegment = { _, sent in sent.side == 1 }
        exchange.withConnection(1) { connection, now, output in connection.resumeReading(at: now, into: &output) }
        exchange.dropsSegment = { _, _ in false }
        exchange.run(for: .seconds(20)) { exchange.bothClosed }
        #expect(exchange.sides[1].received == exchange.sides[0].outgoing)
    }

    @Test func `writing is bounded by the send buffer, and room is announced`() {
        var configuration = Connection.Configuration()
        configuration.sendBufferByteCount = 4_000
        let specimen = Specimen.established(configuration)
        #expect(specimen.connection.writableByteCount == 4_000)
        #expect(specimen.write(count: 3_000) == 3_000)
        #expect(specimen.write(count: 3_000) == 1_000)
        #expect(specimen.connection.writableByteCount == 0)
        specimen.acknowledge(501)
        #expect(specimen.tidings.isEmpty)
        specimen.acknowledge(1_001)
        #expect(specimen.tidings == [.writable])
        specimen.acknowledge(4_001)
        #expect(specimen.tidings == [.writable])
        #expect(specimen.connection.writableByteCount == 4_000)
    }

    @Test func `Nagle's algorithm holds a small segment until the one before is acknowledged`() {
        for noDelay in [true, false] {
            var configuration = Connection.Configuration()
            configuration.noDelay = noDelay
            let specimen = Specimen.established(configuration)
            for _ in 0..<3 { specimen.write(count: 10) }
            #expect(specimen.takeSent().map(\.payload.count) == (noDelay ? [10, 10, 10] : [10]))
            specimen.acknowledge(noDelay ? 31 : 11)
            #expect(specimen.takeSent().map(\.payload.count) == (noDelay ? [] : [20]))
        }
    }

    @Test func `a small window is not filled with small segments at once`() {
        let specimen = Specimen.established(window: 10_000)
        specimen.acknowledge(1)
        specimen.write(count: 20_000)
        #expect(specimen.takeSent().map(\.payload.count) == [1_460, 1_460, 1_460, 1_460, 1_460, 1_460])
        specimen.now += .milliseconds(20)
        specimen.window = 100
        specimen.acknowledge(8_761)
        #expect(specimen.takeSent().isEmpty)
        specimen.pass(.milliseconds(300))
        #expect(specimen.takeSent().map(\.payload.count) == [100])
    }

    @Test func `each half closes on its own`() {
        let exchange = Exchange()
        exchange.sides[0].outgoing = pattern(1_000, seed: 1)
        exchange.sides[1].outgoing = pattern(200_000, seed: 2)
        exchange.sides[1].finishesAfterPeer = true
        exchange.open()
        exchange.run(for: .seconds(10)) { exchange.bothClosed }
        #expect(exchange.sides[0].received == exchange.sides[1].outgoing)
        #expect(exchange.sides[0].tidings == [.connected, .peerFinished, .closed(.finished)])
        #expect(exchange.sides[1].tidings == [.connected, .peerFinished, .closed(.finished)])
        #expect(exchange.connections[0]?.state == .timeWait)
        #expect(exchange.connections[1]?.state == .closed)
    }

    @Test func `both ends may close at once`() {
        let specimen = Specimen.established()
        specimen.finish()
        #expect(specimen.takeSent().map(\.header.flags) == [[.acknowledge, .push, .finish]])
        specimen.inject([.finish, .acknowledge], sequence: 1, acknowledgment: 1)
        #expect(specimen.connection.state == .closing)
        specimen.acknowledge(2, sequence: 2)
        #expect(specimen.connection.state == .timeWait)
        #expect(specimen.tidings == [.peerFinished, .closed(.finished)])
    }

    @Test func `nothing can be written behind the FIN`() {
        let specimen = Specimen.established()
        specimen.finish()
        #expect(specimen.write(count: 10) == 0)
        #expect(specimen.connection.writableByteCount == 0)
        specimen.acknowledge(2)
        #expect(specimen.connection.state == .finishWait2)
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: 2, payload: [1, 2])
        #expect(specimen.received == [1, 2])
    }

    @Test func `a FIN that overtakes data waits for it`() {
        let specimen = Specimen.established()
        specimen.inject([.finish, .acknowledge], sequence: 4, acknowledgment: 1, payload: [4])
        #expect(specimen.tidings.isEmpty)
        // Nothing lies beyond a FIN.
        specimen.inject(.acknowledge, sequence: 5, acknowledgment: 1, payload: [5, 6])
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: 1, payload: [1, 2, 3])
        #expect(specimen.received == [1, 2, 3, 4])
        #expect(specimen.tidings == [.peerFinished])
        #expect(specimen.connection.state == .closeWait)
        #expect(specimen.takeSent().last?.acknowledgment == 6)
    }
}

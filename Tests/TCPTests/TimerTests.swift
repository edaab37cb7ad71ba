import Basics
import TCP
import TestKit
import Testing
import Wire

@Suite struct TimerTests {
    /// Instants of sending after `start`, in ms.
    private func times(_ sent: [Specimen.Segment], since start: Instant) -> [Int64] {
        sent.map { ($0.at - start).nanoseconds / 1_000_000 }
    }

    @Test func `timeouts double, and the user timeout ends them`() {
        var configuration = Connection.Configuration()
        configuration.userTimeout = .seconds(30)
        let specimen = Specimen.established(configuration, selective: false)
        let start = specimen.now
        specimen.write(count: 100)
        specimen.pass(.seconds(60))
        // The round trip was 20 ms, so the first timeout is 20 + 200.
        #expect(times(specimen.takeSent(), since: start) == [0, 220, 660, 1_540, 3_300, 6_820, 13_860, 27_940])
        #expect(specimen.tidings == [.closed(.timedOut)])
        #expect(specimen.now - start == .seconds(60))
    }

    @Test func `timeouts grow no further than the maximum`() {
        var configuration = Connection.Configuration()
        configuration.maximumRetransmissionTimeout = .seconds(1)
        let specimen = Specimen.established(configuration, selective: false)
        let start = specimen.now
        specimen.write(count: 100)
        specimen.pass(.seconds(5))
        #expect(times(specimen.takeSent(), since: start) == [0, 220, 660, 1_540, 2_540, 3_540, 4_540])
    }

    @Test(arguments: [true, false]) func `an answered timeout ends the doubling`(timestamps: Bool) {
        let specimen = Specimen.established(timestamps: timestamps, selective: false)
        specimen.write(count: 100)
        specimen.pass(.seconds(4))
        let backedOff = specimen.connection.statistics.retransmissionTimeout
        #expect(backedOff == .milliseconds(220 * 16))
        specimen.now += .milliseconds(20)
        let last = specimen.takeSent().last
        specimen.echo = last?.header.timestamps?.value ?? 0
        specimen.now = (last?.at ?? .zero) + .milliseconds(30)
        specimen.acknowledge(101)
        let timeout = specimen.connection.statistics.retransmissionTimeout
        // Karn's rule: without timestamps the answer may be to either, so the doubling stays until a clean one.
        #expect(timestamps ? timeout < .milliseconds(300) : timeout == backedOff)
        specimen.write(count: 100)
        specimen.now += .milliseconds(20)
        specimen.acknowledge(201)
        let clean = specimen.connection.statistics.retransmissionTimeout
        #expect(clean < .milliseconds(300))
    }

    @Test func `a measured round trip moves the timeout as RFC 6298 has it`() {
        let specimen = Specimen.established(selective: false)
        let first = specimen.connection.statistics
        #expect(first.smoothedRoundTrip == .milliseconds(20))
        #expect(first.retransmissionTimeout == .milliseconds(220))
        specimen.write(count: 10)
        specimen.now += .milliseconds(420)
        specimen.acknowledge(11)
        let second = specimen.connection.statistics
        // SRTT 20 + 400/8; RTTVAR 10 + (400 - 10)/4; four of those are above the floor of 200.
        #expect(second.smoothedRoundTrip == .milliseconds(70))
        #expect(second.retransmissionTimeout == .microseconds(500_000))
    }

    @Test func `the first segments are acknowledged one by one, later ones in pairs or after 40 ms`() {
        let specimen = Specimen.established()
        var sequence = 1
        for _ in 0..<16 {
            specimen.inject(.acknowledge, sequence: sequence, acknowledgment: 1, payload: [1, 2, 3])
            sequence += 3
            #expect(specimen.takeSent().map(\.acknowledgment) == [sequence])
        }
        let start = specimen.now
        specimen.inject(.acknowledge, sequence: sequence, acknowledgment: 1, payload: [1])
        #expect(specimen.sent.isEmpty)
        specimen.pass(.milliseconds(39))
        #expect(specimen.sent.isEmpty)
        specimen.pass(.milliseconds(10))
        #expect(times(specimen.takeSent(), since: start) == [40])
        specimen.inject(.acknowledge, sequence: sequence + 1, acknowledgment: 1, payload: [1])
        specimen.inject(.acknowledge, sequence: sequence + 2, acknowledgment: 1, payload: [1])
        #expect(specimen.takeSent().map(\.acknowledgment) == [sequence + 3])
        let deadline = specimen.connection.nextDeadline
        #expect(deadline == nil)
    }

    @Test func `data carries the ACK that was waiting`() {
        let specimen = Specimen.established()
        for index in 0..<17 {
            specimen.inject(.acknowledge, sequence: 1 + index, acknowledgment: 1, payload: [9])
        }
        _ = specimen.takeSent()
        specimen.write(count: 10)
        #expect(specimen.takeSent().map(\.acknowledgment) == [18])
        specimen.acknowledge(11, sequence: 18)
        let deadline = specimen.connection.nextDeadline
        #expect(deadline == nil)
    }

    @Test func `a closed window is probed with doubled waits for as long as it is answered`() {
        var configuration = Connection.Configuration()
        configuration.userTimeout = .seconds(10)
        let specimen = Specimen.established(configuration, window: 1_000)
        specimen.acknowledge(1)
        specimen.write(count: 3_000)
        #expect(specimen.takeSent().map(\.payload.count) == [1_000])
        specimen.now += .milliseconds(20)
        specimen.window = 0
        specimen.acknowledge(1_001)
        let start = specimen.now
        var probes: [Int64] = []
        for _ in 0..<400 {
            specimen.pass(.milliseconds(100))
            for probe in specimen.takeSent() {
                #expect(probe.sequence == 1_000)
                #expect(probe.payload.isEmpty)
                probes.append((probe.at - start).nanoseconds / 1_000_000)
                specimen.acknowledge(1_001)
            }
        }
        #expect(probes.prefix(5) == [220, 660, 1_540, 3_300, 6_820])
        #expect(specimen.tidings.isEmpty)
        specimen.window = 5_000
        specimen.acknowledge(1_001)
        #expect(specimen.takeSent().map(\.payload.count) == [1_460, 540])
    }

    @Test func `an unanswered probe ends with the user timeout`() {
        var configuration = Connection.Configuration()
        configuration.userTimeout = .seconds(10)
        let specimen = Specimen.established(configuration, window: 0)
        specimen.acknowledge(1)
        specimen.write(count: 100)
        specimen.pass(.seconds(9))
        #expect(specimen.tidings.isEmpty)
        specimen.pass(.seconds(2))
        #expect(specimen.tidings == [.closed(.timedOut)])
    }

    @Test func `an idle connection is probed only where keepalive is on`() {
        var specimen = Specimen.established()
        let none = specimen.connection.nextDeadline
        #expect(none == nil)
        var configuration = Connection.Configuration()
        var keepalive = Keepalive()
        keepalive.idleTime = .seconds(60)
        keepalive.probeInterval = .seconds(5)
        keepalive.probeCount = 3
        configuration.keepalive = keepalive
        specimen = Specimen.established(configuration)
        let start = specimen.now
        specimen.pass(.seconds(61))
        let probes = specimen.takeSent()
        #expect(times(probes, since: start) == [60_000])
        #expect(probes.map(\.sequence) == [0])
        specimen.acknowledge(1)
        specimen.pass(.seconds(58))
        #expect(specimen.takeSent().isEmpty)
        specimen.pass(.seconds(100))
        #expect(times(specimen.takeSent(), since: start).dropLast() == [121_000, 126_000, 131_000])
        #expect(specimen.tidings == [.closed(.timedOut)])
    }

    @Test func `TIME-WAIT lasts its time, and starts over with a repeated FIN`() {
        let specimen = Specimen.established()
        specimen.finish()
        specimen.inject([.finish, .acknowledge], sequence: 1, acknowledgment: 2)
        #expect(specimen.tidings == [.peerFinished, .closed(.finished)])
        let state = specimen.connection.state
        #expect(state == .timeWait)
        _ = specimen.takeSent()
        specimen.pass(.seconds(40))
        specimen.inject([.finish, .acknowledge], sequence: 1, acknowledgment: 2)
        #expect(specimen.takeSent().map(\.acknowledgment) == [2])
        specimen.pass(.seconds(59))
        let before = specimen.connection.isClosed
        specimen.pass(.seconds(1))
        let after = specimen.connection.isClosed
        #expect(!before && after)
        #expect(specimen.tidings.count == 2)
    }

    @Test func `waking without need does nothing`() {
        let specimen = Specimen.established()
        specimen.write(count: 50_000)
        _ = specimen.takeSent()
        let before = specimen.connection.nextDeadline
        for _ in 0..<100 {
            specimen.connection.wake(at: specimen.now, into: &specimen.output)
        }
        let after = specimen.connection.nextDeadline
        let isEmpty = specimen.output.items.isEmpty
        #expect(before == after && isEmpty)
    }
}

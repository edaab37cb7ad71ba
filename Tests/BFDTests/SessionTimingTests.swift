import BFD
import Basics
import TestKit
import Testing

@Suite struct SessionTimingTests {
    @Test func `the detection time is exact to the nanosecond`() throws {
        for interval: Interval in [.milliseconds(10), .milliseconds(50), .milliseconds(300), .microseconds(3_333)] {
            for multiplier: UInt8 in [1, 3, 5, 255] {
                for slower: Interval in [.zero, .microseconds(7_001)] {
                    var played = Played(
                        Session.Configuration(
                            desiredMinTx: interval, requiredMinRx: interval, localDiscriminator: Played.local))
                    played.reach(.up)
                    played.hears(
                        Played.packet(.up, desiredMinTx: interval + slower, detectMultiplier: multiplier, final: true))
                    let expected = Instant.zero + (interval + slower) * Int64(multiplier)
                    _ = played.run(until: expected - .nanoseconds(1))
                    try #require(played.session.state == .up)
                    let changes = played.run(until: expected).filter { $0.output.newState != nil }
                    try #require(changes.map(\.at) == [expected])
                    try #require(changes.first?.output == .stateChanged(.down, .detectionExpired))
                }
            }
        }
    }

    @Test func `the slower of the two ends sets the pace in each direction`() {
        var played = Played(
            Session.Configuration(
                desiredMinTx: .milliseconds(50), requiredMinRx: .milliseconds(200), localDiscriminator: Played.local))
        played.reach(.up)
        played.hears(
            Played.packet(
                .up, desiredMinTx: .milliseconds(20), requiredMinRx: .milliseconds(80), detectMultiplier: 4,
                final: true))
        #expect(played.session.transmitInterval == .milliseconds(80))
        #expect(played.session.detectionTime == .milliseconds(800))
        played.hears(Played.packet(.up, desiredMinTx: .milliseconds(250), requiredMinRx: .milliseconds(10)))
        #expect(played.session.transmitInterval == .milliseconds(50))
        #expect(played.session.detectionTime == .milliseconds(750))
    }

    @Test(arguments: [(UInt8(1), 90), (UInt8(3), 100)])
    func `packets leave after 75 % of the interval and more, spread evenly`(multiplier: UInt8, longest: Int) throws {
        var played = Played(
            Session.Configuration(detectMultiplier: multiplier, localDiscriminator: Played.local))
        played.reach(.up)
        played.hears(Played.packet(.up, detectMultiplier: 255, final: true))
        let times = played.run(until: .zero + .seconds(25)).filter { $0.output.packet != nil }.map(\.at)
        let gaps = zip(times, times.dropFirst()).map { ($1 - $0).nanoseconds }
        try #require(gaps.count > 200)
        let shortest = try #require(gaps.min())
        let widest = try #require(gaps.max())
        #expect(shortest >= 75_000_000 && shortest < 77_000_000)
        #expect(widest <= Int64(longest) * 1_000_000 && widest > Int64(longest - 2) * 1_000_000)
    }

    @Test func `a session that is not up sends no more than once a slow interval`() {
        var played = Played()
        let said = played.run(until: .zero + .seconds(30)).filter { $0.output.packet != nil }
        #expect(said.first?.at == .zero)
        #expect(said.count >= 30 && said.count <= 41)
        #expect(said.allSatisfy { $0.output.packet?.desiredMinTx == .seconds(1) })
    }

    @Test func `going up polls on the first packet and on each until the Final comes`() {
        var played = Played()
        played.reach(.initializing)
        let raised = played.hears(Played.packet(.up))
        #expect(raised.last?.packet?.isPoll == true)
        #expect(raised.last?.packet?.desiredMinTx == .milliseconds(100))
        let said = played.run(until: played.now + .milliseconds(250)).compactMap(\.output.packet)
        #expect(said.count >= 2 && said.allSatisfy(\.isPoll))
        played.hears(Played.packet(.up, final: true))
        #expect(!played.session.isPolling)
        let after = played.run(until: played.now + .milliseconds(250)).compactMap(\.output.packet)
        #expect(after.count >= 2 && after.allSatisfy { !$0.isPoll })
    }

    @Test func `a Poll is answered at once, with a Final that is no Poll, and moves no timer`() {
        var played = Played()
        played.reach(.up, answeringPoll: false)
        let deadline = played.session.nextDeadline
        let answer = played.hears(Played.packet(.up, poll: true))
        #expect(answer.count == 1)
        #expect(answer.first?.packet?.isFinal == true)
        #expect(answer.first?.packet?.isPoll == false)
        #expect(played.session.nextDeadline == deadline)
        #expect(played.session.isPolling)
    }

    @Test func `sending more slowly and waiting less long begin with the Final, the opposites at once`() {
        var played = Played()
        played.reach(.up)
        played.session.reconfigure(
            desiredMinTx: .milliseconds(400), requiredMinRx: .milliseconds(50), detectMultiplier: 3, at: played.now)
        #expect(played.session.isPolling)
        #expect(played.session.transmitInterval == .milliseconds(100))
        played.hears(Played.packet(.up, desiredMinTx: .milliseconds(20)))
        #expect(played.session.detectionTime == .milliseconds(300))
        played.hears(Played.packet(.up, desiredMinTx: .milliseconds(20), final: true))
        #expect(played.session.transmitInterval == .milliseconds(400))
        #expect(played.session.detectionTime == .milliseconds(150))

        played.session.reconfigure(
            desiredMinTx: .milliseconds(30), requiredMinRx: .milliseconds(500), detectMultiplier: 3, at: played.now)
        #expect(played.session.isPolling)
        // The peer still asks for 100 ms.
        #expect(played.session.transmitInterval == .milliseconds(100))
        #expect(played.session.detectionTime == .milliseconds(1_500))
    }

    @Test func `a second change waits for the first one's Final and then polls for itself`() {
        var played = Played()
        played.reach(.up)
        played.session.reconfigure(
            desiredMinTx: .milliseconds(400), requiredMinRx: .milliseconds(100), detectMultiplier: 3, at: played.now)
        played.session.reconfigure(
            desiredMinTx: .milliseconds(800), requiredMinRx: .milliseconds(100), detectMultiplier: 5, at: played.now)
        let first = played.run(until: played.now + .milliseconds(100)).compactMap(\.output.packet)
        #expect(first.allSatisfy { $0.desiredMinTx == .milliseconds(400) && $0.detectMultiplier == 5 })
        played.hears(Played.packet(.up, detectMultiplier: 10, final: true))
        #expect(played.session.transmitInterval == .milliseconds(400))
        #expect(played.session.isPolling)
        let second = played.run(until: played.now + .milliseconds(500)).compactMap(\.output.packet)
        #expect(!second.isEmpty && second.allSatisfy { $0.desiredMinTx == .milliseconds(800) && $0.isPoll })
        played.hears(Played.packet(.up, detectMultiplier: 10, final: true))
        #expect(played.session.transmitInterval == .milliseconds(800))
        #expect(!played.session.isPolling)
    }

    @Test func `a peer that can take packets faster gets the next one no later than that`() {
        var played = Played(
            Session.Configuration(desiredMinTx: .milliseconds(10), localDiscriminator: Played.local))
        played.reach(.up)
        played.hears(Played.packet(.up, requiredMinRx: .seconds(1), detectMultiplier: 50))
        _ = played.run(until: .zero + .milliseconds(500))
        played.hears(Played.packet(.up, requiredMinRx: .milliseconds(10), detectMultiplier: 50))
        #expect(played.session.nextDeadline == played.now)
    }

    @Test func `a peer that wants no packets gets only answers to its Polls`() {
        var played = Played()
        played.reach(.up)
        played.hears(Played.packet(.up, requiredMinRx: .zero, detectMultiplier: 100))
        #expect(played.session.transmitInterval == nil)
        #expect(played.run(until: .zero + .seconds(5)).isEmpty)
        let answer = played.hears(Played.packet(.up, requiredMinRx: .zero, detectMultiplier: 100, poll: true))
        #expect(answer.compactMap(\.packet).map(\.isFinal) == [true])
        played.hears(Played.packet(.up))
        #expect(played.session.nextDeadline == played.now)
    }

    @Test func `a peer in demand mode gets periodic packets only while this end polls`() {
        var played = Played()
        played.reach(.up)
        var demanding = Played.packet(.up, detectMultiplier: 100)
        demanding.isDemand = true
        played.hears(demanding)
        #expect(played.run(until: .zero + .seconds(2)).isEmpty)
        played.session.reconfigure(
            desiredMinTx: .milliseconds(300), requiredMinRx: .milliseconds(100), detectMultiplier: 3, at: played.now)
        let polls = played.run(until: played.now + .milliseconds(500)).compactMap(\.output.packet)
        #expect(polls.count >= 4 && polls.allSatisfy(\.isPoll))
        demanding.isFinal = true
        played.hears(demanding)
        #expect(played.run(until: played.now + .seconds(2)).isEmpty)
    }
}

import BFD
import Basics
import TestKit
import Testing

@Suite struct SessionStateTests {
    @Test func `every state answers every input as section 6-2 draws it`() throws {
        var table = ""
        for state in Session.State.allCases {
            for received in Session.State.allCases {
                var played = Played()
                played.reach(state)
                let outputs = played.hears(Played.packet(received))
                table += "\(state) hears \(received): \(describe(played.session, outputs))\n"
            }
            var silent = Played()
            silent.reach(state)
            let outputs = silent.run(until: .zero + .seconds(20)).map(\.output).filter { $0.newState != nil }
            table += "\(state) hears nothing: \(describe(silent.session, outputs))\n"
            var enabled = Played()
            enabled.reach(state)
            let raised = Array(enabled.session.administratively(down: false, at: enabled.now))
            table += "\(state) is enabled: \(describe(enabled.session, raised))\n"
            var disabled = Played()
            disabled.reach(state)
            let lowered = Array(disabled.session.administratively(down: true, at: disabled.now))
            table += "\(state) is disabled: \(describe(disabled.session, lowered))\n"
            var cut = Played()
            cut.reach(state)
            let taken = Array(cut.session.takeDown(because: .pathDown, at: cut.now))
            table += "\(state) loses its carrier: \(describe(cut.session, taken))\n"
        }
        try expectGolden(table, named: "transitions.txt")
    }

    private func describe(_ session: Session, _ outputs: [Output]) -> String {
        let changes = outputs.map { output in
            switch output {
            case .stateChanged(let state, let diagnostic): "changed \(state) \(diagnostic.rawValue)"
            case .send(let packet): "sent \(packet.state) \(packet.diagnostic.rawValue)\(packet.isPoll ? " P" : "")"
            }
        }
        return "\(session.state)" + (changes.isEmpty ? "" : " (\(changes.joined(separator: ", ")))")
    }

    @Test func `a packet for another session changes nothing and is counted`() {
        var played = Played()
        played.reach(.up)
        var stray = Played.packet(.down)
        stray.remoteDiscriminator = 11
        let outputs = played.hears(stray)
        #expect(outputs == [])
        #expect(played.session.state == .up)
        #expect(played.session.remoteDiscriminator == Played.peer)
        #expect(played.session.discardedCount == 1)
    }

    @Test func `a peer that restarts with a new discriminator takes the session down and up again`() {
        var played = Played()
        played.reach(.up)
        var restarted = Played.packet(.down)
        restarted.localDiscriminator = 99
        played.hears(restarted)
        #expect(played.session.state == .down)
        #expect(played.session.diagnostic == .neighborSignaled)
        #expect(played.session.remoteDiscriminator == 99)
        played.hears(restarted)
        #expect(played.session.state == .initializing)
        var up = Played.packet(.up)
        up.localDiscriminator = 99
        played.hears(up)
        #expect(played.session.state == .up)
    }

    @Test func `the peer's discriminator is kept for one detection time and then forgotten`() {
        var played = Played()
        played.reach(.up)
        played.hears(Played.packet(.down))
        // Down again: this end asks for no less than its 100 ms, the peer said 100 ms, three times.
        let detection = Interval.milliseconds(300)
        #expect(played.session.detectionTime == detection)
        _ = played.run(until: .zero + detection - .nanoseconds(1))
        #expect(played.session.remoteDiscriminator == Played.peer)
        _ = played.run(until: .zero + detection)
        #expect(played.session.remoteDiscriminator == 0)
        #expect(played.session.state == .down)
        #expect(played.session.detectionTime == nil)
    }

    @Test func `a passive session keeps silent until it is spoken to`() {
        var played = Played(Session.Configuration(localDiscriminator: Played.local, isPassive: true))
        #expect(played.session.nextDeadline == nil)
        #expect(played.run(until: .zero + .seconds(10)).isEmpty)
        let answer = played.hears(Played.packet(.down))
        #expect(answer.compactMap(\.packet).map(\.state) == [.initializing])
        let later = played.run(until: played.now + .milliseconds(299)).compactMap(\.output.packet)
        #expect(later.isEmpty)
        // The peer vanishes: the session goes down and is silent again.
        let after = played.run(until: played.now + .seconds(60))
        #expect(after.compactMap(\.output.newState) == [.down])
        #expect(after.compactMap(\.output.packet).isEmpty)
    }

    @Test func `a session out of service says so slowly and hears nothing`() {
        var played = Played()
        played.reach(.up)
        let lowered = Array(played.session.administratively(down: true, at: played.now))
        #expect(lowered.first == .stateChanged(.adminDown, .administrativelyDown))
        #expect(lowered.last?.packet?.state == .adminDown)
        #expect(lowered.last?.packet?.diagnostic == .administrativelyDown)
        let said = played.run(until: played.now + .seconds(10)).compactMap(\.output.packet)
        #expect(said.count >= 9 && said.count <= 14)
        #expect(said.allSatisfy { $0.state == .adminDown && $0.desiredMinTx == .seconds(1) })
        let deaf = played.hears(Played.packet(.up, poll: true))
        #expect(deaf == [])
        #expect(played.session.state == .adminDown)
    }
}

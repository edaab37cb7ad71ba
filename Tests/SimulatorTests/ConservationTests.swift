import Basics
import Scenario
import Simulator
import Telemetry
import TestKit
import Testing

@Suite struct ConservationTests {
    @Test func `every packet is accounted for, whatever happens to links and nodes`() {
        forEachSeed(12) { random in
            let scenario = Self.randomScenario(&random)
            var simulation = Simulation(scenario)
            // Stopped at any instant, in the middle of things.
            simulation.run(until: .zero + random.interval(in: .seconds(5)...scenario.duration))
            let record = simulation.finish()
            for account in record.conservation { try #require(account.isBalanced, "\(account)") }
            for account in record.links { try #require(account.isBalanced, "\(account)") }
            let sent = record.conservation.reduce(0 as UInt64) { $0 + $1.sent }
            try #require(sent > 1_000)
            try #require(!record.violations.contains { $0.kind == .conservation })
        }
    }

    private static func randomScenario(_ random: inout SeededRandom) -> Scenario {
        let traffic = [
            Worlds.calls(Int(random.below(5)) + 1, start: .seconds(2)),
            TrafficEntry(name: "bulk", application: .fileTransfer(bytes: nil), from: 5, to: 4, start: .seconds(3)),
            TrafficEntry(name: "pages", application: .web(bytes: nil), from: 4, to: 5, start: .seconds(3)),
            TrafficEntry(
                name: "load", application: .constantRate(rate: .megabits(60), packetSize: ByteCount(900)), from: 5,
                to: 4, start: .seconds(4)),
        ]
        var events: [ScriptedEvent] = []
        for _ in 0..<6 {
            let link = Int(random.below(4))
            let at = random.interval(in: .seconds(4)...(.seconds(12)))
            let kind: ScriptedEvent.Kind
            switch random.below(4) {
            case 0: kind = .linkDown(link: link, directions: .both, lasting: .milliseconds(700))
            case 1:
                kind = .linkSet(
                    link: link, directions: .forward,
                    changes: Worlds.settings {
                        $0.loss = .independent(Ratio(0.2))
                        $0.duplicate = Ratio(0.1)
                        $0.reorder = Ratio(0.1)
                        $0.corrupt = Ratio(0.05)
                        $0.delay = .milliseconds(80)
                    }, over: .seconds(1))
            case 2:
                kind = .linkSet(
                    link: link, directions: .both,
                    changes: Worlds.settings {
                        $0.discipline = random.chance(Ratio(0.5)) ? .codel : .fairCodel
                        $0.rate = .megabits(5)
                    }, over: nil)
            default: kind = .nodeRestart(node: Int(random.below(2)), after: .seconds(1))
            }
            events.append(ScriptedEvent(at: at, label: "event", kind: kind))
        }
        events.sort { $0.at < $1.at }
        return Worlds.dualProvider(duration: .seconds(16), traffic: traffic, events: events, seed: random.next())
    }
}

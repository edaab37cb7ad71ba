import Basics
import Dataplane
import Endpoints
import Links
public import Scenario
import Telemetry
import Traffic

extension Simulation {
    /// Everything that the run has to say, now that it has come to its end.
    public mutating func finish() -> RunRecord {
        var record = RunRecord(scenario: scenario, seed: seed, backend: "sim", end: network.now)
        record.flows = plan.flows.descriptions
        record.flowReports = FlowReport.merged(flowReports())
        record.incidents = incidents()
        record.telemetry = network.recorder.telemetry
        record.links = linkAccounts()
        record.dataplanes = dataplaneAccounts()
        record.isPoliced = SimulationPlan.usesDataplane(scenario)
        record.conservation = conservationAccounts()
        record.attacks = attackAccounts()
        record.duringAttacks = network.ledger.duringAttacks
        record.checkpoints = checkpoints
        record.eventCount = eventCount
        record.packetHops = network.hops
        watchBlackholes()
        watchConservation(record)
        record.violations = violations.violations
        return record
    }

    private func flowReports() -> [FlowReport] {
        var reports: [FlowReport] = []
        for index in 0..<devices.count {
            reports += devices[index].occupant.flowReports(at: network.now)
        }
        return reports
    }

    private func linkAccounts() -> [LinkAccount] {
        (0..<network.links.count).map { index in
            let motion = network.links[index]
            var account = LinkAccount(link: motion.linkIndex, direction: motion.isForward ? .forward : .reverse)
            account.offered = motion.link.counters.offered
            account.offeredBytes = motion.link.counters.offeredBytes
            account.duplicated = motion.link.counters.duplicated
            account.delivered = motion.link.counters.delivered
            account.deliveredBytes = motion.link.counters.deliveredBytes
            account.inFlight = UInt64(motion.link.packetsInside)
            for cause in DropCause.allCases {
                account.dropped[Int(cause.rawValue)] = motion.link.counters.dropped(cause)
            }
            return account
        }
    }

    private mutating func dataplaneAccounts() -> [DataplaneAccount] {
        var accounts: [DataplaneAccount] = []
        for index in 0..<devices.count {
            let counters = devices[index].dataplaneCounters()
            for cause in DataplaneCause.allCases where counters[cause].packets > 0 {
                accounts.append(
                    DataplaneAccount(
                        node: index, cause: "\(cause)", verdict: cause.verdict.map { "\($0)" },
                        packets: counters[cause].packets, bytes: counters[cause].bytes))
            }
        }
        return accounts
    }

    private mutating func conservationAccounts() -> [ConservationAccount] {
        network.ledger.countInFlight(network.pool.tagsInUse())
        return network.ledger.accounts.map { account in
            ConservationAccount(
                key: account.key, sent: account.sent, duplicated: account.duplicated, delivered: account.delivered,
                inFlight: account.inFlight, dropped: account.dropped)
        }
    }

    /// The scripted events as they took effect before the end.
    private func incidents() -> [Incident] {
        var found: [Incident] = []
        for (index, event) in scenario.events.enumerated() {
            let start = Instant.zero + event.at
            func incident(
                _ kind: Incident.Kind, _ subject: Int, from: Instant, to end: Instant?, disruptive: Bool = true
            ) -> Incident {
                Incident(
                    kind: kind, event: index, label: event.label, subject: subject, start: from, end: end,
                    isDisruptive: disruptive)
            }
            switch event.kind {
            case .linkSet(let link, _, let changes, _):
                let worse = isWorse(changes, link)
                found.append(
                    incident(.linkChanged, link, from: start, to: restoration(of: index, link), disruptive: worse))
            case .linkDown(let link, _, let lasting):
                found.append(
                    incident(
                        .linkDown, link, from: start, to: lasting.map { start + $0 } ?? restoration(of: index, link)))
            case .linkFlap(let link, _, let up, let down, let lasting):
                var phase = start
                while phase < start + lasting {
                    found.append(incident(.linkDown, link, from: phase, to: min(phase + down, start + lasting)))
                    phase += down + up
                }
            case .nodeKill(let node):
                found.append(incident(.nodeKilled, node, from: start, to: nil))
            case .nodeRestart(let node, let after):
                found.append(incident(.nodeKilled, node, from: start, to: start + after))
            case .bgp(.sessionReset(let pair)):
                found.append(incident(.sessionReset, pair.first, from: start, to: start, disruptive: false))
            case .attack(let attack):
                let end = attack.lasting.map { start + $0 }
                found.append(incident(.attack, attack.to, from: start, to: end, disruptive: false))
            case .linkUp, .bgp, .cloud:
                break
            }
        }
        return found.filter { $0.start <= network.now }.sorted { ($0.start, $0.event) < ($1.start, $1.event) }
    }

    /// When the next event, in order of time, puts the same link right again, if one does.
    private func restoration(of index: Int, _ link: Int) -> Instant? {
        let event = scenario.events[index]
        var isDown = false
        if case .linkDown = event.kind { isDown = true }
        let candidates = scenario.events.enumerated().filter { other, candidate in
            guard other != index, candidate.link == link, candidate.at > event.at else { return false }
            switch candidate.kind {
            case .linkUp: return isDown
            case .linkSet(_, _, let changes, _): return !isDown && !isWorse(changes, link)
            default: return false
            }
        }
        return candidates.map(\.element.at).min().map { Instant.zero + $0 }
    }

    /// Whether changes leave a link worse than the topology has it.
    private func isWorse(_ changes: LinkSettings, _ link: Int) -> Bool {
        LinkDirection.allCases.contains { direction in
            let original = scenario.topology.links[link].settings(direction)
            let before = LinkProfile(original)
            let after = before.applying(changes)
            let slower = changes.rate.map { rate in before.rate.map { rate < $0 } ?? true } ?? false
            return after.delay > before.delay || after.jitter > before.jitter
                || after.loss.mean > before.loss.mean || slower || after.reorder > before.reorder
                || after.corrupt > before.corrupt || after.duplicate > before.duplicate
        }
    }
}

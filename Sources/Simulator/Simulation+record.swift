import Basics
import Dataplane
import Endpoints
import Links
import Plan
public import Scenario
import Telemetry
import Traffic

extension Simulation {
    /// Everything that the run has to say, now that it has come to its end.
    public mutating func finish() -> RunRecord {
        var record = RunRecord(scenario: scenario, seed: seed, backend: "sim", end: network.now)
        record.flows = plan.flows.descriptions
        record.flowReports = FlowReport.merged(flowReports())
        record.incidents = scenario.incidents(until: network.now)
        record.telemetry = network.recorder.telemetry
        record.links = linkAccounts()
        record.dataplanes = dataplaneAccounts()
        record.isPoliced = RunPlan.usesDataplane(scenario)
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
}

import Basics
import Links
import LinuxSystem
import Plan
public import Scenario
import Telemetry
import Traffic

extension Lab {
    /// How long agents may take to say what they have to.
    private static let patience = Interval.seconds(60)

    /// Ends all machines and makes the record of the run.
    public func finish() throws(LabError) -> RunRecord {
        let end = clock.now
        for agent in agents where agent.life > lives[agent.node] { agent.kill() }
        let asked = agents.filter { !$0.hasEnded }
        for agent in asked { agent.order(.finish) }
        while !asked.allSatisfy({ $0.report != nil }) {
            guard clock.now < end + Self.patience else {
                let silent = asked.filter { $0.report == nil }.map(\.title).joined(separator: ", ")
                throw .agent(silent, reason: "no report after \(Self.patience)")
            }
            try turn(waiting: .milliseconds(100))
        }
        return record()
    }

    /// Hands on the frames captured since the last call, with the topology's link of each of the wire's.
    public func drainCapture(_ body: (WireCapture, [Int]) -> Void) {
        guard let wire, !scenario.record.capturedLinks.isEmpty else { return }
        var links = Array(repeating: 0, count: wire.linkCount)
        for (link, number) in wireNumbers.enumerated() {
            if let number { links[number] = link }
        }
        body(wire.takeCapture(), links)
    }

    private func record() -> RunRecord {
        let end = Instant.zero + scenario.duration
        var record = RunRecord(scenario: scenario, seed: request.seed, backend: "netns", end: end)
        record.flows = plan.flows.descriptions
        record.flowReports = FlowReport.merged(agents.compactMap(\.report).flatMap(\.flows))
        record.incidents = scenario.incidents(until: end)
        record.telemetry = telemetry.enumerated().sorted {
            ($0.element.at, $0.element.node, $0.offset) < ($1.element.at, $1.element.node, $1.offset)
        }.map(\.element)
        record.links = linkAccounts()
        record.packetHops = record.links.reduce(0) { $0 + $1.delivered }
        record.isPoliced = RunPlan.usesDataplane(scenario)
        for agent in agents { record.dataplanes += agent.report?.dataplane ?? [] }
        addAttacks(to: &record)
        addViolations(to: &record, at: end)
        record.invalidity = wire?.lateDirections().map(\.description) ?? []
        return record
    }

    private func linkAccounts() -> [LinkAccount] {
        guard let wire else { return [] }
        var accounts: [LinkAccount] = []
        for (link, number) in wireNumbers.enumerated() {
            guard let number else { continue }
            for direction in LinkDirection.allCases {
                let counters = wire.counters(of: number, direction)
                var account = LinkAccount(link: link, direction: direction)
                account.offered = counters.link.offered
                account.offeredBytes = counters.link.offeredBytes
                account.duplicated = counters.link.duplicated
                account.delivered = counters.link.delivered
                account.deliveredBytes = counters.link.deliveredBytes
                account.inFlight = UInt64(counters.packetsInside)
                for cause in DropCause.allCases {
                    account.dropped[Int(cause.rawValue)] = counters.link.dropped(cause)
                }
                accounts.append(account)
            }
        }
        return accounts
    }

    private func addViolations(to record: inout RunRecord, at end: Instant) {
        for agent in agents {
            guard let report = agent.report else { continue }
            if report.blackholedPackets > 0 {
                record.violations.append(
                    InvariantViolation(
                        kind: .blackhole, at: end, node: agent.node,
                        text: "\(agent.title) dropped \(report.blackholedPackets) packets with a live path at hand"))
            }
            if let disagreement = report.routeDisagreement {
                record.violations.append(
                    InvariantViolation(kind: .ribFibDisagreement, at: end, node: agent.node, text: disagreement))
            }
        }
    }
}

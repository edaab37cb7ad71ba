import Basics
import Plan
import Scenario
import Telemetry
import Traffic

// A kernel does not tell an attack's packets from others', so that what became of them is bounded, to the node's
// disadvantage: an attack packet that was not policed counts as having passed, wherever it was lost, and every
// datagram of a flow that was lost during an attack counts as refused by a node.

extension Lab {
    func addAttacks(to record: inout RunRecord) {
        let plans = AttackPlan.all(of: scenario, seed: request.seed)
        guard !plans.isEmpty else { return }
        var policed = packets(record.dataplanes, refusedFor: "Flood")
        var denied = packets(record.dataplanes, refusedFor: "denied")
        for plan in plans {
            let sent = agents.first { $0.role == .attacker(event: plan.event) }?.report?.attackPackets ?? 0
            var dropped = [UInt64](repeating: 0, count: DropCause.allCases.count)
            dropped[Int(DropCause.policed.rawValue)] = take(sent, from: &policed)
            dropped[Int(DropCause.denied.rawValue)] = take(
                sent - dropped[Int(DropCause.policed.rawValue)], from: &denied)
            record.attacks.append(AttackAccount(event: plan.event, key: plan.key, reachedNodes: sent))
            record.conservation.append(
                ConservationAccount(
                    key: plan.key, sent: sent, duplicated: 0, delivered: sent - dropped.reduce(0, +), inFlight: 0,
                    dropped: dropped))
        }
        record.duringAttacks = datagramsDuringAttacks(record)
    }

    private func take(_ most: UInt64, from rest: inout UInt64) -> UInt64 {
        let taken = min(most, rest)
        rest -= taken
        return taken
    }

    private func packets(_ accounts: [DataplaneAccount], refusedFor word: String) -> UInt64 {
        accounts.filter { $0.verdict == "drop" && $0.cause.contains(word) }.reduce(0) { $0 + $1.packets }
    }

    /// What flows of datagrams sent and lost while attacks lasted.
    private func datagramsDuringAttacks(_ record: RunRecord) -> LegitimateAccount {
        let spans = record.incidents.filter { $0.kind == .attack }
        var account = LegitimateAccount()
        for report in record.flowReports {
            for window in report.windows {
                let isDuring = spans.contains { $0.start <= window.start && window.start < ($0.end ?? record.end) }
                guard isDuring else { continue }
                account.sent += UInt64(window.sent)
                account.refused += UInt64(window.lost)
            }
        }
        return account
    }
}

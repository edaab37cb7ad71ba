import Basics
import Node
import Scenario
import Telemetry
import Wire

/// Looks, each second and at the end, for what must never be.
struct InvariantWatch: Sendable {
    private(set) var violations: [InvariantViolation] = []
    /// Nodes whose routes disagreed a second ago: a disagreement counts once it has lasted.
    var disagreeing: Set<Int> = []  // not iterated
    /// Those of them that have been told of.
    var told: Set<Int> = []  // not iterated
    /// Time-to-live drops that have been told.
    var loopsSeen: UInt64 = 0

    mutating func append(_ kind: InvariantViolation.Kind, at now: Instant, node: Int? = nil, _ text: String) {
        violations.append(InvariantViolation(kind: kind, at: now, node: node, text: text))
    }
}

extension Simulation {
    mutating func watchInvariants(at instant: Instant) {
        watchLoops(at: instant)
        for index in 0..<devices.count where devices[index].kind == .patronus {
            watchRoutes(of: index, at: instant)
        }
    }

    private mutating func watchLoops(at instant: Instant) {
        let loops = network.ledger.timeToLiveDrops
        guard loops > violations.loopsSeen else { return }
        violations.append(
            .forwardingLoop, at: instant,
            "\(loops - violations.loopsSeen) packets ran out of their time to live")
        violations.loopsSeen = loops
    }

    /// The kernel's routes to the overlay are those that the node's routing wants there.
    private mutating func watchRoutes(of index: Int, at instant: Instant) {
        let wanted = devices[index].occupant.overlayPrefixes
        let installed = devices[index].kernel.forwarding.overlayPrefixes()
        guard wanted != installed else {
            violations.disagreeing.remove(index)
            violations.told.remove(index)
            return
        }
        // At the first sight a change may be under way; at the second it has lasted.
        if violations.disagreeing.insert(index).inserted { return }
        guard violations.told.insert(index).inserted else { return }
        violations.append(
            .ribFibDisagreement, at: instant, node: index,
            "\(devices[index].name) has \(installed.count) overlay routes installed, routing wants \(wanted.count)")
    }

    /// A packet for which a node had no path while a tunnel to its peer was up.
    mutating func watchBlackholes() {
        for index in 0..<devices.count where devices[index].kind == .patronus {
            let count = devices[index].allBlackholedPackets
            guard count > 0 else { continue }
            violations.append(
                .blackhole, at: network.now, node: index,
                "\(devices[index].name) dropped \(count) packets with a live path at hand")
        }
    }

    mutating func watchConservation(_ record: RunRecord) {
        for account in record.links where !account.isBalanced {
            let link = scenario.topology.links[account.link].name
            violations.append(
                .conservation, at: network.now,
                "\(link) \(account.direction == .forward ? "forward" : "reverse"): offered and copied is not"
                    + " delivered, dropped and in flight")
        }
        for account in record.conservation where !account.isBalanced {
            violations.append(
                .conservation, at: network.now,
                "flow \(String(account.key.rawValue, radix: 16)): \(account.sent) sent and \(account.duplicated) copied"
                    + " is not \(account.delivered) delivered, \(account.dropped.reduce(0, +)) dropped and"
                    + " \(account.inFlight) in flight")
        }
    }
}

import Basics
import Scenario
import Telemetry

/// The account of one direction of a flow: every packet sent ends in one of the others.
struct FlowAccount: Sendable {
    let key: FlowKey
    var sent: UInt64 = 0
    /// Copies that a link or a node made on the way.
    var duplicated: UInt64 = 0
    var delivered: UInt64 = 0
    /// By the raw value of the cause; empty where nothing was dropped.
    var dropped: [UInt64] = []
    var inFlight: UInt64 = 0
}

/// Counts every packet of every flow from the socket that sent it to its end.
///
/// A packet carries its flow's number as a tag, through tunnels too. Tag 0 is what
/// the network itself says: ARP, ICMP, probes. Behind it come the tags of attacks, one for
/// each, since their packets have nothing of a flow in common.
struct FlowLedger: Sendable {
    private(set) var accounts: ContiguousArray<FlowAccount> = [FlowAccount(key: FlowKey(0))]
    private var tags = IndexTable()
    /// Packets of flows that went round until their time to live ran out; probes of a path do so on purpose.
    private(set) var timeToLiveDrops: UInt64 = 0

    /// By attack, the packets that arrived at a node.
    private(set) var reachedNodes: ContiguousArray<UInt64> = []
    private var attacksUnderWay = 0
    /// What all others had sent and lost when the attacks that are under way began.
    private var atOnset = LegitimateAccount()
    private var duringEarlierAttacks = LegitimateAccount()

    /// The tag of a flow, which is opened on first use.
    mutating func tag(for key: FlowKey) -> UInt32 {
        if let tag = tags[key.rawValue] { return tag }
        let tag = UInt32(accounts.count)
        accounts.append(FlowAccount(key: key))
        tags[key.rawValue] = tag
        return tag
    }

    mutating func sent(_ tag: UInt32) { accounts[Int(tag)].sent &+= 1 }

    mutating func delivered(_ tag: UInt32) { accounts[Int(tag)].delivered &+= 1 }

    mutating func duplicated(_ tag: UInt32) { accounts[Int(tag)].duplicated &+= 1 }

    mutating func dropped(_ tag: UInt32, _ cause: DropCause) {
        let index = Int(tag)
        if cause == .timeToLive, tag != 0 { timeToLiveDrops += 1 }
        if accounts[index].dropped.isEmpty {
            accounts[index].dropped = [UInt64](repeating: 0, count: DropCause.allCases.count)
        }
        accounts[index].dropped[Int(cause.rawValue)] += 1
    }

    mutating func countInFlight(_ tags: some Sequence<UInt32>) {
        for index in accounts.indices { accounts[index].inFlight = 0 }
        for tag in tags { accounts[Int(tag)].inFlight += 1 }
    }
}

// Attacks
extension FlowLedger {
    /// Opens the account of an attack and gives its tag; before any flow has one.
    mutating func openAttack(_ key: FlowKey) -> UInt32 {
        precondition(accounts.count == reachedNodes.count + 1, "attacks have the first tags")
        reachedNodes.append(0)
        return tag(for: key)
    }

    @inline(__always)
    func isAttack(_ tag: UInt32) -> Bool { tag &- 1 < UInt32(truncatingIfNeeded: reachedNodes.count) }

    mutating func reachedNode(_ tag: UInt32) { reachedNodes[Int(tag) - 1] += 1 }

    mutating func attackBegins() {
        if attacksUnderWay == 0 { atOnset = legitimate }
        attacksUnderWay += 1
    }

    mutating func attackEnds() {
        guard attacksUnderWay > 0 else { return }
        duringEarlierAttacks = duringAttacks
        attacksUnderWay -= 1
        atOnset = legitimate
    }

    /// What became of all others' packets while attacks lasted.
    var duringAttacks: LegitimateAccount {
        var account = duringEarlierAttacks
        guard attacksUnderWay > 0 else { return account }
        let now = legitimate
        account.sent += now.sent - atOnset.sent
        account.refused += now.refused - atOnset.refused
        return account
    }

    private var legitimate: LegitimateAccount {
        var result = LegitimateAccount()
        for index in accounts.indices where !isAttack(UInt32(index)) {
            result.sent += accounts[index].sent
            guard !accounts[index].dropped.isEmpty else { continue }
            for cause in [DropCause.policed, .denied] { result.refused += accounts[index].dropped[Int(cause.rawValue)] }
        }
        return result
    }
}

import Basics
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
/// the network itself says: ARP, ICMP, probes.
struct FlowLedger: Sendable {
    private(set) var accounts: ContiguousArray<FlowAccount> = [FlowAccount(key: FlowKey(0))]
    private var tags = IndexTable()
    /// Packets of flows that went round until their time to live ran out; probes of a path do so on purpose.
    private(set) var timeToLiveDrops: UInt64 = 0

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

import Basics
import Scenario
import Simulator

/// One event of a simulation, in the words of its topology.
struct NamedEvent: Equatable, Encodable {
    enum Kind: String, Encodable {
        case arrival
        case wake
    }

    let nanoseconds: UInt64
    let node: String
    let kind: Kind
    /// The link that the packet came over; nil for a wake.
    let link: String?
    /// A hash of the packet, in hexadecimal; nil for a wake.
    let packet: String?

    init(_ event: TracedEvent, in topology: Topology) {
        nanoseconds = event.at.nanoseconds
        let isKnown = topology.nodes.indices.contains(event.device)
        node = isKnown ? topology.nodes[event.device].name : "node \(event.device)"
        kind = event.isArrival ? .arrival : .wake
        link = event.linkIndex.flatMap { topology.links.indices.contains($0) ? topology.links[$0].name : nil }
        packet = event.isArrival ? String(event.content, radix: 16) : nil
    }

    /// When, where and what.
    var cells: [String] {
        let digits = String(nanoseconds % 1_000_000_000)
        let fraction = String(repeating: "0", count: 9 - digits.count) + digits
        let what: String
        switch kind {
        case .wake: what = "wake"
        case .arrival: what = "arrival over \(link ?? "a link"), packet \(packet ?? "")"
        }
        return ["\(nanoseconds / 1_000_000_000).\(fraction) s", node, what]
    }
}

extension TracedEvent {
    /// The link over which a packet arrived; nil for a wake.
    ///
    /// The low half of an event's key is 1 plus twice the link's index, plus 1 for the way back.
    fileprivate var linkIndex: Int? {
        let low = Int(key & 0xFFFF_FFFF)
        return low == 0 ? nil : (low - 1) / 2
    }
}

import Basics
import Telemetry
import Wire

/// The flows that the data plane carries without the node's help, found by key and forgotten the oldest first.
struct HandedFlows: Sendable {
    private struct Entry: Sendable, BitwiseCopyable {
        var flow: FiveTuple
        var tunnel: TunnelID
        var peer: UInt32
        var isUsed: Bool
    }

    private var index = IndexTable(capacity: 256)
    private var entries: ContiguousArray<Entry> = []
    /// Where the next flow goes once all places are taken, and so the oldest.
    private var next = 0
    private let capacity: Int

    init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    var count: Int { index.count }

    /// The tunnel that a flow was handed over to.
    func tunnel(of key: FlowKey) -> TunnelID? {
        index[key.rawValue].map { entries[Int($0)].tunnel }
    }

    /// Notes a flow, or its new tunnel, and returns the one that had to make room.
    mutating func insert(_ flow: FiveTuple, _ key: FlowKey, into tunnel: TunnelID, toward peer: Int) -> FiveTuple? {
        let entry = Entry(flow: flow, tunnel: tunnel, peer: UInt32(peer), isUsed: true)
        if let place = index[key.rawValue] {
            entries[Int(place)] = entry
            return nil
        }
        let place = next
        next = (next + 1) % capacity
        var evicted: FiveTuple?
        if place < entries.count {
            if entries[place].isUsed {
                evicted = entries[place].flow
                index[entries[place].flow.key.rawValue] = nil
            }
            entries[place] = entry
        } else {
            entries.append(entry)
        }
        index[key.rawValue] = UInt32(place)
        return evicted
    }

    /// Forgets the flows of which `isToGo` says so, by the flow and the peer that it goes to, and returns them in the
    /// order of their places.
    mutating func removeAll(where isToGo: (FiveTuple, _ peer: Int) -> Bool) -> ContiguousArray<FiveTuple> {
        var removed: ContiguousArray<FiveTuple> = []
        for place in entries.indices where entries[place].isUsed {
            guard isToGo(entries[place].flow, Int(entries[place].peer)) else { continue }
            entries[place].isUsed = false
            index[entries[place].flow.key.rawValue] = nil
            removed.append(entries[place].flow)
        }
        return removed
    }
}

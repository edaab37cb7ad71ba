import Basics

/// A packet that waits for the transmitter.
struct WaitingPacket: Sendable, BitwiseCopyable {
    var packet: QueuedPacket
    /// The packet's place in the order of those offered.
    var sequence: UInt32
    var since: Instant
}

/// The nodes of all lists of a link's queue.
struct PacketStore: Sendable {
    struct Node: Sendable, BitwiseCopyable {
        var value: WaitingPacket
        /// The node behind this one, in its list or among the unused.
        var next: Int32
    }

    fileprivate var nodes: ContiguousArray<Node> = []
    private var unused: Int32 = -1

    fileprivate mutating func insert(_ value: WaitingPacket) -> Int32 {
        guard unused >= 0 else {
            nodes.append(Node(value: value, next: -1))
            return Int32(nodes.count - 1)
        }
        let index = unused
        unused = nodes[Int(index)].next
        nodes[Int(index)] = Node(value: value, next: -1)
        return index
    }

    fileprivate mutating func remove(_ index: Int32) -> Node {
        let node = nodes[Int(index)]
        nodes[Int(index)].next = unused
        unused = index
        return node
    }
}

/// Waiting packets, first in, first out, in a store shared with other lists.
struct PacketList: Sendable, BitwiseCopyable {
    private var head: Int32 = -1
    private var tail: Int32 = -1
    private(set) var count = 0
    private(set) var byteCount: UInt64 = 0

    mutating func append(_ value: WaitingPacket, to store: inout PacketStore) {
        let index = store.insert(value)
        if head < 0 { head = index } else { store.nodes[Int(tail)].next = index }
        tail = index
        count += 1
        byteCount += UInt64(value.packet.byteCount)
    }

    mutating func popFirst(of store: inout PacketStore) -> WaitingPacket? {
        guard head >= 0 else { return nil }
        let node = store.remove(head)
        head = node.next
        count -= 1
        byteCount -= UInt64(node.value.packet.byteCount)
        return node.value
    }
}

import Basics
import Telemetry

/// The packets that wait under CoDel (one queue) or FQ-CoDel (1024 queues in deficit round robin, RFC 8290).
struct ActiveQueue: Sendable {
    private static var flowCount: Int { 1_024 }
    private static var quantum: Int { 1_514 }
    /// At most so many packets are dropped at a time when the whole is too long.
    private static var dropBatch: Int { 64 }

    private enum Membership: Sendable {
        case none
        case new
        case old
    }

    private struct Flow: Sendable, BitwiseCopyable {
        var list = PacketList()
        var coDel = CoDel()
        var deficit = 0
        var membership = Membership.none

        mutating func take(
            of store: inout PacketStore, at now: Instant, dropped: inout Ring<Fallen>
        ) -> WaitingPacket? {
            coDel.dequeue(from: &list, of: &store, at: now, dropped: &dropped)
        }
    }

    let isFair: Bool
    private(set) var count = 0
    private(set) var byteCount: UInt64 = 0
    private var flows: ContiguousArray<Flow>
    private var store = PacketStore()
    private var newFlows = Ring<UInt16>()
    private var oldFlows = Ring<UInt16>()
    private let perturbation: UInt64

    init(isFair: Bool, perturbation: UInt64) {
        self.isFair = isFair
        self.perturbation = perturbation
        flows = ContiguousArray(repeating: Flow(), count: isFair ? ActiveQueue.flowCount : 1)
    }

    mutating func append(_ waiting: WaitingPacket) {
        let index = isFair ? flowIndex(of: waiting.packet) : 0
        flows[index].list.append(waiting, to: &store)
        count += 1
        byteCount += UInt64(waiting.packet.byteCount)
        guard isFair, flows[index].membership == .none else { return }
        flows[index].membership = .new
        flows[index].deficit = ActiveQueue.quantum
        newFlows.append(UInt16(index))
    }

    /// Takes the packet to be sent `now`; those dropped on the way are appended to `dropped`.
    mutating func popNext(at now: Instant, dropped: inout Ring<Fallen>) -> WaitingPacket? {
        guard isFair else { return take(from: 0, at: now, dropped: &dropped) }
        while let index = newFlows.first ?? oldFlows.first {
            let isNew = !newFlows.isEmpty
            let place = Int(index)
            if flows[place].deficit <= 0 {
                flows[place].deficit += ActiveQueue.quantum
                moveFirst(isNew: isNew, to: .old)
                continue
            }
            if let waiting = take(from: place, at: now, dropped: &dropped) {
                flows[place].deficit -= Int(waiting.packet.byteCount)
                return waiting
            }
            // A new flow that is through goes behind the old ones, or it could starve them by coming and going.
            moveFirst(isNew: isNew, to: isNew ? .old : .none)
        }
        return nil
    }

    /// Drops from the head of the fattest queue: half of it, at most 64 packets (RFC 8290 §4.1).
    mutating func dropFromFattest(into dropped: inout Ring<Fallen>) {
        var fattest = 0
        for index in flows.indices where flows[index].list.byteCount > flows[fattest].list.byteCount {
            fattest = index
        }
        let half = (flows[fattest].list.count + 1) / 2
        for _ in 0..<min(half, ActiveQueue.dropBatch) {
            guard let waiting = flows[fattest].list.popFirst(of: &store) else { return }
            count -= 1
            byteCount -= UInt64(waiting.packet.byteCount)
            dropped.append(Fallen(token: waiting.packet.token, cause: .queueFull))
        }
    }

    /// Takes out everything, flow after flow.
    mutating func removeAll() -> [WaitingPacket] {
        var removed: [WaitingPacket] = []
        for index in flows.indices {
            while let waiting = flows[index].list.popFirst(of: &store) { removed.append(waiting) }
            flows[index] = Flow()
        }
        newFlows.removeAll()
        oldFlows.removeAll()
        count = 0
        byteCount = 0
        return removed
    }

    private mutating func take(from index: Int, at now: Instant, dropped: inout Ring<Fallen>) -> WaitingPacket? {
        let bytesBefore = flows[index].list.byteCount
        let countBefore = flows[index].list.count
        let waiting = flows[index].take(of: &store, at: now, dropped: &dropped)
        count -= countBefore - flows[index].list.count
        byteCount -= bytesBefore - flows[index].list.byteCount
        return waiting
    }

    private mutating func moveFirst(isNew: Bool, to membership: Membership) {
        guard let index = isNew ? newFlows.popFirst() : oldFlows.popFirst() else { return }
        flows[Int(index)].membership = membership
        if membership == .old { oldFlows.append(index) }
    }

    private func flowIndex(of packet: QueuedPacket) -> Int {
        let mixed = (UInt64(packet.flowHash) ^ perturbation) &* 0x9E37_79B9_7F4A_7C15
        let hash = (mixed ^ (mixed >> 32)) &* 0xBF58_476D_1CE4_E5B9
        return Int(truncatingIfNeeded: hash >> 54)
    }
}

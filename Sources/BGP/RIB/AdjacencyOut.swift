import Wire

/// The Adj-RIB-Out of one peer: what it has been told (RFC 4271 §3.2), and what it is to be told next.
struct AdjacencyOut: Sendable {
    private var advertised: ContiguousArray<AttributeIndex> = []
    private var isPending: ContiguousArray<Bool> = []
    /// Prefixes to be looked at, in the order in which they came.
    private(set) var pending: ContiguousArray<PrefixIndex> = []
    /// How many prefixes the peer has been told.
    private(set) var count = 0

    /// What the peer was last told of a prefix.
    subscript(index: PrefixIndex) -> AttributeIndex {
        get { Int(index) < advertised.count ? advertised[Int(index)] : .none }
        set {
            while advertised.count <= Int(index) { advertised.append(.none) }
            count += (newValue == .none ? 0 : 1) - (advertised[Int(index)] == .none ? 0 : 1)
            advertised[Int(index)] = newValue
        }
    }

    mutating func enqueue(_ index: PrefixIndex) {
        while isPending.count <= Int(index) { isPending.append(false) }
        guard !isPending[Int(index)] else { return }
        isPending[Int(index)] = true
        pending.append(index)
    }

    mutating func takePending() -> ContiguousArray<PrefixIndex> {
        for index in pending { isPending[Int(index)] = false }
        var taken: ContiguousArray<PrefixIndex> = []
        swap(&taken, &pending)
        return taken
    }

    /// Forgets everything and returns the attributes that were held.
    mutating func removeAll() -> ContiguousArray<AttributeIndex> {
        var held = advertised
        held.removeAll { $0 == .none }
        self = AdjacencyOut()
        return held
    }
}

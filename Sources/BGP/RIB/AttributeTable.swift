import Basics
import Wire

/// The number of a set of attributes in an ``AttributeTable``.
typealias AttributeIndex = UInt32

extension AttributeIndex {
    /// No set at all.
    static let none = AttributeIndex.max
}

/// Every set of attributes in use, once, with the number of its users.
///
/// Thousands of routes share a set; a route holds an index of four octets, and two
/// sets are equal exactly if their indices are. A set is kept as the octets that
/// announce it to a peer with four-octet AS numbers (``PathAttributes/packed``), as that
/// takes a fifth of the memory, and is made a value again for whoever wants to look at it.
struct AttributeTable: Sendable {
    private struct Entry: PooledRecord {
        var key: DecisionKey
        var hash: UInt32
        var users: UInt32
        var link = endOfLinks
        /// Whether its octets do not say everything, so that the value itself is kept.
        var isOdd = false
    }

    private var entries = PagedPool<Entry>()
    private var octets: ContiguousArray<ContiguousArray<UInt8>> = []
    private var numbers = HashIndex()
    /// The values of odd sets; looked up, never walked.
    private var oddValues: [AttributeIndex: PathAttributes] = [:]  // not iterated
    /// The metrics of RFC 7311, of sets that have one; looked up, never walked.
    private var metrics: [AttributeIndex: UInt64] = [:]  // not iterated
    private var scratch: ContiguousArray<UInt8> = []

    /// How many sets are in use.
    var count: Int { entries.count }

    /// The index of a set, whose caller becomes one of its users.
    mutating func intern(_ attributes: PathAttributes) -> AttributeIndex {
        let index = internValue(attributes)
        if let metric = attributes.accumulatedMetric { metrics[index] = metric }
        return index
    }

    private mutating func internValue(_ attributes: PathAttributes) -> AttributeIndex {
        var packed = ContiguousArray<UInt8>()
        swap(&packed, &scratch)
        defer { swap(&packed, &scratch) }
        packed.removeAll(keepingCapacity: true)
        attributes.pack(into: &packed)
        guard PathAttributes(packed: packed.span.bytes) == attributes else { return internOdd(attributes, packed) }
        return intern(packed.span.bytes, key: DecisionKey(attributes))
    }

    /// The index of the set with these octets, whose key the caller has worked out.
    mutating func intern(_ packed: RawSpan, key: @autoclosure () -> DecisionKey) -> AttributeIndex {
        let hash = HashIndex.hash(packed)
        let known = numbers.find(hash) { number in
            guard entries[number].hash == hash, !entries[number].isOdd else { return false }
            let known = octets[Int(number)]
            return known.span.bytes.isEqual(to: packed)
        }
        if let known {
            entries[known].users += 1
            return known
        }
        return add(Entry(key: key(), hash: hash, users: 1), packed)
    }

    private mutating func internOdd(_ attributes: PathAttributes, _ packed: ContiguousArray<UInt8>) -> AttributeIndex {
        let hash = HashIndex.hash(packed.span.bytes)
        if let known = numbers.find(hash, where: { entries[$0].isOdd && oddValues[$0] == attributes }) {
            entries[known].users += 1
            return known
        }
        let index = add(Entry(key: DecisionKey(attributes), hash: hash, users: 1, isOdd: true), packed.span.bytes)
        oddValues[index] = attributes
        return index
    }

    private mutating func add(_ entry: Entry, _ packed: RawSpan) -> AttributeIndex {
        let index = entries.insert(entry)
        while octets.count <= Int(index) { octets.append([]) }
        octets[Int(index)] = ContiguousArray(copying: packed)
        while !numbers.insertIfRoom(index, entry.hash) {
            let entries = entries
            numbers.makeRoom(entry.hash) { entries[$0].hash }
        }
        return index
    }

    mutating func retain(_ index: AttributeIndex, _ count: UInt32 = 1) {
        entries[index].users += count
    }

    /// Gives a set up; ``AttributeIndex/none`` is allowed.
    mutating func release(_ index: AttributeIndex, _ count: UInt32 = 1) {
        guard index != .none else { return }
        entries[index].users -= count
        if entries[index].users == 0 { remove(index) }
    }

    @inline(never)
    private mutating func remove(_ index: AttributeIndex) {
        if entries[index].isOdd { oddValues[index] = nil }
        if entries[index].key.hasAccumulatedMetric { metrics[index] = nil }
        numbers.remove(index, entries[index].hash)
        entries.remove(index)
        octets[Int(index)] = []
        if entries.count == 0 { octets = [] }
    }

    subscript(index: AttributeIndex) -> PathAttributes {
        if entries[index].isOdd, let value = oddValues[index] { return value }
        let packed = octets[Int(index)]
        return PathAttributes(packed: packed.span.bytes)
    }

    /// What the decision process needs of a set.
    func key(_ index: AttributeIndex) -> DecisionKey { entries[index].key }

    /// The metric of a set (RFC 7311 §3).
    func accumulatedMetric(_ index: AttributeIndex) -> UInt64? {
        entries[index].key.hasAccumulatedMetric ? metrics[index] : nil
    }

    /// Whether any set has one.
    var hasAccumulatedMetrics: Bool { !metrics.isEmpty }

    /// The octets that announce a set to a peer with four-octet AS numbers; nil where they do not say everything.
    ///
    /// An IPv4 next hop is among them, an IPv6 one stands behind.
    func packed(_ index: AttributeIndex) -> ContiguousArray<UInt8>? {
        entries[index].isOdd ? nil : octets[Int(index)]
    }
}

extension ContiguousArray<UInt8> {
    init(copying bytes: RawSpan) {
        self = bytes.withUnsafeBytes { unsafe ContiguousArray($0) }
    }
}

extension RawSpan {
    /// Whether two runs hold the same octets.
    func isEqual(to other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        var offset = 0
        while offset + 8 <= byteCount {
            guard field(at: offset, as: UInt64.self) == other.field(at: offset) else { return false }
            offset += 8
        }
        while offset < byteCount {
            guard field(at: offset, as: UInt8.self) == other.field(at: offset) else { return false }
            offset += 1
        }
        return true
    }
}

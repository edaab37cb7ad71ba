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
/// sets are equal exactly if their indices are.
struct AttributeTable: Sendable {
    private struct Entry: Sendable {
        var attributes: PathAttributes
        var key: DecisionKey
        var users: UInt32
    }

    private var entries: ContiguousArray<Entry> = []
    private var free: ContiguousArray<AttributeIndex> = []
    /// Looked up, never walked: its order differs from process to process.
    private var indices: [PathAttributes: AttributeIndex] = [:]  // not iterated

    /// How many sets are in use.
    var count: Int { indices.count }

    /// The index of a set, whose caller becomes one of its users.
    mutating func intern(_ attributes: PathAttributes) -> AttributeIndex {
        if let index = indices[attributes] {
            retain(index)
            return index
        }
        let entry = Entry(attributes: attributes, key: DecisionKey(attributes), users: 1)
        let index: AttributeIndex
        if let reused = free.popLast() {
            index = reused
            entries[Int(index)] = entry
        } else {
            index = AttributeIndex(entries.count)
            entries.append(entry)
        }
        indices[attributes] = index
        return index
    }

    mutating func retain(_ index: AttributeIndex) {
        entries[Int(index)].users += 1
    }

    /// Gives a set up; ``AttributeIndex/none`` is allowed.
    mutating func release(_ index: AttributeIndex) {
        guard index != .none else { return }
        entries[Int(index)].users -= 1
        guard entries[Int(index)].users == 0 else { return }
        indices[entries[Int(index)].attributes] = nil
        entries[Int(index)].attributes = PathAttributes(nextHop: .v4(.any))
        free.append(index)
    }

    subscript(index: AttributeIndex) -> PathAttributes { entries[Int(index)].attributes }

    /// What the decision process needs of a set.
    func key(_ index: AttributeIndex) -> DecisionKey { entries[Int(index)].key }
}

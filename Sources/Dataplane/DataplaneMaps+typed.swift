extension DataplaneMaps where Self: ~Copyable {
    mutating func write<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ map: DataplaneMap, _ key: Key, _ value: Value
    ) throws(DataplaneError) {
        let key = [key]
        let value = [value]
        try update(map, key: key.span.bytes, value: value.span.bytes)
    }

    @discardableResult
    mutating func erase<Key: BitwiseCopyable>(_ map: DataplaneMap, _ key: Key) throws(DataplaneError) -> Bool {
        let key = [key]
        return try remove(map, key: key.span.bytes)
    }

    /// Copies the value of `key` over `value`; false where there is none.
    mutating func fetch<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ map: DataplaneMap, _ key: Key, into value: inout [Value]
    ) throws(DataplaneError) -> Bool {
        let key = [key]
        var span = value.mutableSpan
        var bytes = span.mutableBytes
        return try read(map, key: key.span.bytes, into: &bytes)
    }

    /// The value of `key`; nil where there is none.
    mutating func fetch<Key: BitwiseCopyable, Value: BitwiseCopyable>(
        _ map: DataplaneMap, _ key: Key, like blank: Value
    ) throws(DataplaneError) -> Value? {
        var value = [blank]
        return try fetch(map, key, into: &value) ? value[0] : nil
    }

    /// All keys, in the map's order; at most `limit`, as a map that changes may never end.
    mutating func keys<Key: BitwiseCopyable>(
        _ map: DataplaneMap, like blank: Key, limit: Int
    ) throws(DataplaneError) -> [Key] {
        var keys: [Key] = []
        var next = [blank]
        while keys.count < limit {
            let current = next
            var span = next.mutableSpan
            var bytes = span.mutableBytes
            let isThere =
                keys.isEmpty
                ? try self.next(map, after: nil, into: &bytes)
                : try self.next(map, after: current.span.bytes, into: &bytes)
            guard isThere else { break }
            keys.append(next[0])
        }
        return keys
    }
}

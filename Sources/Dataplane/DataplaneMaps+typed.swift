// Keys and values here are structures of the C header, which have no padding and no references.
extension DataplaneMaps where Self: ~Copyable {
    mutating func write<Key, Value>(_ map: DataplaneMap, _ key: Key, _ value: Value) throws(DataplaneError) {
        try unsafe withUnsafeBytes(of: key) { key throws(DataplaneError) in
            try unsafe withUnsafeBytes(of: value) { value throws(DataplaneError) in
                try unsafe update(map, key: key.bytes, value: value.bytes)
            }
        }
    }

    @discardableResult
    mutating func erase<Key>(_ map: DataplaneMap, _ key: Key) throws(DataplaneError) -> Bool {
        try unsafe withUnsafeBytes(of: key) { key throws(DataplaneError) in
            try unsafe remove(map, key: key.bytes)
        }
    }

    /// Copies the value of `key` over `value`; false where there is none.
    mutating func fetch<Key, Value>(
        _ map: DataplaneMap, _ key: Key, into value: inout [Value]
    ) throws(DataplaneError) -> Bool {
        let byteCount = value.count * MemoryLayout<Value>.stride
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 16)
        defer { unsafe bytes.deallocate() }
        let isThere = try unsafe withUnsafeBytes(of: key) { key throws(DataplaneError) in
            var span = unsafe bytes.mutableBytes
            return try unsafe read(map, key: key.bytes, into: &span)
        }
        guard isThere else { return false }
        for place in value.indices {
            unsafe value[place] = bytes.load(fromByteOffset: place * MemoryLayout<Value>.stride, as: Value.self)
        }
        return true
    }

    /// The value of `key`; nil where there is none.
    mutating func fetch<Key, Value>(
        _ map: DataplaneMap, _ key: Key, like blank: Value
    ) throws(DataplaneError) -> Value? {
        var value = blank
        let isThere = try unsafe withUnsafeBytes(of: key) { key throws(DataplaneError) in
            try unsafe withUnsafeMutableBytes(of: &value) { value throws(DataplaneError) in
                var bytes = unsafe value.mutableBytes
                return try unsafe read(map, key: key.bytes, into: &bytes)
            }
        }
        return isThere ? value : nil
    }

    /// All keys, in the map's order; at most `limit`, as a map that changes may never end.
    mutating func keys<Key>(_ map: DataplaneMap, like blank: Key, limit: Int) throws(DataplaneError) -> [Key] {
        var keys: [Key] = []
        var next = blank
        while keys.count < limit {
            let current = next
            let isFirst = keys.isEmpty
            let isThere = try unsafe withUnsafeBytes(of: current) { current throws(DataplaneError) in
                try unsafe withUnsafeMutableBytes(of: &next) { next throws(DataplaneError) in
                    var bytes = unsafe next.mutableBytes
                    return try unsafe self.next(map, after: isFirst ? nil : current.bytes, into: &bytes)
                }
            }
            guard isThere else { break }
            keys.append(next)
        }
        return keys
    }
}

import Dataplane

/// Maps in memory, which keep octets and know nothing else.
struct MemoryMaps: DataplaneMaps {
    private var entries: [DataplaneMap: [(key: [UInt8], value: [UInt8])]] = [:]
    var processorCount = 3
    /// The map that has no room left.
    var full: DataplaneMap?
    /// How often each map was written.
    private(set) var writes: [DataplaneMap: Int] = [:]

    private func octets(_ bytes: RawSpan) -> [UInt8] { bytes.withUnsafeBytes { Array($0) } }

    func value(_ map: DataplaneMap, _ key: [UInt8]) -> [UInt8]? {
        entries[map]?.first { $0.key == key }?.value
    }

    func count(_ map: DataplaneMap) -> Int { entries[map]?.count ?? 0 }

    mutating func set(_ map: DataplaneMap, _ key: [UInt8], _ value: [UInt8]) {
        entries[map, default: []].removeAll { $0.key == key }
        entries[map, default: []].append((key, value))
    }

    mutating func update(_ map: DataplaneMap, key: RawSpan, value: RawSpan) throws(DataplaneError) {
        if map == full { throw .full(map) }
        guard key.byteCount == map.keySize, value.byteCount == map.valueSize else { throw .malformed(map) }
        writes[map, default: 0] += 1
        set(map, octets(key), octets(value))
    }

    mutating func remove(_ map: DataplaneMap, key: RawSpan) throws(DataplaneError) -> Bool {
        let key = octets(key)
        guard value(map, key) != nil else { return false }
        entries[map, default: []].removeAll { $0.key == key }
        return true
    }

    mutating func read(
        _ map: DataplaneMap, key: RawSpan, into value: inout MutableRawSpan
    ) throws(DataplaneError) -> Bool {
        guard let found = self.value(map, octets(key)) else { return false }
        guard found.count == value.byteCount else { throw .malformed(map) }
        value.withUnsafeMutableBytes { $0.copyBytes(from: found) }
        return true
    }

    mutating func next(
        _ map: DataplaneMap, after key: RawSpan?, into next: inout MutableRawSpan
    ) throws(DataplaneError) -> Bool {
        let keys = (entries[map] ?? []).map(\.key)
        var place = 0
        if let key {
            let key = octets(key)
            place = (keys.firstIndex(of: key) ?? -1) + 1
        }
        guard place < keys.count else { return false }
        next.withUnsafeMutableBytes { $0.copyBytes(from: keys[place]) }
        return true
    }
}

// The maps from outside, as `bpf(2)` gives them; keys and values are octets of the map's own sizes.
extension XDPMachine {
    private func check(_ map: Int, key: Int?, value: Int? = nil) throws(MapError) {
        precondition(maps.indices.contains(map), "no such map")
        guard key == nil || key == maps[map].keySize, value == nil || value == maps[map].valueSize else {
            throw .invalidArgument
        }
        guard maps[map].kind != .ring else { throw .unsupported }
    }

    /// Writes a key's value; in a program array the value is the index of a program.
    public mutating func update(
        _ map: Int, key: RawSpan, value: RawSpan, _ asked: MapUpdate = .any
    ) throws(MapError) {
        try check(map, key: key.byteCount, value: value.byteCount)
        var refusal: MapError?
        if maps[map].kind == .programArray {
            refusal = hold(map, key: key, value: value, asked)
        } else {
            refusal = key.withUnsafeBytes { key in
                value.withUnsafeBytes { value in
                    guard let key = key.baseAddress, let value = value.baseAddress else { return .invalidArgument }
                    return interpreter.environment.maps[map].update(key, value, flags: asked.rawValue)
                }
            }
        }
        if let refusal { throw refusal }
    }

    private mutating func hold(_ map: Int, key: RawSpan, value: RawSpan, _ asked: MapUpdate) -> MapError? {
        let index = key.unsafeLoadUnaligned(as: UInt32.self)
        let program = value.unsafeLoadUnaligned(as: UInt32.self)
        guard asked == .any, program < UInt32(programs.count) else { return .invalidArgument }
        guard index < maps[map].maxEntries else { return .full }
        interpreter.environment.maps[map].hold(Int(program), at: Int(index))
        return nil
    }

    /// Deletes a key.
    public mutating func delete(_ map: Int, key: RawSpan) throws(MapError) {
        try check(map, key: key.byteCount)
        let refusal: MapError? = key.withUnsafeBytes { key in
            guard let key = key.baseAddress else { return .invalidArgument }
            return interpreter.environment.maps[map].delete(key)
        }
        if let refusal { throw refusal }
    }

    /// Copies a key's value to `value`; false where there is no such key.
    ///
    /// To a map that forgets, this is no use of the key.
    public func lookUp(_ map: Int, key: RawSpan, into value: inout MutableRawSpan) throws(MapError) -> Bool {
        try check(map, key: key.byteCount, value: value.byteCount)
        let size = maps[map].valueSize
        return key.withUnsafeBytes { key in
            value.withUnsafeMutableBytes { value in
                guard let key = key.baseAddress, let place = value.baseAddress else { return false }
                if maps[map].kind == .programArray {
                    let index = key.loadUnaligned(as: UInt32.self)
                    guard let program = interpreter.environment.maps[map].program(at: index) else { return false }
                    place.storeBytes(of: UInt32(program), as: UInt32.self)
                    return true
                }
                guard let slot = interpreter.environment.maps[map].slot(of: key) else { return false }
                place.copyMemory(from: interpreter.environment.maps[map].value(of: slot), byteCount: size)
                return true
            }
        }
    }

    /// Copies the first key of a map to `key`; false where the map is empty.
    public func firstKey(_ map: Int, into key: inout MutableRawSpan) throws(MapError) -> Bool {
        try check(map, key: key.byteCount)
        let slot = interpreter.environment.maps[map].slot(after: nil)
        return copyKey(map, slot, into: &key)
    }

    /// Copies the key behind another one to `key`, the first where that is not there; false after the last.
    public func nextKey(_ map: Int, after other: RawSpan, into key: inout MutableRawSpan) throws(MapError) -> Bool {
        try check(map, key: other.byteCount)
        try check(map, key: key.byteCount)
        let slot = other.withUnsafeBytes { interpreter.environment.maps[map].slot(after: $0.baseAddress) }
        return copyKey(map, slot, into: &key)
    }

    private func copyKey(_ map: Int, _ slot: Int?, into key: inout MutableRawSpan) -> Bool {
        guard let slot else { return false }
        return key.withUnsafeMutableBytes { place in
            guard let place = place.baseAddress else { return false }
            interpreter.environment.maps[map].copyKey(of: slot, to: place)
            return true
        }
    }

    /// How many keys a map holds; for a map of indices, how many it has room for.
    public func count(_ map: Int) -> Int {
        precondition(maps.indices.contains(map), "no such map")
        if maps[map].kind == .ring { return 0 }
        return maps[map].kind.isIndexed ? maps[map].maxEntries : interpreter.environment.maps[map].slots.count
    }

    /// Hands every finished record of a ring buffer to `body`, in order, and makes room for new ones.
    ///
    /// - Returns: How many there were.
    @discardableResult
    public mutating func drain(_ map: Int, _ body: (RawSpan) -> Void) -> Int {
        precondition(maps.indices.contains(map), "no such map")
        var count = 0
        while let record = interpreter.environment.maps[map].ring.take() {
            body(record.bytes)
            count += 1
        }
        return count
    }
}

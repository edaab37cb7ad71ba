/// One map: keys, and values in memory that never moves, which programs reach by address.
///
/// One processor runs programs, so that a per-CPU map holds one value a key. A value that is deleted
/// leaves its slot to the next key; a program that still holds its address then sees that key's
/// value, as it does in Linux, and never memory that is not the map's.
struct BPFMap: ~Copyable {
    let kind: MapKind
    let keySize: Int
    let valueSize: Int
    let maxEntries: Int
    let isReadOnly: Bool
    /// From one value to the next.
    let stride: Int
    /// Where the values begin, for programs.
    let address: UInt64
    let values: UnsafeMutableRawPointer
    let valuesByteCount: Int
    var slots: SlotSet
    /// Of a map of prefixes it only keeps the keys.
    var index: HashIndex
    var recency: RecencyList
    var tree: PrefixTree
    var ring: RingBuffer

    /// A map whose definition has no fault, with nothing in it but its content.
    init(_ definition: MapDefinition, region: Int) {
        let kind = definition.kind
        let valuesByteCount = Self.valuesByteCount(definition)
        let values = UnsafeMutableRawPointer.allocate(byteCount: max(8, valuesByteCount), alignment: 16)
        if kind.isIndexed { values.initializeMemory(as: UInt8.self, repeating: 0, count: valuesByteCount) }
        for (offset, octet) in definition.content.enumerated() {
            values.storeBytes(of: octet, toByteOffset: offset, as: UInt8.self)
        }
        self.kind = kind
        keySize = definition.keySize
        valueSize = definition.valueSize
        maxEntries = definition.maxEntries
        isReadOnly = definition.isReadOnly
        stride = (definition.valueSize + 7) & ~7
        address = AddressSpace.address(of: region)
        self.values = values
        self.valuesByteCount = valuesByteCount
        let slotCount = kind.isHashed || kind == .prefixes ? definition.maxEntries : 0
        slots = SlotSet(capacity: slotCount)
        index = HashIndex(keySize: definition.keySize, capacity: slotCount)
        recency = RecencyList(capacity: kind.forgets ? definition.maxEntries : 0)
        tree = PrefixTree(keySize: definition.keySize, capacity: kind == .prefixes ? definition.maxEntries : 0)
        ring = RingBuffer(capacity: kind == .ring ? definition.maxEntries : 0, records: values)
    }

    deinit {
        values.deallocate()
    }

    /// How much memory a definition's values take.
    static func valuesByteCount(_ definition: MapDefinition) -> Int {
        definition.kind == .ring ? 2 * definition.maxEntries : definition.maxEntries * ((definition.valueSize + 7) & ~7)
    }

    /// Where a slot's value lies.
    @inline(__always)
    func value(of slot: Int) -> UnsafeMutableRawPointer { values + slot * stride }

    private func isEmptyDevice(_ slot: Int) -> Bool {
        value(of: slot).load(as: UInt32.self) == 0
    }

    // MARK: Looking up

    /// The slot of a key that is there; nil where it is not.
    func slot(of key: UnsafeRawPointer) -> Int? {
        switch kind {
        case .array, .perCPUArray:
            let slot = Int(key.loadUnaligned(as: UInt32.self))
            return slot < maxEntries ? slot : nil
        case .hash, .perCPUHash, .recentHash, .perCPURecentHash, .devicesHash: return index.find(key)
        case .prefixes: return tree.longestMatch(key)
        case .programArray, .devices:
            let slot = Int(key.loadUnaligned(as: UInt32.self))
            return slot < maxEntries && !isEmptyDevice(slot) ? slot : nil
        case .ring: return nil
        }
    }

    /// The address of a key's value for a program, or null; to a map that forgets, this is a use of the key.
    @inline(__always)
    mutating func lookUp(_ key: UnsafeRawPointer) -> UInt64 {
        guard kind == .array || kind == .perCPUArray else { return lookUpKey(key) }
        let slot = Int(key.loadUnaligned(as: UInt32.self))
        return slot < maxEntries ? address &+ UInt64(truncatingIfNeeded: slot &* stride) : 0
    }

    @inline(never)
    private mutating func lookUpKey(_ key: UnsafeRawPointer) -> UInt64 {
        guard kind != .programArray, let slot = slot(of: key) else { return 0 }
        if kind.forgets { recency.touch(slot) }
        return address + UInt64(slot * stride)
    }

    /// The program that a program array holds at an index.
    func program(at index: UInt32) -> Int? {
        guard kind == .programArray, index < maxEntries else { return nil }
        let entry = value(of: Int(index)).load(as: UInt32.self)
        return entry == 0 ? nil : Int(entry) - 1
    }

    /// Puts a program into a program array, at an index that it has.
    mutating func hold(_ program: Int, at index: Int) {
        value(of: index).storeBytes(of: UInt32(program + 1), as: UInt32.self)
    }

    /// The interface that a map of devices holds for a key.
    func device(at key: UInt32) -> UInt32? {
        var key = key
        guard kind.holdsDevices, let slot = slot(of: &key) else { return nil }
        return value(of: slot).load(as: UInt32.self)
    }

    // MARK: Writing

    /// Writes a key's value; the error that Linux answers with, or nil.
    mutating func update(_ key: UnsafeRawPointer, _ value: UnsafeRawPointer, flags: UInt64) -> MapError? {
        guard !isReadOnly else { return .notPermitted }
        guard let asked = MapUpdate(rawValue: flags) else { return .invalidArgument }
        if kind.isIndexed { return updateIndexed(key, value, asked) }
        guard kind != .ring else { return .unsupported }
        if kind == .devicesHash, value.loadUnaligned(as: UInt32.self) == 0 { return .invalidArgument }
        if kind == .prefixes, PrefixTree.length(of: key) > tree.longestPrefix { return .invalidArgument }
        if let slot = kind == .prefixes ? tree.find(key) : index.find(key) {
            guard asked != .onlyIfAbsent else { return .exists }
            if kind == .prefixes { index.setKey(key, slot: slot) }
            if kind.forgets { recency.touch(slot) }
            self.value(of: slot).copyMemory(from: value, byteCount: valueSize)
            return nil
        }
        guard asked != .onlyIfPresent || kind == .devicesHash else { return .notFound }
        if kind.forgets, slots.count == maxEntries, let oldest = recency.oldest { forget(oldest) }
        guard let slot = slots.take() else { return kind == .prefixes ? .noSpace : .full }
        if kind == .prefixes {
            tree.insert(key, slot: slot)
            index.setKey(key, slot: slot)
        } else {
            index.insert(key, slot: slot)
        }
        if kind.forgets { recency.insert(slot) }
        self.value(of: slot).copyMemory(from: value, byteCount: valueSize)
        return nil
    }

    private mutating func updateIndexed(
        _ key: UnsafeRawPointer, _ value: UnsafeRawPointer, _ asked: MapUpdate
    ) -> MapError? {
        if kind == .programArray, asked != .any { return .invalidArgument }
        let slot = Int(key.loadUnaligned(as: UInt32.self))
        guard slot < maxEntries else { return .full }
        guard asked != .onlyIfAbsent else { return .exists }
        self.value(of: slot).copyMemory(from: value, byteCount: valueSize)
        return nil
    }

    /// Deletes a key; the error that Linux answers with, or nil.
    mutating func delete(_ key: UnsafeRawPointer) -> MapError? {
        guard !isReadOnly else { return .notPermitted }
        switch kind {
        case .array, .perCPUArray: return .invalidArgument
        case .ring: return .unsupported
        case .programArray, .devices:
            let slot = Int(key.loadUnaligned(as: UInt32.self))
            guard slot < maxEntries else { return kind == .devices ? .invalidArgument : .full }
            if kind == .programArray, isEmptyDevice(slot) { return .notFound }
            value(of: slot).initializeMemory(as: UInt8.self, repeating: 0, count: stride)
        case .prefixes:
            guard PrefixTree.length(of: key) <= tree.longestPrefix else { return .invalidArgument }
            guard let slot = tree.find(key) else { return .notFound }
            tree.remove(key)
            slots.release(slot)
        case .hash, .perCPUHash, .recentHash, .perCPURecentHash, .devicesHash:
            guard let slot = index.find(key) else { return .notFound }
            forget(slot)
        }
        return nil
    }

    // MARK: Walking

    /// The slot that comes after a key's; the first where the key is not there, nil after the last.
    func slot(after key: UnsafeRawPointer?) -> Int? {
        if kind.isIndexed {
            guard let key else { return 0 }
            let slot = Int(key.loadUnaligned(as: UInt32.self))
            if slot >= maxEntries { return 0 }
            return slot + 1 < maxEntries ? slot + 1 : nil
        }
        guard let key, let slot = kind == .prefixes ? tree.find(key) : index.find(key) else {
            return slots.next(from: 0)
        }
        return slots.next(from: slot + 1)
    }

    /// Writes the key of a slot to `place`.
    func copyKey(of slot: Int, to place: UnsafeMutableRawPointer) {
        if kind.isIndexed {
            place.storeBytes(of: UInt32(slot), as: UInt32.self)
        } else {
            place.copyMemory(from: index.key(of: slot), byteCount: keySize)
        }
    }

    private mutating func forget(_ slot: Int) {
        index.remove(slot: slot)
        if kind.forgets { recency.remove(slot) }
        slots.release(slot)
    }
}

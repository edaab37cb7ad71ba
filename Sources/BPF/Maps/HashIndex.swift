/// Finds the slot of a key of raw octets: open addressing, at most half full.
///
/// The keys lie in their slots; the table holds slot numbers alone and doubles as the map fills.
struct HashIndex: ~Copyable {
    let keySize: Int
    private let keys: UnsafeMutableRawPointer
    /// A slot and one, or zero for none.
    private var table: UnsafeMutablePointer<UInt32>
    private var mask: Int
    private var count = 0

    init(keySize: Int, capacity: Int) {
        self.keySize = keySize
        keys = .allocate(byteCount: max(1, capacity * keySize), alignment: 16)
        mask = 15
        table = .allocate(capacity: mask + 1)
        table.initialize(repeating: 0, count: mask + 1)
    }

    deinit {
        keys.deallocate()
        table.deallocate()
    }

    /// Where the key of a slot lies.
    func key(of slot: Int) -> UnsafeRawPointer { UnsafeRawPointer(keys + slot * keySize) }

    /// The slot of a key; nil where it has none.
    func find(_ key: UnsafeRawPointer) -> Int? {
        var place = home(of: key)
        while true {
            let entry = table[place]
            guard entry != 0 else { return nil }
            let slot = Int(entry) - 1
            if isSame(key, UnsafeRawPointer(keys + slot * keySize)) { return slot }
            place = (place + 1) & mask
        }
    }

    /// Gives a slot to a key that has none.
    mutating func insert(_ key: UnsafeRawPointer, slot: Int) {
        setKey(key, slot: slot)
        if 2 * (count + 1) > mask + 1 { grow() }
        link(slot)
        count += 1
    }

    /// Writes down a slot's key where it is found by other means.
    func setKey(_ key: UnsafeRawPointer, slot: Int) {
        (keys + slot * keySize).copyMemory(from: key, byteCount: keySize)
    }

    /// Takes the slot's key out, and moves back what had to make way for it.
    mutating func remove(slot: Int) {
        var hole = home(of: key(of: slot))
        while table[hole] != UInt32(slot + 1) { hole = (hole + 1) & mask }
        var place = hole
        while true {
            place = (place + 1) & mask
            let entry = table[place]
            guard entry != 0 else { break }
            let wanted = home(of: key(of: Int(entry) - 1))
            if (place - wanted) & mask >= (place - hole) & mask {
                table[hole] = entry
                hole = place
            }
        }
        table[hole] = 0
        count -= 1
    }

    private mutating func grow() {
        let old = table
        let oldCount = mask + 1
        mask = 2 * oldCount - 1
        table = .allocate(capacity: mask + 1)
        table.initialize(repeating: 0, count: mask + 1)
        for place in 0..<oldCount where old[place] != 0 { link(Int(old[place]) - 1) }
        old.deallocate()
    }

    private func link(_ slot: Int) {
        var place = home(of: key(of: slot))
        while table[place] != 0 { place = (place + 1) & mask }
        table[place] = UInt32(slot + 1)
    }

    @inline(__always)
    private func home(of key: UnsafeRawPointer) -> Int {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15
        var offset = 0
        while offset &+ 8 <= keySize {
            let word = key.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            hash = (hash ^ word) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash >> 32
            offset &+= 8
        }
        if offset &+ 4 <= keySize {
            let word = UInt64(key.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
            hash = (hash ^ word) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash >> 32
            offset &+= 4
        }
        while offset < keySize {
            hash = (hash ^ UInt64(key.load(fromByteOffset: offset, as: UInt8.self))) &* 0xFF51_AFD7_ED55_8CCD
            hash ^= hash >> 32
            offset &+= 1
        }
        return Int(truncatingIfNeeded: hash) & mask
    }

    @inline(__always)
    private func isSame(_ left: UnsafeRawPointer, _ right: UnsafeRawPointer) -> Bool {
        var offset = 0
        while offset &+ 8 <= keySize {
            let a = left.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
            guard a == right.loadUnaligned(fromByteOffset: offset, as: UInt64.self) else { return false }
            offset &+= 8
        }
        if offset &+ 4 <= keySize {
            let a = left.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
            guard a == right.loadUnaligned(fromByteOffset: offset, as: UInt32.self) else { return false }
            offset &+= 4
        }
        while offset < keySize {
            let a = left.load(fromByteOffset: offset, as: UInt8.self)
            guard a == right.load(fromByteOffset: offset, as: UInt8.self) else { return false }
            offset &+= 1
        }
        return true
    }
}

import Basics

/// Finds the numbers of things by the hash of what they are, which whoever holds the things compares.
///
/// Five octets a slot, and no growth that takes long: numbers lie in buckets of a
/// bounded size, and a full bucket is split in two by one more bit of the hashes
/// (extendible hashing). Its order depends only on what was put in.
struct HashIndex: Sendable {
    private struct Bucket: Sendable {
        var slots: ContiguousArray<UInt32> = []
        /// Eight bits of each slot's hash, so that hardly any number is looked up in vain.
        var tags: ContiguousArray<UInt8> = []
        var count = 0
        /// Slots that are not free: those in use, and those left behind by what was taken out.
        var taken = 0
        /// How many of the highest bits all hashes of the bucket have in common.
        var depth: UInt32 = 0
    }

    private var buckets: ContiguousArray<Bucket> = [Bucket()]
    /// The bucket of each value of the highest `depth` bits.
    private var directory: ContiguousArray<UInt32> = [0]
    private var depth: UInt32 = 0

    private static let free: UInt8 = 0
    /// Of a slot whose number was taken out.
    private static let left: UInt8 = 1
    private static let largestBucket = 4096
    private static let greatestDepth: UInt32 = 16

    /// The number with that hash which is the one sought.
    @inline(__always)
    func find(_ hash: UInt32, where isSought: (UInt32) -> Bool) -> UInt32? {
        let bucket = place(hash)
        let mask = buckets[bucket].slots.count - 1
        guard mask > 0 else { return nil }
        let tag = Self.tag(hash)
        var slot = Int(hash) & mask
        while true {
            let found = buckets[bucket].tags[slot]
            if found == tag {
                let number = buckets[bucket].slots[slot]
                if isSought(number) { return number }
            } else if found == Self.free {
                return nil
            }
            slot = (slot + 1) & mask
        }
    }

    /// Has the slot fetched at which a number with that hash is looked for first.
    @inline(__always)
    func prepare(_ hash: UInt32) {
        let bucket = place(hash)
        let mask = buckets[bucket].slots.count - 1
        guard mask > 0 else { return }
        let slot = Int(hash) & mask
        prefetch(slot, of: buckets[bucket].tags)
        prefetch(slot, of: buckets[bucket].slots)
    }

    /// Puts in a number that is not there yet, if that takes no rearranging; returns whether it has.
    @inline(__always)
    mutating func insertIfRoom(_ number: UInt32, _ hash: UInt32) -> Bool {
        let bucket = place(hash)
        guard (buckets[bucket].taken + 1) * 4 <= buckets[bucket].slots.count * 3 else { return false }
        buckets[bucket].count += 1
        buckets[bucket].taken += 1
        Self.put(number, hash, into: &buckets[bucket])
        return true
    }

    /// Makes room for a number with that hash.
    mutating func makeRoom(_ hash: UInt32, hashOf: (UInt32) -> UInt32) {
        let bucket = place(hash)
        let size = buckets[bucket].slots.count
        if buckets[bucket].count * 2 < buckets[bucket].taken {
            refill(bucket, buckets[bucket], size: size, where: { _ in true }, hashOf: hashOf)
        } else if size < Self.largestBucket || buckets[bucket].depth == Self.greatestDepth {
            refill(bucket, buckets[bucket], size: max(8, size * 2), where: { _ in true }, hashOf: hashOf)
        } else {
            split(bucket, hash, hashOf: hashOf)
        }
    }

    /// Takes a number out.
    mutating func remove(_ number: UInt32, _ hash: UInt32) {
        let bucket = place(hash)
        let mask = buckets[bucket].slots.count - 1
        guard mask > 0 else { return }
        var slot = Int(hash) & mask
        while buckets[bucket].tags[slot] == Self.left || buckets[bucket].slots[slot] != number {
            if buckets[bucket].tags[slot] == Self.free { return }
            slot = (slot + 1) & mask
        }
        buckets[bucket].count -= 1
        guard buckets[bucket].count > 0 else {
            buckets[bucket].slots = []
            buckets[bucket].tags = []
            buckets[bucket].taken = 0
            return
        }
        buckets[bucket].tags[slot] = Self.left
    }

    @inline(__always)
    private func place(_ hash: UInt32) -> Int {
        Int(directory[Int(UInt64(hash) >> UInt64(32 - depth))])
    }

    private mutating func split(_ bucket: Int, _ hash: UInt32, hashOf: (UInt32) -> UInt32) {
        if buckets[bucket].depth == depth {
            depth += 1
            directory = ContiguousArray(directory.flatMap { [$0, $0] })
        }
        let old = buckets[bucket]
        let newDepth = old.depth + 1
        let other = buckets.count
        buckets[bucket].depth = newDepth
        buckets.append(Bucket(depth: newDepth))
        let bit = UInt32(1) << (32 - newDepth)
        refill(bucket, old, size: old.slots.count, where: { $0 & bit == 0 }, hashOf: hashOf)
        refill(other, old, size: old.slots.count, where: { $0 & bit != 0 }, hashOf: hashOf)
        // Of the directory's entries for the old bucket the upper half belongs to the new one.
        let shift = UInt64(32 - depth)
        let first = Int((UInt64(hash) & ~(UInt64(bit) &* 2 &- 1) | UInt64(bit)) >> shift)
        for entry in first..<first + 1 << Int(depth - newDepth) { directory[entry] = UInt32(other) }
    }

    private mutating func refill(
        _ bucket: Int, _ old: Bucket, size: Int, where isKept: (UInt32) -> Bool, hashOf: (UInt32) -> UInt32
    ) {
        var new = Bucket(depth: buckets[bucket].depth)
        new.slots = ContiguousArray(repeating: 0, count: size)
        new.tags = ContiguousArray(repeating: Self.free, count: size)
        for slot in old.slots.indices where old.tags[slot] > Self.left {
            let hash = hashOf(old.slots[slot])
            guard isKept(hash) else { continue }
            Self.put(old.slots[slot], hash, into: &new)
            new.count += 1
        }
        new.taken = new.count
        buckets[bucket] = new
    }

    @inline(__always)
    private static func put(_ number: UInt32, _ hash: UInt32, into bucket: inout Bucket) {
        let mask = bucket.slots.count - 1
        var slot = Int(hash) & mask
        while bucket.tags[slot] != free { slot = (slot + 1) & mask }
        bucket.slots[slot] = number
        bucket.tags[slot] = tag(hash)
    }

    /// Bits that tell neither the bucket of a table of usual size nor the slot.
    @inline(__always)
    private static func tag(_ hash: UInt32) -> UInt8 {
        max(2, UInt8(truncatingIfNeeded: hash >> 12))
    }
}

extension HashIndex {
    /// A hash whose bits all depend on all of the key's.
    @inline(__always)
    static func mixed(_ key: UInt64, _ seed: UInt64 = 0x9E37_79B9_7F4A_7C15) -> UInt64 {
        let product = (key ^ seed).multipliedFullWidth(by: 0xBF58_476D_1CE4_E5B9)
        let folded = product.high ^ product.low
        return (folded ^ folded >> 32) &* 0x94D0_49BB_1331_11EB
    }

    /// The hash of octets.
    static func hash(_ octets: RawSpan) -> UInt32 {
        var state = UInt64(octets.byteCount)
        var offset = 0
        while offset + 8 <= octets.byteCount {
            state = mixed(octets.field(at: offset), state &+ 0x9E37_79B9_7F4A_7C15)
            offset += 8
        }
        var rest: UInt64 = 0
        while offset < octets.byteCount {
            rest = rest << 8 | UInt64(octets.field(at: offset, as: UInt8.self))
            offset += 1
        }
        return UInt32(truncatingIfNeeded: mixed(rest, state &+ 1) >> 32)
    }
}

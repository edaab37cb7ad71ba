/// The memory that a program sees: 32-bit addresses whose top octet names a region.
///
/// For each region there is its origin - where address 0 would lie if the region reached down to it -
/// and the address at which it ends, for reading and for writing apart: an access costs one look-up and
/// one compare. Nothing lies in region 0, so a null pointer is caught as well, the 32 high bits of a wild
/// address put it behind the end of any region, and nothing lies in the last one, so that adding a size
/// may wrap. What is larger than 16 MiB takes several regions in a row, each of which reaches to the end
/// of the whole, so that a value may lie across their border. Addresses are the same in every run.
struct AddressSpace {
    static let context = 1
    static let packet = 2
    static let stack = 3
    static let firstFree = 4
    /// How many regions may hold something.
    static let count = 255
    /// How much of an address lies in one region.
    static let regionByteCount = 1 << 24

    /// All origins, then all ends for reading, then all ends for writing, eight octets each.
    private let origins: UnsafeMutablePointer<UnsafeMutableRawPointer>
    private static let ends = count + 1
    private static let writableEnds = 2 * ends

    /// What regions that hold nothing have as their base.
    private let nowhere: UnsafeMutableRawPointer

    init() {
        nowhere = .allocate(byteCount: 8, alignment: 8)
        origins = .allocate(capacity: 3 * Self.ends)
        for region in 0..<Self.count { place(nowhere, count: 0, at: region, isWritable: false) }
        set(Self.count, nowhere, readableTo: 0, writableTo: 0)
    }

    func deallocate() {
        origins.deallocate()
        nowhere.deallocate()
    }

    /// The address of the first octet of a region.
    static func address(of region: Int) -> UInt64 { UInt64(region) << 24 }

    /// How many regions so many octets take.
    static func regions(for byteCount: Int) -> Int {
        max(1, (byteCount + regionByteCount - 1) / regionByteCount)
    }

    /// Lays memory that outlives this from `region` on.
    func place(_ base: UnsafeMutableRawPointer, count: Int, at region: Int, isWritable: Bool) {
        let start = Self.address(of: region)
        for part in region..<region + Self.regions(for: count) {
            let end = start + UInt64(count)
            set(part, base - Int(start), readableTo: end, writableTo: isWritable ? end : Self.address(of: part))
        }
    }

    private func set(
        _ region: Int, _ origin: UnsafeMutableRawPointer, readableTo end: UInt64, writableTo last: UInt64
    ) {
        origins[region] = origin
        self.ends(Self.ends)[region] = end
        self.ends(Self.writableEnds)[region] = last
    }

    /// Where `count` octets lie that a program may read; nil where it may not.
    func readable(_ address: UInt64, count: Int) -> UnsafeMutableRawPointer? {
        find(address, count: count, before: Self.ends)
    }

    /// Where `count` octets lie that a program may write; nil where it may not.
    func writable(_ address: UInt64, count: Int) -> UnsafeMutableRawPointer? {
        find(address, count: count, before: Self.writableEnds)
    }

    @inline(__always)
    private func find(_ address: UInt64, count: Int, before ends: Int) -> UnsafeMutableRawPointer? {
        let end = end(of: address, in: ends)
        guard count >= 0, address <= end, UInt64(count) <= end - address else { return nil }
        return place(of: address)
    }
}

extension AddressSpace {
    @inline(__always)
    private func region(of address: UInt64) -> Int { Int(UInt32(truncatingIfNeeded: address) &>> 24) }

    @inline(__always)
    private func ends(_ start: Int) -> UnsafeMutablePointer<UInt64> {
        UnsafeMutableRawPointer(origins + start).assumingMemoryBound(to: UInt64.self)
    }

    @inline(__always)
    private func end(of address: UInt64, in ends: Int) -> UInt64 {
        self.ends(ends)[region(of: address)]
    }

    /// Where an address lies that has been compared with its region's end.
    @inline(__always)
    private func place(of address: UInt64) -> UnsafeMutableRawPointer {
        origins[region(of: address)] + Int(truncatingIfNeeded: address)
    }

    @inline(__always)
    private func isInside<Value>(_ address: UInt64, _ type: Value.Type, _ ends: Int) -> Bool {
        address &+ UInt64(truncatingIfNeeded: MemoryLayout<Value>.size &- 1) < end(of: address, in: ends)
    }

    /// Reads an integer into a register, its upper bits cleared; false where there is nothing to read.
    @inline(__always)
    func load<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ type: Value.Type, at address: UInt64, into register: UnsafeMutablePointer<UInt64>
    ) -> Bool {
        guard isInside(address, type, Self.ends) else { return false }
        register.pointee = UInt64(truncatingIfNeeded: place(of: address).loadUnaligned(as: type))
        return true
    }

    /// Reads an integer into a register, its sign extended.
    @inline(__always)
    func loadSigned<Value: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
        _ type: Value.Type, at address: UInt64, into register: UnsafeMutablePointer<UInt64>
    ) -> Bool {
        guard isInside(address, type, Self.ends) else { return false }
        register.pointee = UInt64(truncatingIfNeeded: place(of: address).loadUnaligned(as: type))
        return true
    }

    /// Writes an integer; false where nothing may be written.
    @inline(__always)
    func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at address: UInt64) -> Bool {
        guard isInside(address, Value.self, Self.writableEnds) else { return false }
        place(of: address).storeBytes(of: value, as: Value.self)
        return true
    }
}

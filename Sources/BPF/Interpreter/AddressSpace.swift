/// The memory that a program sees: 32-bit addresses whose top octet names a region.
///
/// A region has a base and a size, for reading and for writing apart, so that an access costs
/// one look-up and one compare: nothing lies in region 0, so a null pointer is caught as well,
/// and the 32 high bits of a wild address make it larger than any region. What is larger than
/// 16 MiB takes several regions in a row, each of which reaches to the end of the whole, so
/// that a value may lie across their border. Addresses are the same in every run.
struct AddressSpace {
    struct Region: BitwiseCopyable {
        var base: UnsafeMutableRawPointer
        var count: UInt64
    }

    static let context = 1
    static let packet = 2
    static let stack = 3
    static let firstFree = 4
    static let count = 256
    /// How much of an address lies in one region.
    static let regionByteCount = 1 << 24

    /// `count` regions as they may be read, then the same as they may be written.
    let regions: UnsafeMutablePointer<Region>

    /// What regions that hold nothing have as their base.
    private let nowhere: UnsafeMutableRawPointer

    init() {
        unsafe nowhere = .allocate(byteCount: 8, alignment: 8)
        unsafe regions = .allocate(capacity: 2 * Self.count)
        unsafe regions.initialize(repeating: Region(base: nowhere, count: 0), count: 2 * Self.count)
    }

    func deallocate() {
        unsafe regions.deallocate()
        unsafe nowhere.deallocate()
    }

    /// The address of the first octet of a region.
    static func address(of region: Int) -> UInt64 { UInt64(region) << 24 }

    /// How many regions so many octets take.
    static func regions(for byteCount: Int) -> Int {
        max(1, (byteCount + regionByteCount - 1) / regionByteCount)
    }

    /// Lays memory that outlives this from `region` on.
    func place(_ base: UnsafeMutableRawPointer, count: Int, at region: Int, isWritable: Bool) {
        for index in 0..<Self.regions(for: count) {
            let skipped = index * Self.regionByteCount
            let part = unsafe Region(base: base + skipped, count: UInt64(count - skipped))
            unsafe regions[region + index] = part
            unsafe regions[region + index + Self.count] = isWritable ? part : Region(base: base, count: 0)
        }
    }

    /// Where `count` octets lie that a program may read; nil where it may not.
    func readable(_ address: UInt64, count: Int) -> UnsafeMutableRawPointer? {
        unsafe find(address, count: count, in: regions)
    }

    /// Where `count` octets lie that a program may write; nil where it may not.
    func writable(_ address: UInt64, count: Int) -> UnsafeMutableRawPointer? {
        unsafe find(address, count: count, in: regions + Self.count)
    }

    @inline(__always)
    private func find(
        _ address: UInt64, count: Int, in table: UnsafeMutablePointer<Region>
    ) -> UnsafeMutableRawPointer? {
        let region = unsafe table[Int(truncatingIfNeeded: address >> 24) & 0xFF]
        let offset = Self.offset(of: address)
        guard count >= 0, offset &+ UInt64(count) <= region.count else { return nil }
        return unsafe region.base + Int(truncatingIfNeeded: offset)
    }

    /// The place in the region, with the 32 high bits kept: never so large that adding a size wraps.
    @inline(__always)
    private static func offset(of address: UInt64) -> UInt64 {
        address & 0xFFFF_FFFF_00FF_FFFF
    }
}

extension AddressSpace {
    @inline(__always)
    private func pointer<Value>(
        to address: UInt64, for type: Value.Type, in table: UnsafeMutablePointer<Region>
    ) -> (base: UnsafeMutableRawPointer, isInside: Bool) {
        let region = unsafe table[Int(truncatingIfNeeded: address >> 24) & 0xFF]
        let offset = Self.offset(of: address)
        let isInside = offset &+ UInt64(truncatingIfNeeded: MemoryLayout<Value>.size) <= region.count
        return unsafe (region.base + Int(truncatingIfNeeded: offset), isInside)
    }

    /// Reads an integer into a register, its upper bits cleared; false where there is nothing to read.
    @inline(__always)
    func load<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ type: Value.Type, at address: UInt64, into register: UnsafeMutablePointer<UInt64>
    ) -> Bool {
        let (place, isInside) = unsafe pointer(to: address, for: type, in: regions)
        guard isInside else { return false }
        unsafe register.pointee = UInt64(truncatingIfNeeded: place.loadUnaligned(as: type))
        return true
    }

    /// Reads an integer into a register, its sign extended.
    @inline(__always)
    func loadSigned<Value: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
        _ type: Value.Type, at address: UInt64, into register: UnsafeMutablePointer<UInt64>
    ) -> Bool {
        let (place, isInside) = unsafe pointer(to: address, for: type, in: regions)
        guard isInside else { return false }
        unsafe register.pointee = UInt64(truncatingIfNeeded: place.loadUnaligned(as: type))
        return true
    }

    /// Writes an integer; false where nothing may be written.
    @inline(__always)
    func store<Value: FixedWidthInteger & BitwiseCopyable>(_ value: Value, at address: UInt64) -> Bool {
        let (place, isInside) = unsafe pointer(to: address, for: Value.self, in: regions + Self.count)
        guard isInside else { return false }
        unsafe place.storeBytes(of: value, as: Value.self)
        return true
    }
}

/// One packet in a ``PacketPool``: an index, so that events and queues stay plain data.
public struct PacketID: Hashable, Sendable, BitwiseCopyable {
    public var rawValue: UInt32

    @inlinable
    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }
}

/// Packets in fixed slots of one slab, each with headroom for the headers that
/// encapsulation puts in front of it.
///
/// The slab doubles when it is full and never shrinks, so that nothing is allocated
/// for a packet once a run is warm. Fields are read and written big-endian, where
/// they lie, and every access is checked against the packet's length.
public struct PacketPool: ~Copyable {
    @usableFromInline
    struct Slot: BitwiseCopyable {
        /// Where the packet starts inside its slot.
        @usableFromInline var start: UInt16
        @usableFromInline var count: UInt16
        /// The flow that the packet belongs to, for accounting; 0 is none.
        @usableFromInline var tag: UInt32

        @inlinable
        init(start: UInt16, count: UInt16, tag: UInt32) {
            self.start = start
            self.count = count
            self.tag = tag
        }
    }

    /// Offsets inside a slot are 16 bits wide, and `unused` is not one of them.
    private static let largestSlot = 65_472

    /// The start of a slot that holds no packet.
    @usableFromInline static let unused = UInt16.max

    public let slotByteCount: Int
    public let headroom: Int
    @usableFromInline var slab: UnsafeMutableRawPointer
    @usableFromInline var slots: UnsafeMutablePointer<Slot>
    @usableFromInline var free: UnsafeMutablePointer<UInt32>
    @usableFromInline var freeCount: Int
    public private(set) var capacity: Int

    /// A pool for packets of at most `largestPacket` bytes with `headroom` bytes free in front.
    public init(largestPacket: Int = 1_600, headroom: Int = 128, capacity: Int = 1_024) {
        precondition(largestPacket >= 0 && headroom >= 0 && capacity > 0)
        precondition(largestPacket + headroom <= Self.largestSlot)
        slotByteCount = (largestPacket + headroom + 63) & ~63
        self.headroom = headroom
        self.capacity = capacity
        unsafe slab = .allocate(byteCount: capacity * slotByteCount, alignment: 64)
        unsafe slots = .allocate(capacity: capacity)
        unsafe free = .allocate(capacity: capacity)
        freeCount = capacity
        for index in 0..<capacity {
            unsafe free[index] = UInt32(capacity - 1 - index)
            unsafe slots[index] = Slot(start: Self.unused, count: 0, tag: 0)
        }
    }

    deinit {
        unsafe slab.deallocate()
        unsafe slots.deallocate()
        unsafe free.deallocate()
    }

    /// How many packets are held now.
    public var inUse: Int { capacity - freeCount }

    /// The largest packet that a slot holds behind its headroom.
    @inlinable
    public var largestPacket: Int { slotByteCount - headroom }

    /// Lends a packet's slot, and where the packet lies in it, to who reads and writes it in place.
    @inlinable
    public mutating func withBuffer<Result>(
        of packet: PacketID, _ body: (UnsafeMutableRawBufferPointer, Range<Int>) -> Result
    ) -> Result {
        let slot = unsafe slots[Int(packet.rawValue)]
        precondition(slot.start != Self.unused)
        let start = Int(slot.start)
        let buffer = unsafe UnsafeMutableRawBufferPointer(
            start: slab + Int(packet.rawValue) * slotByteCount, count: slotByteCount)
        return unsafe body(buffer, start..<start + Int(slot.count))
    }

    /// Says where a packet lies in its slot after headers were put in front of it or taken away.
    @inlinable
    public mutating func setFrame(of packet: PacketID, to range: Range<Int>) {
        precondition(range.lowerBound >= 0 && range.upperBound <= slotByteCount)
        unsafe slots[Int(packet.rawValue)].start = UInt16(range.lowerBound)
        unsafe slots[Int(packet.rawValue)].count = UInt16(range.count)
    }

    /// Has a packet's headers fetched from memory while something else is done.
    @inlinable
    public func prefetch(_ packet: PacketID) {
        unsafe Basics.prefetch(slab + Int(packet.rawValue) * slotByteCount + headroom, byteCount: 128)
    }

    /// Takes a slot for a packet of `byteCount` bytes whose contents are not yet written.
    @inlinable
    public mutating func allocate(byteCount: Int, tag: UInt32 = 0) -> PacketID {
        precondition(byteCount >= 0 && byteCount <= slotByteCount - headroom)
        if freeCount == 0 { grow() }
        freeCount &-= 1
        let index = unsafe free[freeCount]
        unsafe slots[Int(index)] = Slot(start: UInt16(headroom), count: UInt16(byteCount), tag: tag)
        return PacketID(index)
    }

    /// Takes a slot and copies `bytes` into it.
    @inlinable
    public mutating func store(_ bytes: RawSpan, tag: UInt32 = 0) -> PacketID {
        let packet = allocate(byteCount: bytes.byteCount, tag: tag)
        let target = unsafe slab + Int(packet.rawValue) * slotByteCount + headroom
        unsafe bytes.withUnsafeBytes { source in
            guard let base = source.baseAddress else { return }
            unsafe target.copyMemory(from: base, byteCount: source.count)
        }
        return packet
    }

    /// A second packet with the same octets, tag and headroom left.
    public mutating func duplicate(_ packet: PacketID) -> PacketID {
        let copy = allocate(byteCount: 0)
        unsafe slots[Int(copy.rawValue)] = slots[Int(packet.rawValue)]
        unsafe pointer(copy).copyMemory(from: pointer(packet), byteCount: byteCount(packet))
        return copy
    }

    /// Gives the slot back; the packet's index means nothing afterwards.
    @inlinable
    public mutating func release(_ packet: PacketID) {
        precondition(unsafe slots[Int(packet.rawValue)].start != Self.unused, "a packet is released twice")
        unsafe slots[Int(packet.rawValue)] = Slot(start: Self.unused, count: 0, tag: 0)
        unsafe free[freeCount] = packet.rawValue
        freeCount &+= 1
    }

    /// The length of the packet; 0 for one released.
    @inlinable
    public borrowing func byteCount(_ packet: PacketID) -> Int {
        unsafe Int(slots[Int(packet.rawValue)].count)
    }

    /// What the packet was tagged with.
    @inlinable
    public borrowing func tag(_ packet: PacketID) -> UInt32 {
        unsafe slots[Int(packet.rawValue)].tag
    }

    /// Tags the packet anew.
    @inlinable
    public mutating func setTag(_ tag: UInt32, of packet: PacketID) {
        unsafe slots[Int(packet.rawValue)].tag = tag
    }

    /// The packet's octets, borrowed.
    @inlinable
    @_lifetime(borrow self)
    public borrowing func bytes(_ packet: PacketID) -> RawSpan {
        let octets = unsafe UnsafeRawBufferPointer(start: pointer(packet), count: byteCount(packet))
        return unsafe _overrideLifetime(RawSpan(_unsafeBytes: octets), borrowing: self)
    }

    /// Lends the packet's octets for reading and writing in place.
    @inlinable
    @inline(__always)
    public borrowing func withOctets<Result>(
        of packet: PacketID, _ body: (UnsafeMutableRawBufferPointer) -> Result
    ) -> Result {
        unsafe body(UnsafeMutableRawBufferPointer(start: pointer(packet), count: byteCount(packet)))
    }

    /// Reads a big-endian field.
    @inlinable
    public borrowing func load<T: FixedWidthInteger & BitwiseCopyable>(
        _ packet: PacketID, at offset: Int, as type: T.Type = T.self
    ) -> T {
        precondition(offset >= 0 && offset <= byteCount(packet) &- MemoryLayout<T>.size)
        return unsafe T(bigEndian: pointer(packet).loadUnaligned(fromByteOffset: offset, as: T.self))
    }

    /// Writes a big-endian field.
    @inlinable
    public mutating func patch<T: FixedWidthInteger & BitwiseCopyable>(_ value: T, at offset: Int, of packet: PacketID)
    {
        precondition(offset >= 0 && offset <= byteCount(packet) &- MemoryLayout<T>.size)
        unsafe pointer(packet).storeBytes(of: value.bigEndian, toByteOffset: offset, as: T.self)
    }

    /// Copies `source` over the packet's octets from `offset` on.
    @inlinable
    public mutating func overwrite(_ packet: PacketID, at offset: Int, with source: RawSpan) {
        precondition(offset >= 0 && offset <= byteCount(packet) &- source.byteCount)
        let target = unsafe pointer(packet) + offset
        unsafe source.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress else { return }
            unsafe target.copyMemory(from: base, byteCount: bytes.count)
        }
    }

    /// Opens `byteCount` bytes in front of the packet; false where the headroom is used up.
    @inlinable
    public mutating func prepend(_ byteCount: Int, to packet: PacketID) -> Bool {
        let index = Int(packet.rawValue)
        precondition(unsafe byteCount >= 0 && slots[index].start != Self.unused)
        guard unsafe Int(slots[index].start) >= byteCount else { return false }
        unsafe slots[index].start &-= UInt16(byteCount)
        unsafe slots[index].count &+= UInt16(byteCount)
        return true
    }

    /// Removes `byteCount` bytes from the packet's front.
    @inlinable
    public mutating func trimFront(_ byteCount: Int, of packet: PacketID) {
        let index = Int(packet.rawValue)
        precondition(unsafe byteCount >= 0 && byteCount <= Int(slots[index].count))
        unsafe slots[index].start &+= UInt16(byteCount)
        unsafe slots[index].count &-= UInt16(byteCount)
    }

    /// Shortens the packet to its first `byteCount` bytes.
    @inlinable
    public mutating func truncate(_ packet: PacketID, to byteCount: Int) {
        precondition(unsafe byteCount >= 0 && byteCount <= Int(slots[Int(packet.rawValue)].count))
        unsafe slots[Int(packet.rawValue)].count = UInt16(byteCount)
    }

    @inlinable
    borrowing func pointer(_ packet: PacketID) -> UnsafeMutableRawPointer {
        let index = Int(packet.rawValue)
        return unsafe slab + index * slotByteCount + Int(slots[index].start)
    }

    /// The tags of all packets held now, in order of slot.
    public borrowing func tagsInUse() -> [UInt32] {
        var isFree = [Bool](repeating: false, count: capacity)
        for index in 0..<freeCount { unsafe isFree[Int(free[index])] = true }
        return (0..<capacity).filter { !isFree[$0] }.map { unsafe slots[$0].tag }
    }

    @usableFromInline
    @inline(never)
    mutating func grow() {
        let larger = capacity * 2
        let newSlab = UnsafeMutableRawPointer.allocate(byteCount: larger * slotByteCount, alignment: 64)
        unsafe newSlab.copyMemory(from: slab, byteCount: capacity * slotByteCount)
        let newSlots = UnsafeMutablePointer<Slot>.allocate(capacity: larger)
        unsafe newSlots.initialize(from: slots, count: capacity)
        let newFree = UnsafeMutablePointer<UInt32>.allocate(capacity: larger)
        for index in capacity..<larger {
            unsafe newSlots[index] = Slot(start: Self.unused, count: 0, tag: 0)
            unsafe newFree[index - capacity] = UInt32(larger - 1 - (index - capacity))
        }
        unsafe slab.deallocate()
        unsafe slots.deallocate()
        unsafe free.deallocate()
        unsafe (slab, slots, free) = (newSlab, newSlots, newFree)
        freeCount = larger - capacity
        capacity = larger
    }
}

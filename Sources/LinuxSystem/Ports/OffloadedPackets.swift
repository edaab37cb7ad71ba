import Glibc
import Wire

// Packets that the kernel has not finished, because who reads them is to do the rest.
//
// An interface with offloads puts ten octets in front of a packet (virtio 1.2 §5.1.6), which say that a checksum is yet
// to be made, or that the packet stands for many segments of TCP of one size. The kernel's own way through is the
// shorter for it: one packet of 64 KiB goes through routing and one system call where 45 would.

/// What the kernel hands over at an interface with offloads, as the packets that it stands for.
public struct OffloadedPackets: ~Copyable {
    /// How much stands in front of a packet.
    public static var headerByteCount: Int { 10 }

    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 10 + 65_536, alignment: 4_096)
    private let output = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 4_096)
    /// How long the packet is that was read.
    private var byteCount = 0
    private var cut: Cut?
    /// How much of what is behind the headers has been cut off.
    private var position = 0
    private var isOver = true
    private var current: (start: UnsafeRawPointer, count: Int)

    /// How a packet is cut.
    private struct Cut {
        let isIPv4: Bool
        /// Where TCP's header starts, and where it ends.
        let transport: Int
        let headers: Int
        let segment: Int
        let identification: UInt16
        let sequence: UInt32
        let flags: UInt8
    }

    public init() {
        current = (UnsafeRawPointer(output.baseAddress.unsafelyUnwrapped), 0)
    }

    deinit {
        input.deallocate()
        output.deallocate()
    }

    /// Reads what comes next from an interface's other side; false where nothing waits.
    public mutating func read(from descriptor: Int32) -> Bool {
        take(Glibc.read(descriptor, input.baseAddress, input.count))
    }

    /// Takes octets as if they had been read.
    public mutating func take(_ octets: RawSpan) {
        let count = min(octets.byteCount, input.count)
        octets.withUnsafeBytes { input.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[..<count])) }
        _ = take(count)
    }

    private mutating func take(_ count: Int) -> Bool {
        isOver = true
        guard count > 0 else { return false }
        byteCount = count - Self.headerByteCount
        position = 0
        cut = nil
        guard byteCount >= 20 else { return true }
        let kind = input[1] & 0x7F
        if kind == 0 {
            isOver = !completeChecksum()
        } else {
            cut = makeCut(kind)
            isOver = cut == nil
        }
        return true
    }

    /// Goes on to the next packet of what was read, and says how long it is; nil behind the last.
    public mutating func next() -> Int? {
        guard !isOver else { return nil }
        if let cut {
            makeSegment(cut)
        } else {
            isOver = true
            current = (UnsafeRawPointer(packet), byteCount)
        }
        return current.count
    }

    /// The octets of the packet that ``next()`` went on to.
    public var bytes: RawSpan {
        @_lifetime(borrow self)
        borrowing get {
            let slice = UnsafeRawBufferPointer(start: current.start, count: current.count)
            return _overrideLifetime(RawSpan(_unsafeBytes: slice), borrowing: self)
        }
    }
}

extension OffloadedPackets {
    private var packet: UnsafeMutableRawPointer { input.baseAddress.unsafelyUnwrapped + Self.headerByteCount }

    /// One of the header's numbers, which are in the machine's order.
    private func field(at offset: Int) -> Int { Int(input.loadUnaligned(fromByteOffset: offset, as: UInt16.self)) }

    private func span(_ start: UnsafeMutableRawPointer, _ range: Range<Int>) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start + range.lowerBound, count: range.count)
    }

    /// Makes the checksum that is not there yet, if one is not; false where the header makes no sense.
    private func completeChecksum() -> Bool {
        guard input[0] & 1 != 0 else { return true }
        let (start, offset) = (field(at: 6), field(at: 8))
        guard start + offset + 2 <= byteCount else { return false }
        var checksum = Checksum()
        checksum.add(span(packet, start..<byteCount).bytes)
        // UDP says with all zeros that there is none (RFC 768).
        let value = checksum.value == 0 && offset == 6 ? 0xFFFF : checksum.value
        packet.storeBytes(of: value.bigEndian, toByteOffset: start + offset, as: UInt16.self)
        return true
    }

    private func makeCut(_ kind: UInt8) -> Cut? {
        let isIPv4 = packet.load(as: UInt8.self) >> 4 == 4
        guard kind == (isIPv4 ? 1 : 4), input[0] & 1 != 0 else { return nil }
        let (segment, transport) = (field(at: 4), field(at: 6))
        guard segment > 0, transport >= (isIPv4 ? 20 : 40), transport + 20 <= byteCount else { return nil }
        let headers = transport + Int(packet.load(fromByteOffset: transport + 12, as: UInt8.self) >> 4) * 4
        guard headers >= transport + 20, headers < byteCount, headers + segment <= output.count else { return nil }
        return Cut(
            isIPv4: isIPv4, transport: transport, headers: headers, segment: segment,
            identification: UInt16(bigEndian: packet.loadUnaligned(fromByteOffset: 4, as: UInt16.self)),
            sequence: UInt32(bigEndian: packet.loadUnaligned(fromByteOffset: transport + 4, as: UInt32.self)),
            flags: packet.load(fromByteOffset: transport + 13, as: UInt8.self))
    }

    /// Cuts off the next segment: what headers say of lengths, order and ends is its own (RFC 9293 §3.1).
    private mutating func makeSegment(_ cut: Cut) {
        let start = output.baseAddress.unsafelyUnwrapped
        let rest = byteCount - cut.headers - position
        let count = min(cut.segment, rest)
        let end = cut.headers + count
        start.copyMemory(from: packet, byteCount: cut.headers)
        (start + cut.headers).copyMemory(from: packet + cut.headers + position, byteCount: count)
        func put(_ value: UInt16, at offset: Int) {
            start.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
        }
        var checksum = Checksum()
        if cut.isIPv4 {
            put(UInt16(truncatingIfNeeded: end), at: 2)
            put(cut.identification &+ UInt16(truncatingIfNeeded: position / cut.segment), at: 4)
            put(0, at: 10)
            let headerEnd = min(Int(start.load(as: UInt8.self) & 0x0F) * 4, cut.transport)
            checksum.add(span(start, 0..<headerEnd).bytes)
            put(checksum.value, at: 10)
        } else {
            put(UInt16(truncatingIfNeeded: end - 40), at: 4)
        }
        let sequence = cut.sequence &+ UInt32(truncatingIfNeeded: position)
        start.storeBytes(of: sequence.bigEndian, toByteOffset: cut.transport + 4, as: UInt32.self)
        var flags = cut.flags
        if count < rest { flags &= ~0x09 }  // FIN and PSH are the last one's,
        if position > 0 { flags &= ~0x80 }  // and CWR the first one's (RFC 3168 §6.1.2).
        start.storeBytes(of: flags, toByteOffset: cut.transport + 13, as: UInt8.self)
        put(0, at: cut.transport + 16)
        checksum = Checksum()
        checksum.add(span(start, cut.isIPv4 ? 12..<20 : 8..<40).bytes)
        checksum.add(UInt16(6))
        checksum.add(UInt32(truncatingIfNeeded: end - cut.transport))
        checksum.add(span(start, cut.transport..<end).bytes)
        put(checksum.value, at: cut.transport + 16)
        position += count
        isOver = count == rest
        current = (UnsafeRawPointer(start), end)
    }
}

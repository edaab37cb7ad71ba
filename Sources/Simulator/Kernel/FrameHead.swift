import Basics
import Wire

/// What the forwarding path needs to know of a frame, read in one go.
struct FrameHead: BitwiseCopyable {
    var hardware: UInt64 = 0
    var etherType: UInt16 = 0
    /// Of an IPv4 packet; 0 for others.
    var destination: UInt32 = 0
    /// Whether an IPv4 packet's lengths and header checksum are right.
    var isSoundIPv4 = false
    /// The frame without padding.
    var byteCount = 0
}

extension PacketPool {
    /// Reads a frame's head; nil where it is shorter than an Ethernet header.
    @inline(__always)
    borrowing func frameHead(_ packet: PacketID) -> FrameHead? {
        withOctets(of: packet) { octets in
            guard octets.count >= EthernetHeader.byteCount else { return nil }
            var head = FrameHead()
            unsafe head.hardware = UInt64(bigEndian: octets.loadUnaligned(as: UInt64.self)) >> 16
            unsafe head.etherType = UInt16(
                bigEndian: octets.loadUnaligned(fromByteOffset: 12, as: UInt16.self))
            guard head.etherType == EtherType.ipv4 else { return head }
            unsafe Self.readIPv4(octets, into: &head)
            return head
        }
    }

    /// Options make a header longer than this path looks at; those go the long way.
    @inline(__always)
    private static func readIPv4(_ octets: UnsafeMutableRawBufferPointer, into head: inout FrameHead) {
        guard octets.count >= Kernel.ipOffset + IPv4Header.minimumByteCount else { return }
        let w0 = unsafe octets.loadUnaligned(fromByteOffset: 14, as: UInt32.self)
        let w1 = unsafe octets.loadUnaligned(fromByteOffset: 18, as: UInt32.self)
        let w2 = unsafe octets.loadUnaligned(fromByteOffset: 22, as: UInt32.self)
        let w3 = unsafe octets.loadUnaligned(fromByteOffset: 26, as: UInt32.self)
        let w4 = unsafe octets.loadUnaligned(fromByteOffset: 30, as: UInt32.self)
        head.destination = UInt32(bigEndian: w4)
        let first = UInt32(bigEndian: w0)
        let total = Int(first & 0xFFFF)
        head.byteCount = Kernel.ipOffset + total
        guard first >> 24 == 0x45, total >= IPv4Header.minimumByteCount, head.byteCount <= octets.count else {
            return
        }
        // A one's complement sum may be taken in any byte order (RFC 1071 §2): it is right where it is all ones.
        var sum = UInt64(w0) &+ UInt64(w1) &+ UInt64(w2) &+ UInt64(w3) &+ UInt64(w4)
        sum = (sum & 0xFFFF_FFFF) &+ (sum >> 32)
        sum = (sum & 0xFFFF) &+ (sum >> 16)
        sum = (sum & 0xFFFF) &+ (sum >> 16)
        sum = (sum & 0xFFFF) &+ (sum >> 16)
        head.isSoundIPv4 = sum == 0xFFFF
    }

    /// A sound IPv4 packet as its upper layer needs it; nil for a fragment.
    @inline(__always)
    borrowing func localPacket(_ packet: PacketID) -> LocalPacket? {
        withOctets(of: packet) { octets in
            precondition(octets.count >= Kernel.ipOffset + IPv4Header.minimumByteCount)
            let first = unsafe UInt32(bigEndian: octets.loadUnaligned(fromByteOffset: 14, as: UInt32.self))
            let fragment = unsafe UInt16(bigEndian: octets.loadUnaligned(fromByteOffset: 20, as: UInt16.self))
            guard fragment & 0x3FFF == 0 else { return nil }
            let addresses = unsafe UInt64(bigEndian: octets.loadUnaligned(fromByteOffset: 26, as: UInt64.self))
            let headerLength = Int(first >> 24 & 15) * 4
            return LocalPacket(
                packet: packet, source: .v4(IPv4Address(bits: UInt32(addresses >> 32))),
                destination: .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: addresses))),
                protocolNumber: unsafe octets[23],
                payload: Kernel.ipOffset + headerLength..<Kernel.ipOffset + Int(first & 0xFFFF))
        }
    }

    /// Takes one from an IPv4 packet's time to live and corrects the checksum (RFC 1624); false where it runs out.
    @inline(__always)
    mutating func decrementTimeToLive(_ packet: PacketID) -> Bool {
        withOctets(of: packet) { octets in
            let word = unsafe UInt16(bigEndian: octets.loadUnaligned(fromByteOffset: 22, as: UInt16.self))
            guard word >> 8 > 1 else { return false }
            let checksum = unsafe UInt16(bigEndian: octets.loadUnaligned(fromByteOffset: 24, as: UInt16.self))
            let updated = Checksum.updated(checksum, from: word, to: word &- 0x0100)
            unsafe octets.storeBytes(of: (word &- 0x0100).bigEndian, toByteOffset: 22, as: UInt16.self)
            unsafe octets.storeBytes(of: updated.bigEndian, toByteOffset: 24, as: UInt16.self)
            return true
        }
    }

    /// Writes the addresses of a frame's Ethernet header.
    @inline(__always)
    mutating func writeEthernet(_ packet: PacketID, to destination: MACAddress, from source: MACAddress) {
        withOctets(of: packet) { octets in
            precondition(octets.count >= EthernetHeader.byteCount)
            unsafe octets.storeBytes(
                of: (destination.bits << 16 | source.bits >> 32).bigEndian, toByteOffset: 0, as: UInt64.self)
            unsafe octets.storeBytes(
                of: UInt32(truncatingIfNeeded: source.bits).bigEndian, toByteOffset: 8, as: UInt32.self)
        }
    }

    /// A cheap hash of a frame: its length, addresses and the start of its upper layer.
    @inline(__always)
    borrowing func digest(of packet: PacketID) -> UInt64 {
        withOctets(of: packet) { octets in
            guard octets.count >= 42 else { return UInt64(octets.count) }
            let addresses = unsafe octets.loadUnaligned(fromByteOffset: 26, as: UInt64.self).bigEndian
            let upper = unsafe octets.loadUnaligned(fromByteOffset: 34, as: UInt64.self).bigEndian
            return (addresses &* 0x9E37_79B9_7F4A_7C15) ^ upper ^ (UInt64(octets.count) << 48)
        }
    }
}

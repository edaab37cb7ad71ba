import Glibc
import Wire

/// Segments of TCP that continue each other, written to an interface's other side as one frame.
///
/// The kernel routes and receives it as one packet, and cuts it up where somebody needs the segments (virtio 1.2
/// §5.1.6): the opposite of ``OffloadedPackets``.
public struct JoinedSegments: ~Copyable {
    /// How many are joined at most, and how long what they make is: IP's length has 16 bits.
    public static var largestCount: Int { 16 }
    public static var largestByteCount: Int { 65_535 }

    private static var headerByteCount: Int { OffloadedPackets.headerByteCount }
    /// The kernel's header in front, and Ethernet's, IPv6's and the largest of TCP.
    private let headers = UnsafeMutableRawBufferPointer.allocate(byteCount: 10 + 14 + 40 + 60, alignment: 8)
    private var pieces: ContiguousArray<iovec> = []
    private var head: SegmentHead?
    private var byteCount = 0

    public init() {
        pieces.reserveCapacity(Self.largestCount + 1)
    }

    deinit { headers.deallocate() }

    /// Takes the next segment; the frame has to stay where it is until ``write(to:)``.
    ///
    /// The first says what all headers are, and how large every segment but the last is.
    public mutating func append(_ frame: UnsafeRawBufferPointer, _ head: SegmentHead) {
        if self.head == nil { begin(frame, head) }
        precondition(pieces.count <= Self.largestCount)
        if head.isPushed { headers[Self.headerByteCount + head.transport + 13] |= TCPFlags.push.rawValue }
        let payload = UnsafeRawBufferPointer(rebasing: frame[head.payload..<head.byteCount])
        pieces.append(
            iovec(iov_base: UnsafeMutableRawPointer(mutating: payload.baseAddress), iov_len: payload.count))
        byteCount += payload.count
    }

    private mutating func begin(_ frame: UnsafeRawBufferPointer, _ head: SegmentHead) {
        self.head = head
        let count = Self.headerByteCount + head.payload
        UnsafeMutableRawBufferPointer(rebasing: headers[Self.headerByteCount..<count]).copyMemory(
            from: UnsafeRawBufferPointer(rebasing: frame[..<head.payload]))
        pieces.append(iovec(iov_base: headers.baseAddress, iov_len: count))
        byteCount = head.payload
    }

    /// Hands the kernel what was appended, and begins anew; false where it does not take it.
    public mutating func write(to descriptor: Int32) -> Bool {
        guard let head else { return true }
        finish(head)
        let written = pieces.withUnsafeBufferPointer { writev(descriptor, $0.baseAddress, Int32($0.count)) }
        removeAll()
        return written > 0
    }

    /// Begins anew.
    public mutating func removeAll() {
        pieces.removeAll(keepingCapacity: true)
        head = nil
    }

    /// Says in the headers how long the whole is, and in the kernel's how it is cut.
    private func finish(_ head: SegmentHead) {
        let segment = pieces[1].iov_len
        headers[0] = 1  // The checksum is to be completed: only the pseudo-header's sum is there.
        headers[1] = head.isIPv4 ? 1 : 4
        for (place, value) in [head.payload, segment, head.transport, 16].enumerated() {
            headers.storeBytes(of: UInt16(value), toByteOffset: 2 + 2 * place, as: UInt16.self)
        }
        let frame = UnsafeMutableRawBufferPointer(rebasing: headers[Self.headerByteCount...])
        func put(_ value: UInt16, at offset: Int) {
            frame.storeBytes(of: value.bigEndian, toByteOffset: offset, as: UInt16.self)
        }
        if head.isIPv4 {
            put(UInt16(byteCount - SegmentHead.network), at: 16)
            put(0, at: 24)
            let header = UnsafeRawBufferPointer(rebasing: frame[SegmentHead.network..<head.transport])
            put(~Checksum.onesComplementSum(of: header.bytes), at: 24)
        } else {
            put(UInt16(byteCount - head.transport), at: 18)
        }
        var checksum = Checksum()
        checksum.addPseudoHeader(
            of: UnsafeRawBufferPointer(frame).bytes, head.transport, byteCount: byteCount - head.transport)
        put(~checksum.value, at: head.transport + 16)
    }
}

import Glibc
import Wire

/// A segment of TCP in an Ethernet frame that a kernel may take together with those that continue it.
///
/// Such a segment carries octets and no mark but PSH, is no fragment and never to be one, and its checksums are right:
/// what Linux joins on arrival (generic receive offload).
public struct SegmentHead: Equatable, Sendable, BitwiseCopyable {
    /// Where TCP's header and its payload start in the frame.
    public let transport: Int
    public let payload: Int
    /// The whole frame.
    public let byteCount: Int
    public let sequence: UInt32
    /// Whether its sender had no more to say for the moment.
    public let isPushed: Bool

    /// Of what is behind the headers.
    public var payloadByteCount: Int { byteCount - payload }

    /// Where its IP header starts: behind Ethernet's.
    static let network = 14

    /// Reads a frame; nil for one that is to be taken by itself.
    public init?(parsing frame: RawSpan) {
        guard let transport = Self.transport(of: frame), frame.byteCount >= transport + TCPHeader.minimumByteCount
        else { return nil }
        let payload = transport + Int(Self.octet(frame, transport + 12) >> 4) * 4
        let flags = TCPFlags(rawValue: Self.octet(frame, transport + 13))
        guard payload >= transport + TCPHeader.minimumByteCount, payload < frame.byteCount,
            flags.subtracting(.push) == .acknowledge, Self.isIntact(frame, transport)
        else { return nil }
        self.transport = transport
        self.payload = payload
        byteCount = frame.byteCount
        sequence = UInt32(bigEndian: frame.unsafeLoadUnaligned(fromByteOffset: transport + 4, as: UInt32.self))
        isPushed = flags.contains(.push)
    }

    var isIPv4: Bool { transport == Self.network + IPv4Header.minimumByteCount }

    /// Whether all that must be the same in segments that are joined is.
    public func hasHeaders(of frame: RawSpan, like other: SegmentHead, of otherFrame: RawSpan) -> Bool {
        guard transport == other.transport, payload == other.payload else { return false }
        // All but lengths, identification, sequence, flags and checksums.
        let hasSameNetwork =
            isIPv4
            ? Self.areSame(frame, otherFrame, 0..<16) && Self.areSame(frame, otherFrame, 22..<24)
            : Self.areSame(frame, otherFrame, 0..<18) && Self.areSame(frame, otherFrame, 20..<22)
        return hasSameNetwork && hasFlow(of: frame, like: other, of: otherFrame)
            && Self.areSame(frame, otherFrame, transport + 8..<transport + 13)
            && Self.areSame(frame, otherFrame, transport + 14..<transport + 16)
            && Self.areSame(frame, otherFrame, transport + 20..<payload)
    }

    /// Whether two frames are of one flow.
    public func hasFlow(of frame: RawSpan, like other: SegmentHead, of otherFrame: RawSpan) -> Bool {
        transport == other.transport
            && Self.areSame(frame, otherFrame, (isIPv4 ? 26 : 22)..<transport + 4)
    }
}

extension SegmentHead {
    /// Where TCP starts; nil where it does not follow an IP header without options.
    private static func transport(of frame: RawSpan) -> Int? {
        guard frame.byteCount >= network + IPv4Header.minimumByteCount else { return nil }
        switch word(frame, 12) {
        case 0x0800:
            // Of five words, not to be fragmented and no fragment.
            guard octet(frame, 14) == 0x45, word(frame, 20) == 0x4000, octet(frame, 23) == ProtocolNumber.tcp,
                Int(word(frame, 16)) == frame.byteCount - network
            else { return nil }
            return network + IPv4Header.minimumByteCount
        case 0x86DD:
            guard frame.byteCount >= network + 40, octet(frame, 14) >> 4 == 6,
                octet(frame, 20) == ProtocolNumber.tcp, Int(word(frame, 18)) == frame.byteCount - network - 40
            else { return nil }
            return network + 40
        default: return nil
        }
    }

    private static func isIntact(_ frame: RawSpan, _ transport: Int) -> Bool {
        let isIPv4 = transport == network + IPv4Header.minimumByteCount
        if isIPv4, Checksum.onesComplementSum(of: frame.extracting(network..<transport)) != 0xFFFF { return false }
        var checksum = Checksum()
        checksum.addPseudoHeader(of: frame, transport, byteCount: frame.byteCount - transport)
        checksum.add(frame.extracting(transport..<frame.byteCount))
        return checksum.value == 0
    }

    private static func octet(_ frame: RawSpan, _ place: Int) -> UInt8 {
        frame.unsafeLoad(fromByteOffset: place, as: UInt8.self)
    }

    private static func word(_ frame: RawSpan, _ place: Int) -> UInt16 {
        UInt16(bigEndian: frame.unsafeLoadUnaligned(fromByteOffset: place, as: UInt16.self))
    }

    private static func areSame(_ frame: RawSpan, _ other: RawSpan, _ range: Range<Int>) -> Bool {
        frame.withUnsafeBytes { frame in
            other.withUnsafeBytes { other in
                guard let first = frame.baseAddress, let second = other.baseAddress else { return false }
                return memcmp(first + range.lowerBound, second + range.lowerBound, range.count) == 0
            }
        }
    }
}

extension Checksum {
    /// Adds the pseudo-header of a segment whose IP header, without options, ends at `transport`.
    mutating func addPseudoHeader(of frame: RawSpan, _ transport: Int, byteCount: Int) {
        let addresses = transport == SegmentHead.network + IPv4Header.minimumByteCount ? 8 : 32
        add(frame.extracting(transport - addresses..<transport))
        add(UInt16(ProtocolNumber.tcp))
        add(UInt32(truncatingIfNeeded: byteCount))
    }
}

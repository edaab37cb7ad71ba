public import Basics

/// Why a control packet is discarded before any session sees it (RFC 5880 §6.8.6).
public enum ControlPacketError: Error, Equatable, Sendable {
    case truncated
    case unsupportedVersion(UInt8)
    /// Shorter than its form needs, or longer than what carried it.
    case badLength(UInt8)
    case zeroDetectMultiplier
    case multipoint
    case zeroLocalDiscriminator
    /// The remote discriminator is 0 in a state that cannot be reached without one.
    case zeroRemoteDiscriminator
    /// Authentication is not in use here.
    case authenticated
}

/// A BFD control packet without authentication (RFC 5880 §4.1).
///
/// Local and remote are the sender's view: what the RFC calls "my" and "your".
public struct ControlPacket: Equatable, Sendable, BitwiseCopyable {
    public var diagnostic: Diagnostic
    public var state: Session.State
    public var isPoll = false
    public var isFinal = false
    public var isControlPlaneIndependent = false
    public var isDemand = false
    public var detectMultiplier: UInt8
    public var localDiscriminator: UInt32
    public var remoteDiscriminator: UInt32
    /// A whole number of microseconds, as are the next two.
    public var desiredMinTx: Interval
    /// 0 asks for no periodic packets at all.
    public var requiredMinRx: Interval
    public var requiredMinEchoRx = Interval.zero

    public static let byteCount = 24

    public init(
        state: Session.State, diagnostic: Diagnostic = .none, detectMultiplier: UInt8,
        discriminators: (local: UInt32, remote: UInt32), desiredMinTx: Interval, requiredMinRx: Interval
    ) {
        self.state = state
        self.diagnostic = diagnostic
        self.detectMultiplier = detectMultiplier
        localDiscriminator = discriminators.local
        remoteDiscriminator = discriminators.remote
        self.desiredMinTx = desiredMinTx
        self.requiredMinRx = requiredMinRx
    }

    /// Reads the payload of a datagram and makes all the checks that need no session.
    public init(parsing bytes: RawSpan) throws(ControlPacketError) {
        guard bytes.byteCount >= Self.byteCount else { throw .truncated }
        func octet(_ offset: Int) -> UInt8 { bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt8.self) }
        func word(_ offset: Int) -> UInt32 {
            UInt32(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
        }
        guard octet(0) >> 5 == 1 else { throw .unsupportedVersion(octet(0) >> 5) }
        let flags = octet(1)
        let isAuthenticated = flags & 0x04 != 0
        guard octet(3) >= (isAuthenticated ? 26 : 24), Int(octet(3)) <= bytes.byteCount else {
            throw .badLength(octet(3))
        }
        guard octet(2) != 0 else { throw .zeroDetectMultiplier }
        guard flags & 0x01 == 0 else { throw .multipoint }
        guard word(4) != 0 else { throw .zeroLocalDiscriminator }
        let state = Session.State(bits: flags >> 6)
        guard word(8) != 0 || state == .down || state == .adminDown else { throw .zeroRemoteDiscriminator }
        guard !isAuthenticated else { throw .authenticated }

        self.init(
            state: state, diagnostic: Diagnostic(rawValue: octet(0)), detectMultiplier: octet(2),
            discriminators: (word(4), word(8)), desiredMinTx: .microseconds(Int64(word(12))),
            requiredMinRx: .microseconds(Int64(word(16))))
        isPoll = flags & 0x20 != 0
        isFinal = flags & 0x10 != 0
        isControlPlaneIndependent = flags & 0x08 != 0
        isDemand = flags & 0x02 != 0
        requiredMinEchoRx = .microseconds(Int64(word(20)))
    }

    /// Writes the packet's 24 octets.
    public func append(to arena: inout ByteArena) {
        var flags = state.rawValue << 6
        if isPoll { flags |= 0x20 }
        if isFinal { flags |= 0x10 }
        if isControlPlaneIndependent { flags |= 0x08 }
        if isDemand { flags |= 0x02 }
        let head =
            UInt32(1 << 5 | diagnostic.rawValue) << 24 | UInt32(flags) << 16 | UInt32(detectMultiplier) << 8
            | UInt32(Self.byteCount)
        arena.append(UInt64(head) << 32 | UInt64(localDiscriminator))
        arena.append(UInt64(remoteDiscriminator) << 32 | UInt64(desiredMinTx.clampedMicroseconds))
        arena.append(
            UInt64(requiredMinRx.clampedMicroseconds) << 32 | UInt64(requiredMinEchoRx.clampedMicroseconds))
    }
}

extension Interval {
    /// The microseconds that a field of the packet can hold.
    var clampedMicroseconds: UInt32 { UInt32(clamping: nanoseconds / 1_000) }

    /// The nearest span that the packet can say, at least a microsecond.
    var announceable: Interval { .microseconds(max(1, Int64(clampedMicroseconds))) }
}

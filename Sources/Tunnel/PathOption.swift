/// What a sender notes of one packet in its path option.
public struct PathFlags: OptionSet, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue
    }

    /// The same inner packet was sent on another tunnel too.
    @inlinable
    public static var duplicate: PathFlags { PathFlags(rawValue: 1) }

    /// The packet is a shard of a group that forward error correction protects.
    @inlinable
    public static var protected: PathFlags { PathFlags(rawValue: 2) }

    /// The data plane sent it, whose sequence numbers are a series of their own.
    @inlinable
    public static var fastPath: PathFlags { PathFlags(rawValue: 4) }
}

/// The GENEVE option in every packet of ours: which packet of the tunnel it is, and when it left.
public struct PathOption: Equatable, Sendable, BitwiseCopyable {
    /// Counts packets and probes of one direction together; wraps.
    public var sequence: UInt32
    /// The sender's clock in microseconds, its lower 32 bits; wraps every 71.6 minutes.
    public var timestamp: UInt32
    public var flags: PathFlags

    /// The option's own header and its data.
    public static let byteCount = 16
    /// One of the classes kept for experiments (RFC 8926 §7).
    public static let optionClass: UInt16 = 0xFF50
    public static let type: UInt8 = 0x01

    @inlinable
    public init(sequence: UInt32, timestamp: UInt32, flags: PathFlags = []) {
        self.sequence = sequence
        self.timestamp = timestamp
        self.flags = flags
    }

    /// Class, type and length (in words, without this one) as they stand in front of the data.
    @inlinable
    static var headerBits: UInt32 { UInt32(optionClass) << 16 | UInt32(type) << 8 | 3 }
}

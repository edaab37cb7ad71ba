public import Basics

/// The type of a message (RFC 4271 §4.1, RFC 2918 §3).
public enum MessageType: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case open = 1
    case update = 2
    case notification = 3
    case keepalive = 4
    case routeRefresh = 5

    /// The lengths that a message of this type may have, its header included.
    ///
    /// The greatest is that of the session, but for the messages which RFC 8654 §4 leaves as they were.
    public func allowedLengths(upTo maximum: Int = MessageHeader.maximumLength) -> ClosedRange<Int> {
        switch self {
        case .open: 29...MessageHeader.maximumLength
        case .update: 23...maximum
        case .notification: 21...maximum
        case .keepalive: 19...19
        case .routeRefresh: 19...maximum
        }
    }
}

/// The header that every message begins with (RFC 4271 §4.1).
public struct MessageHeader: Equatable, Sendable, BitwiseCopyable {
    public static let size = 19
    /// RFC 4271 §4.1: no message is longer, unless both ends have agreed to it.
    public static let maximumLength = 4096
    /// RFC 8654 §3: what they may agree to.
    public static let extendedMaximumLength = 65535

    public let type: MessageType
    /// The length of the whole message.
    public let length: Int

    /// Reads and checks the first 19 octets of `bytes` (RFC 4271 §6.1).
    public init(_ bytes: RawSpan, maximumLength: Int = Self.maximumLength) throws(Notification) {
        precondition(bytes.byteCount >= Self.size)
        guard bytes.field(at: 0, as: UInt64.self) == .max, bytes.field(at: 8, as: UInt64.self) == .max else {
            throw .connectionNotSynchronized
        }
        let length: UInt16 = bytes.field(at: 16)
        guard (Self.size...maximumLength).contains(Int(length)) else { throw .badMessageLength(length) }
        let code: UInt8 = bytes.field(at: 18)
        guard let type = MessageType(rawValue: code) else { throw .badMessageType(code) }
        guard type.allowedLengths(upTo: maximumLength).contains(Int(length)) else { throw .badMessageLength(length) }
        self.type = type
        self.length = Int(length)
    }
}

extension ByteArena {
    /// Appends a header whose length ``endMessage(_:)`` fills in.
    mutating func beginMessage(_ type: MessageType) -> Int {
        let start = count
        append(UInt64.max)
        append(UInt64.max)
        append(UInt16(0))
        append(type.rawValue)
        return start
    }

    mutating func endMessage(_ start: Int) {
        patch(UInt16(truncatingIfNeeded: count - start), at: start + 16)
    }

    /// Appends a KEEPALIVE, which is a header alone (RFC 4271 §4.4).
    public mutating func appendKeepalive() {
        endMessage(beginMessage(.keepalive))
    }
}

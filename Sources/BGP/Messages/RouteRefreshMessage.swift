public import Basics

/// A request to hear all routes of one family again (RFC 2918 §3).
public struct RouteRefreshMessage: Equatable, Sendable, BitwiseCopyable {
    /// What the message says; the marks only where both ends have agreed to them (RFC 7313 §3.2).
    public enum Kind: UInt8, Sendable, BitwiseCopyable {
        case request = 0
        case beginning = 1
        case end = 2
    }

    public var familyIdentifier: UInt16
    /// The number of a ``Kind``, or one that is none.
    public var subtype: UInt8
    public var subsequentIdentifier: UInt8

    /// A request for all routes of `family`, or a mark before or behind them.
    public init(_ family: AddressFamily, _ kind: Kind = .request) {
        familyIdentifier = family.identifier
        subtype = kind.rawValue
        subsequentIdentifier = family.subsequentIdentifier
    }

    /// Reads a body; where marks are agreed upon, a length that is not theirs is an error of its own (RFC 7313 §5).
    public init(body: RawSpan, isEnhanced: Bool = false) throws(Notification) {
        guard body.byteCount == 4 else {
            let length = UInt16(truncatingIfNeeded: body.byteCount + MessageHeader.size)
            guard isEnhanced, body.byteCount > 2, (1...2).contains(body.field(at: 2, as: UInt8.self)) else {
                throw .badMessageLength(length)
            }
            let header = [UInt8](repeating: 0xFF, count: 16) + [UInt8(length >> 8), UInt8(length & 0xFF), 5]
            throw .invalidRefreshLength(header + body.copied())
        }
        familyIdentifier = body.field(at: 0)
        subtype = body.field(at: 2)
        subsequentIdentifier = body.field(at: 3)
    }

    /// What it says; nil for something that is not known here.
    public var kind: Kind? { Kind(rawValue: subtype) }

    /// The family, where it is one that is spoken here.
    public var family: AddressFamily? {
        AddressFamily(identifier: familyIdentifier, subsequentIdentifier: subsequentIdentifier)
    }

    /// Appends the whole message.
    public func append(to arena: inout ByteArena) {
        let start = arena.beginMessage(.routeRefresh)
        arena.append(familyIdentifier)
        arena.append(subtype)
        arena.append(subsequentIdentifier)
        arena.endMessage(start)
    }
}

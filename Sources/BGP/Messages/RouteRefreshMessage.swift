public import Basics

/// A request to hear all routes of one family again (RFC 2918 §3).
public struct RouteRefreshMessage: Equatable, Sendable, BitwiseCopyable {
    public var familyIdentifier: UInt16
    /// 0 is a request; RFC 7313 §3.2 gives meaning to other values, where both ends have agreed to it.
    public var subtype: UInt8
    public var subsequentIdentifier: UInt8

    /// A request for all routes of `family`.
    public init(_ family: AddressFamily) {
        familyIdentifier = family.identifier
        subtype = 0
        subsequentIdentifier = family.subsequentIdentifier
    }

    /// Reads a body, whose length of four the header has shown.
    public init(body: RawSpan) throws(Notification) {
        guard body.byteCount == 4 else {
            throw .badMessageLength(UInt16(truncatingIfNeeded: body.byteCount + MessageHeader.size))
        }
        familyIdentifier = body.field(at: 0)
        subtype = body.field(at: 2)
        subsequentIdentifier = body.field(at: 3)
    }

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

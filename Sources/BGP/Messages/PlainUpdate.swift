import Wire

/// An UPDATE as nearly all are: IPv4 routes, nothing wrong, every attribute written the usual way.
///
/// Such a message is acted upon as it stands, octet for octet. Whatever has the least
/// peculiarity is nil here and goes through ``UpdateMessage``, whose verdict on a message
/// that is plain would be the same.
struct PlainUpdate {
    /// Where prefixes stand in the body, lengths and octets checked.
    let withdrawn: Range<Int>
    let reachable: Range<Int>
    /// Where the attributes stand: packed as an ``AttributeTable`` keeps them.
    let attributes: Range<Int>
    let key: DecisionKey
    /// Whether one of the numbers asked about is in the path.
    let hasOwnNumber: Bool
    /// Whether each prefix stands behind the number of its path (RFC 7911 §3).
    private let isNumbered: Bool

    init?(_ body: RawSpan, _ context: UpdateContext, ownNumber: UInt32, otherOwnNumber: UInt32?) {
        guard context.isFourOctet, context.families.contains(.ipv4Unicast), !context.isInConfederation,
            body.byteCount > 4
        else { return nil }
        let withdrawnLength = Int(body.field(at: 0, as: UInt16.self))
        guard withdrawnLength + 4 <= body.byteCount else { return nil }
        let start = withdrawnLength + 4
        let end = start + Int(body.field(at: 2 + withdrawnLength, as: UInt16.self))
        guard end <= body.byteCount, (end == start) == (end == body.byteCount) else { return nil }
        withdrawn = 2..<2 + withdrawnLength
        attributes = start..<end
        reachable = end..<body.byteCount
        isNumbered = context.numberedFamilies.contains(.ipv4Unicast)
        guard Self.arePrefixes(body, withdrawn, isNumbered), Self.arePrefixes(body, reachable, isNumbered) else {
            return nil
        }
        guard end > start else {
            key = DecisionKey(PathAttributes(nextHop: .v4(.any)))
            hasOwnNumber = false
            return
        }
        var scan = AttributeScan(context, ownNumber, otherOwnNumber)
        guard scan.read(body, attributes) else { return nil }
        key = scan.key
        hasOwnNumber = scan.hasOwnNumber
    }

    private static func arePrefixes(_ body: RawSpan, _ field: Range<Int>, _ isNumbered: Bool) -> Bool {
        var offset = field.lowerBound
        while offset < field.upperBound {
            if isNumbered { offset += 4 }
            guard offset < field.upperBound else { return false }
            let length: UInt8 = body.field(at: offset)
            guard length <= 32 else { return false }
            offset &+= 1 &+ Int(length &+ 7) / 8
        }
        return offset == field.upperBound
    }

    /// The number of the path at an offset, which moves on to its prefix; 0 where paths have none.
    @inline(__always)
    func takeIdentifier(_ body: RawSpan, _ offset: inout Int) -> UInt32 {
        guard isNumbered else { return 0 }
        offset += 4
        return body.field(at: offset - 4)
    }

    /// The prefix at an offset, which moves on to the next one.
    @inline(__always)
    static func takePrefix(_ body: RawSpan, _ offset: inout Int) -> IPv4Prefix {
        let length = Int(body.field(at: offset, as: UInt8.self))
        let size = (length + 7) / 8
        var bits: UInt32 = 0
        if offset + 5 <= body.byteCount {
            bits = body.field(at: offset + 1)
        } else {
            for index in 0..<size {
                bits |= UInt32(body.field(at: offset + 1 + index, as: UInt8.self)) << UInt32(24 - index * 8)
            }
        }
        offset += 1 + size
        return IPv4Prefix(IPv4Address(bits: bits), length: length)
    }
}

/// Reads attributes that are all plain, in order of type, and notes what the decision needs of them.
private struct AttributeScan {
    private let context: UpdateContext
    private let ownNumbers: (UInt32, UInt32)
    private(set) var key = DecisionKey(PathAttributes(nextHop: .v4(.any)))
    private(set) var hasOwnNumber = false

    init(_ context: UpdateContext, _ ownNumber: UInt32, _ otherOwnNumber: UInt32?) {
        self.context = context
        ownNumbers = (ownNumber, otherOwnNumber ?? ownNumber)
    }

    mutating func read(_ body: RawSpan, _ field: Range<Int>) -> Bool {
        var offset = field.lowerBound
        var last: UInt8 = 0
        var mandatory = 0
        while offset < field.upperBound {
            guard field.upperBound - offset >= 3 else { return false }
            let flags: UInt8 = body.field(at: offset)
            let type: UInt8 = body.field(at: offset + 1)
            guard type > last else { return false }
            last = type
            if type <= 3 { mandatory += 1 }
            var length = Int(body.field(at: offset + 2, as: UInt8.self))
            var start = offset + 3
            if flags & AttributeFlags.extendedLength.rawValue != 0 {
                guard field.upperBound - offset >= 4 else { return false }
                length = Int(body.field(at: offset + 2, as: UInt16.self))
                start = offset + 4
                guard length > 255 else { return false }
            }
            offset = start + length
            guard offset <= field.upperBound,
                read(body, start..<offset, type, flags & ~AttributeFlags.extendedLength.rawValue)
            else { return false }
        }
        return mandatory == 3
    }

    private mutating func read(_ body: RawSpan, _ value: Range<Int>, _ type: UInt8, _ flags: UInt8) -> Bool {
        switch (type, flags) {
        case (1, 0x40):
            guard value.count == 1, let origin = Origin(rawValue: body.field(at: value.lowerBound)) else {
                return false
            }
            key.origin = origin
            return true
        case (2, 0x40):
            return readPath(body, value)
        case (3, 0x40):
            guard value.count == 4 else { return false }
            let address = IPv4Address(bits: body.field(at: value.lowerBound))
            key.nextHop = .v4(address)
            return address.isPossibleNextHop
        case (4, 0x80):
            guard value.count == 4 else { return false }
            key.multiExitDiscriminator = body.field(at: value.lowerBound)
            return true
        case (5, 0x40):
            guard value.count == 4, context.carriesLocalPreference else { return false }
            key.localPreference = body.field(at: value.lowerBound)
            return true
        case (6, 0x40):
            return value.isEmpty
        case (7, 0xC0):
            return value.count == 8 && body.field(at: value.lowerBound, as: UInt32.self) != 0
        case (8, 0xC0):
            return areOrdinaryCommunities(body, value)
        case (32, 0xC0):
            return value.count > 0 && value.count % 12 == 0
        default:
            return false
        }
    }

    /// One sequence of numbers, and the first as it must be.
    private mutating func readPath(_ body: RawSpan, _ value: Range<Int>) -> Bool {
        guard value.count >= 6, body.field(at: value.lowerBound, as: UInt8.self) == 2 else { return false }
        let count = Int(body.field(at: value.lowerBound + 1, as: UInt8.self))
        guard value.count == 2 + count * 4 else { return false }
        var offset = value.lowerBound + 2
        key.neighborAS = body.field(at: offset)
        if let required = context.requiredFirstAS, key.neighborAS != required { return false }
        while offset < value.upperBound {
            let number: UInt32 = body.field(at: offset)
            if number == 0 { return false }
            if number == ownNumbers.0 || number == ownNumbers.1 { hasOwnNumber = true }
            offset += 4
        }
        key.pathLength = UInt32(count)
        return true
    }

    private func areOrdinaryCommunities(_ body: RawSpan, _ value: Range<Int>) -> Bool {
        guard value.count > 0, value.count % 4 == 0 else { return false }
        var offset = value.lowerBound
        while offset < value.upperBound {
            if body.field(at: offset, as: UInt16.self) == 0xFFFF { return false }
            offset += 4
        }
        return true
    }
}

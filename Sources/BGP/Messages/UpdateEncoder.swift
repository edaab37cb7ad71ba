public import Basics
public import Wire

/// Writes UPDATEs: as many prefixes in each as fit, all with one set of attributes.
public struct UpdateEncoder: Sendable {
    /// Whether AS numbers take four octets (RFC 6793 §4).
    public let isFourOctet: Bool
    /// The attributes of the message being written, kept so that its storage is used again.
    private var octets: ContiguousArray<UInt8> = []

    public init(isFourOctet: Bool) {
        self.isFourOctet = isFourOctet
    }

    /// Appends the announcement of prefixes of one family, in as many messages as it takes.
    ///
    /// Returns their number, which is 0 where the attributes leave no room for the
    /// largest prefix: such routes cannot be announced at all.
    public mutating func announce(
        _ prefixes: ContiguousArray<IPPrefix>, with attributes: PathAttributes, to arena: inout ByteArena
    ) -> Int {
        guard let first = prefixes.first else { return 0 }
        let family = AddressFamily(of: first)
        octets.removeAll(keepingCapacity: true)
        attributes.append(
            to: &octets, isFourOctet: isFourOctet, hasNextHop: family == .ipv4Unicast)
        let overhead = family == .ipv4Unicast ? 23 : 23 + Self.reachableHeaderSize
        let room = MessageHeader.maximumLength - overhead - octets.count
        let largest = prefixes.reduce(0) { max($0, PrefixField.size(of: $1)) }
        guard room >= largest else { return 0 }

        var index = 0
        var messages = 0
        while index < prefixes.count {
            let start = arena.beginMessage(.update)
            arena.append(UInt16(0))
            switch family {
            case .ipv4Unicast:
                arena.append(UInt16(octets.count))
                arena.append(octets.span.bytes)
                index = Self.append(prefixes, from: index, room: room, to: &arena)
            case .ipv6Unicast:
                let lengthField = arena.count
                arena.append(UInt16(0))
                index = appendReachable(prefixes, from: index, nextHop: attributes.nextHop, room: room, to: &arena)
                arena.append(octets.span.bytes)
                arena.patch(UInt16(arena.count - lengthField - 2), at: lengthField)
            }
            arena.endMessage(start)
            messages += 1
        }
        return messages
    }

    /// Appends the withdrawal of prefixes of one family and returns the number of messages that it took.
    public func withdraw(_ prefixes: ContiguousArray<IPPrefix>, to arena: inout ByteArena) -> Int {
        guard let first = prefixes.first else { return 0 }
        let family = AddressFamily(of: first)
        var index = 0
        var messages = 0
        while index < prefixes.count {
            let start = arena.beginMessage(.update)
            switch family {
            case .ipv4Unicast:
                arena.append(UInt16(0))
                index = Self.append(prefixes, from: index, room: MessageHeader.maximumLength - 23, to: &arena)
                arena.patch(UInt16(arena.count - start - 21), at: start + MessageHeader.size)
                arena.append(UInt16(0))
            case .ipv6Unicast:
                arena.append(UInt16(0))
                arena.append(UInt16(0))
                arena.append((AttributeFlags.optional.union(.extendedLength)).rawValue)
                arena.append(AttributeType.multiprotocolUnreachable.rawValue)
                arena.append(UInt16(0))
                arena.append(family.identifier)
                arena.append(family.subsequentIdentifier)
                index = Self.append(prefixes, from: index, room: MessageHeader.maximumLength - 30, to: &arena)
                arena.patch(UInt16(arena.count - start - 23), at: start + 21)
                arena.patch(UInt16(arena.count - start - 27), at: start + 25)
            }
            arena.endMessage(start)
            messages += 1
        }
        return messages
    }

    /// Flags, type, two octets of length, family, next hop with its length, and the reserved octet.
    private static let reachableHeaderSize = 4 + 3 + 1 + 16 + 1

    private func appendReachable(
        _ prefixes: ContiguousArray<IPPrefix>, from start: Int, nextHop: IPAddress, room: Int,
        to arena: inout ByteArena
    ) -> Int {
        arena.append((AttributeFlags.optional.union(.extendedLength)).rawValue)
        arena.append(AttributeType.multiprotocolReachable.rawValue)
        let lengthField = arena.count
        arena.append(UInt16(0))
        arena.append(AddressFamily.ipv6Unicast.identifier)
        arena.append(AddressFamily.ipv6Unicast.subsequentIdentifier)
        let address = nextHop.asIPv6
        arena.append(UInt8(16))
        arena.append(address.high)
        arena.append(address.low)
        arena.append(UInt8(0))
        let end = Self.append(prefixes, from: start, room: room, to: &arena)
        arena.patch(UInt16(arena.count - lengthField - 2), at: lengthField)
        return end
    }

    /// Appends prefixes while there is room and returns the index of the first that is left.
    private static func append(
        _ prefixes: ContiguousArray<IPPrefix>, from start: Int, room: Int, to arena: inout ByteArena
    ) -> Int {
        var room = room
        var index = start
        while index < prefixes.count, PrefixField.size(of: prefixes[index]) <= room {
            room -= PrefixField.size(of: prefixes[index])
            PrefixField.append(prefixes[index], to: &arena)
            index += 1
        }
        return index
    }
}

extension IPAddress {
    /// The address itself, or the mapped form of an IPv4 address (RFC 4291 §2.5.5.2).
    var asIPv6: IPv6Address {
        switch self {
        case .v4(let address): IPv6Address(high: 0, low: 0xFFFF_0000_0000 | UInt64(address.bits))
        case .v6(let address): address
        }
    }

    /// The IPv4 address inside a mapped one, any other as it is.
    var withoutMapping: IPAddress {
        guard case .v6(let address) = self, address.high == 0, address.low >> 32 == 0xFFFF else { return self }
        return .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: address.low)))
    }
}

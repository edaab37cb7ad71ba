public import Basics
public import Wire

/// Writes UPDATEs: as many prefixes in each as fit, all with one set of attributes.
public struct UpdateEncoder: Sendable {
    public let format: UpdateFormat
    /// The attributes of the message being written, kept so that its storage is used again.
    private var octets: ContiguousArray<UInt8> = []

    public init(_ format: UpdateFormat) {
        self.format = format
    }

    /// An encoder for messages of the common length.
    public init(isFourOctet: Bool) {
        self.init(UpdateFormat(isFourOctet: isFourOctet))
    }

    /// Prefixes of one family, each with a number where the family has them.
    private struct Paths {
        let family: AddressFamily
        let prefixes: ContiguousArray<IPPrefix>
        let identifiers: ContiguousArray<UInt32>
        let isNumbered: Bool

        init?(
            _ prefixes: ContiguousArray<IPPrefix>, _ identifiers: ContiguousArray<UInt32>, _ format: UpdateFormat
        ) {
            guard let first = prefixes.first else { return nil }
            family = AddressFamily(of: first)
            self.prefixes = prefixes
            isNumbered = format.numberedFamilies.contains(family)
            self.identifiers = identifiers
        }

        var largest: Int {
            prefixes.reduce(0) { max($0, PrefixField.size(of: $1)) } + (isNumbered ? 4 : 0)
        }

        /// Appends prefixes while there is room and returns the index of the first that is left.
        func append(from start: Int, room: Int, to arena: inout ByteArena) -> Int {
            var room = room
            var index = start
            while index < prefixes.count {
                let size = PrefixField.size(of: prefixes[index]) + (isNumbered ? 4 : 0)
                guard size <= room else { break }
                room -= size
                if isNumbered { arena.append(identifiers.indices.contains(index) ? identifiers[index] : 0) }
                PrefixField.append(prefixes[index], to: &arena)
                index += 1
            }
            return index
        }
    }

    /// Appends the announcement of prefixes of one family, in as many messages as it takes.
    ///
    /// Returns their number, which is 0 where the attributes leave no room for the
    /// largest prefix: such routes cannot be announced at all. Without identifiers, a
    /// family that numbers its paths gets number 0 for each.
    public mutating func announce(
        _ prefixes: ContiguousArray<IPPrefix>, identifiers: ContiguousArray<UInt32> = [],
        with attributes: PathAttributes, to arena: inout ByteArena
    ) -> Int {
        guard let paths = Paths(prefixes, identifiers, format) else { return 0 }
        let isPlain = paths.family == .ipv4Unicast && attributes.nextHop.isIPv4
        octets.removeAll(keepingCapacity: true)
        attributes.append(to: &octets, isFourOctet: format.isFourOctet, hasNextHop: isPlain)
        let room = format.maximumLength - (isPlain ? 23 : 23 + Self.reachableHeaderSize) - octets.count
        guard room >= paths.largest else { return 0 }

        var index = 0
        var messages = 0
        while index < prefixes.count {
            let start = arena.beginMessage(.update)
            arena.append(UInt16(0))
            if isPlain {
                arena.append(UInt16(octets.count))
                arena.append(octets.span.bytes)
                index = paths.append(from: index, room: room, to: &arena)
            } else {
                let lengthField = arena.count
                arena.append(UInt16(0))
                index = appendReachable(paths, from: index, nextHop: attributes.nextHop, room: room, to: &arena)
                arena.append(octets.span.bytes)
                arena.patch(UInt16(arena.count - lengthField - 2), at: lengthField)
            }
            arena.endMessage(start)
            messages += 1
        }
        return messages
    }

    /// Appends the withdrawal of prefixes of one family and returns the number of messages that it took.
    public func withdraw(
        _ prefixes: ContiguousArray<IPPrefix>, identifiers: ContiguousArray<UInt32> = [], to arena: inout ByteArena
    ) -> Int {
        guard let paths = Paths(prefixes, identifiers, format) else { return 0 }
        var index = 0
        var messages = 0
        while index < prefixes.count {
            let start = arena.beginMessage(.update)
            switch paths.family {
            case .ipv4Unicast:
                arena.append(UInt16(0))
                index = paths.append(from: index, room: format.maximumLength - 23, to: &arena)
                arena.patch(UInt16(arena.count - start - 21), at: start + MessageHeader.size)
                arena.append(UInt16(0))
            case .ipv6Unicast:
                Self.beginUnreachable(paths.family, to: &arena)
                index = paths.append(from: index, room: format.maximumLength - 30, to: &arena)
                arena.patch(UInt16(arena.count - start - 23), at: start + 21)
                arena.patch(UInt16(arena.count - start - 27), at: start + 25)
            }
            arena.endMessage(start)
            messages += 1
        }
        return messages
    }

    /// Appends the message that closes the first round of a family's announcements (RFC 4724 §2).
    public func endOfRIB(_ family: AddressFamily, to arena: inout ByteArena) {
        let start = arena.beginMessage(.update)
        switch family {
        case .ipv4Unicast:
            arena.append(UInt32(0))
        case .ipv6Unicast:
            arena.append(UInt16(0))
            arena.append(UInt16(6))
            arena.append(AttributeFlags.optional.rawValue)
            arena.append(AttributeType.multiprotocolUnreachable.rawValue)
            arena.append(UInt8(3))
            arena.append(family.identifier)
            arena.append(family.subsequentIdentifier)
        }
        arena.endMessage(start)
    }

    /// Flags, type, two octets of length, family, next hop with its length, and the reserved octet.
    private static let reachableHeaderSize = 4 + 3 + 1 + 16 + 1

    /// Appends the head of an UPDATE that withdraws by attribute, without the two lengths.
    private static func beginUnreachable(_ family: AddressFamily, to arena: inout ByteArena) {
        arena.append(UInt16(0))
        arena.append(UInt16(0))
        arena.append((AttributeFlags.optional.union(.extendedLength)).rawValue)
        arena.append(AttributeType.multiprotocolUnreachable.rawValue)
        arena.append(UInt16(0))
        arena.append(family.identifier)
        arena.append(family.subsequentIdentifier)
    }

    private func appendReachable(
        _ paths: Paths, from start: Int, nextHop: IPAddress, room: Int, to arena: inout ByteArena
    ) -> Int {
        arena.append((AttributeFlags.optional.union(.extendedLength)).rawValue)
        arena.append(AttributeType.multiprotocolReachable.rawValue)
        let lengthField = arena.count
        arena.append(UInt16(0))
        arena.append(paths.family.identifier)
        arena.append(paths.family.subsequentIdentifier)
        let address = nextHop.asIPv6
        arena.append(UInt8(16))
        arena.append(address.high)
        arena.append(address.low)
        arena.append(UInt8(0))
        let end = paths.append(from: start, room: room, to: &arena)
        arena.patch(UInt16(arena.count - lengthField - 2), at: lengthField)
        return end
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

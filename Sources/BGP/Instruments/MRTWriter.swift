public import Basics
public import Wire

/// Appends records to an arena: a table after its peers, or what happens on sessions as it happens.
public struct MRTWriter: Sendable {
    /// A peer's route as it is to be recorded.
    public struct Entry: Equatable, Sendable {
        /// The peer's number in the ``MRTPeerTable``.
        public var peer: Int
        /// In seconds since 1970.
        public var originatedAt: UInt32
        public var pathIdentifier: UInt32
        public var attributes: PathAttributes

        public init(peer: Int, originatedAt: UInt32, pathIdentifier: UInt32 = 0, attributes: PathAttributes) {
            self.peer = peer
            self.originatedAt = originatedAt
            self.pathIdentifier = pathIdentifier
            self.attributes = attributes
        }
    }

    /// What the next record of a prefix is numbered.
    public private(set) var sequence: UInt32 = 0
    /// The attributes of the entry being written, kept so that their storage is used again.
    private var octets: ContiguousArray<UInt8> = []

    public init() {}

    /// Begins a table with the peers that its entries name; the prefixes that follow are numbered from 0.
    public mutating func append(_ table: MRTPeerTable, at time: WallTime, to arena: inout ByteArena) {
        sequence = 0
        let name = ContiguousArray(table.viewName.utf8)
        precondition(name.count <= 0xFFFF && table.peers.count <= 0xFFFF)
        let start = arena.beginRecord(at: time, type: MRTType.tableDump, MRTTableSubtype.peers.rawValue)
        arena.append(table.identifier.bits)
        arena.append(UInt16(name.count))
        arena.append(name.span.bytes)
        arena.append(UInt16(table.peers.count))
        for peer in table.peers {
            arena.append(UInt8(peer.address.isIPv4 ? 2 : 3))
            arena.append(peer.identifier.bits)
            arena.append(peer.address)
            arena.append(peer.autonomousSystem)
        }
        arena.endRecord(start)
    }

    /// Records all routes to a prefix; false where there are none, or one has too many attributes to be recorded.
    public mutating func append(
        _ prefix: IPPrefix, _ entries: ContiguousArray<Entry>, isNumbered: Bool = false, at time: WallTime,
        to arena: inout ByteArena
    ) -> Bool {
        guard !entries.isEmpty, entries.count <= 0xFFFF else { return false }
        let subtype: MRTTableSubtype =
            isNumbered
            ? (prefix.isIPv4 ? .ipv4UnicastNumbered : .ipv6UnicastNumbered)
            : (prefix.isIPv4 ? .ipv4Unicast : .ipv6Unicast)
        let start = arena.beginRecord(at: time, type: MRTType.tableDump, subtype.rawValue)
        arena.append(sequence)
        PrefixField.append(prefix, to: &arena)
        let countField = arena.count
        arena.append(UInt16(0))
        var count = 0
        for entry in entries {
            encode(entry.attributes, isPlain: prefix.isIPv4 && entry.attributes.nextHop.isIPv4)
            guard octets.count <= 0xFFFF else { continue }
            arena.append(UInt16(truncatingIfNeeded: entry.peer))
            arena.append(entry.originatedAt)
            if isNumbered { arena.append(entry.pathIdentifier) }
            arena.append(UInt16(octets.count))
            arena.append(octets.span.bytes)
            count += 1
        }
        arena.patch(UInt16(count), at: countField)
        arena.endRecord(start)
        sequence &+= 1
        return count == entries.count
    }

    /// Records a BGP message, given whole; with its microseconds where they are not 0 (RFC 6396 §3).
    public func append(
        _ message: RawSpan, of session: MRTSession, isFourOctet: Bool = true, isNumbered: Bool = false,
        isLocal: Bool = false, at time: WallTime, to arena: inout ByteArena
    ) {
        let kind = MRTMessage(
            session: session, isFourOctet: isFourOctet, isNumbered: isNumbered, isLocal: isLocal, message: 0..<0)
        let start = arena.beginEvent(at: time, MRTProtocolSubtype(kind))
        arena.append(session, isFourOctet: isFourOctet)
        arena.append(message)
        arena.endRecord(start)
    }

    /// Records that a session went from one state to another.
    public func append(
        _ session: MRTSession, from old: BGPSessionState, to new: BGPSessionState, at time: WallTime,
        to arena: inout ByteArena
    ) {
        let start = arena.beginEvent(at: time, .stateChangeFourOctet)
        arena.append(session, isFourOctet: true)
        arena.append(old.recorded)
        arena.append(new.recorded)
        arena.endRecord(start)
    }

    /// Leaves the attributes of an entry in ``octets``, with the next hop in the form that tables have.
    private mutating func encode(_ attributes: PathAttributes, isPlain: Bool) {
        octets.removeAll(keepingCapacity: true)
        if !isPlain {
            let address = attributes.nextHop.asIPv6
            octets += [AttributeFlags.optional.rawValue, AttributeType.multiprotocolReachable.rawValue, 17, 16]
            octets.append(bigEndian: address.high)
            octets.append(bigEndian: address.low)
        }
        attributes.append(to: &octets, isFourOctet: true, hasNextHop: isPlain)
    }
}

extension ByteArena {
    /// Appends a header whose length ``endRecord(_:)`` fills in.
    fileprivate mutating func beginRecord(at time: WallTime, type: UInt16, _ subtype: UInt16) -> Int {
        let start = count
        append(time.seconds)
        append(type)
        append(subtype)
        append(UInt32(0))
        return start
    }

    fileprivate mutating func beginEvent(at time: WallTime, _ subtype: MRTProtocolSubtype) -> Int {
        guard time.microseconds != 0 else {
            return beginRecord(at: time, type: MRTType.protocolMessage, subtype.rawValue)
        }
        let start = beginRecord(at: time, type: MRTType.preciseProtocolMessage, subtype.rawValue)
        append(time.microseconds)
        return start
    }

    fileprivate mutating func endRecord(_ start: Int) {
        patch(UInt32(count - start - MRTReader.headerSize), at: start + 8)
    }

    fileprivate mutating func append(_ address: IPAddress) {
        switch address {
        case .v4(let address): append(address.bits)
        case .v6(let address):
            append(address.high)
            append(address.low)
        }
    }

    /// Both addresses take the family of the local one; where they differ, IPv4 is written mapped.
    fileprivate mutating func append(_ session: MRTSession, isFourOctet: Bool) {
        for number in [session.peerAS, session.localAS] {
            if isFourOctet {
                append(number)
            } else {
                append(UInt16(exactly: number) ?? OpenMessage.transitionalAS)
            }
        }
        append(session.interface)
        let isIPv4 = session.peerAddress.isIPv4 && session.localAddress.isIPv4
        append(UInt16(isIPv4 ? 1 : 2))
        for address in [session.peerAddress, session.localAddress] {
            append(isIPv4 ? address : .v6(address.asIPv6))
        }
    }
}

// Recorded BGP (MRT, RFC 6396 and RFC 8050): tables of routes with the peers that told
// them (TABLE_DUMP_V2), and messages and state changes of sessions (BGP4MP, BGP4MP_ET).
//
// Way in: the octets of a file, as a span, to `MRTReader.next`, and the entries of a
// table's record to `MRTEntryReader.next`. Nothing is copied: records name places in the
// span. `UpdateMessage(tableEntry:)` reads the attributes of an entry as if a peer had
// just told them. Way out: `MRTWriter` appends records to an arena.

import Wire

/// Goes over the records of a file.
public struct MRTReader: Sendable {
    /// The header of a record: time, type, subtype and length.
    static let headerSize = 12

    /// Where the next record begins.
    public private(set) var offset = 0

    public init() {}

    /// The next record; nil at the end.
    ///
    /// After an error inside a record the next call goes on behind that record; after
    /// one in which no record's length could be believed, it returns nil.
    public mutating func next(in bytes: RawSpan) throws(RecordFault) -> MRTRecord? {
        guard offset < bytes.byteCount else { return nil }
        let start = offset
        offset = bytes.byteCount
        var reader = PlacedReader(bytes, start..<bytes.byteCount)
        var time = WallTime(seconds: try reader.read())
        let type = try reader.read(UInt16.self)
        let subtype = try reader.read(UInt16.self)
        let body = try reader.take(Int(try reader.read(UInt32.self)))
        offset = body.upperBound
        reader = PlacedReader(bytes, body)
        if type == MRTType.preciseProtocolMessage { time.microseconds = try reader.read() }
        let content = try Self.content(&reader, type, subtype)
        return MRTRecord(time: time, content: content, place: start..<offset)
    }

    private static func content(
        _ reader: inout PlacedReader, _ type: UInt16, _ subtype: UInt16
    ) throws(RecordFault) -> MRTRecord.Content {
        switch type {
        case MRTType.tableDump:
            guard let subtype = MRTTableSubtype(rawValue: subtype) else { break }
            if subtype == .peers { return .peers(try MRTPeerTable(&reader)) }
            return .routes(try MRTRoutes(&reader, subtype))
        case MRTType.protocolMessage, MRTType.preciseProtocolMessage:
            guard let subtype = MRTProtocolSubtype(rawValue: subtype) else { break }
            if subtype.isStateChange { return .stateChange(try MRTStateChange(&reader, subtype)) }
            return .message(try MRTMessage(&reader, subtype))
        default: break
        }
        return .other(type: type, subtype: subtype)
    }
}

/// Goes over the entries of an ``MRTRoutes``.
public struct MRTEntryReader: Sendable {
    private let isNumbered: Bool
    private var left: Int
    private var place: Range<Int>

    public init(_ routes: MRTRoutes) {
        isNumbered = routes.isNumbered
        left = routes.count
        place = routes.entries
    }

    /// The next entry in the same octets that the record was read from; nil behind the last one, and after an error.
    public mutating func next(in bytes: RawSpan) throws(RecordFault) -> MRTEntry? {
        guard left > 0, place.upperBound <= bytes.byteCount else { return nil }
        let expected = left
        left = 0
        var reader = PlacedReader(bytes, place)
        let peer = Int(try reader.read(UInt16.self))
        let originatedAt = try reader.read(UInt32.self)
        let identifier: UInt32? = isNumbered ? try reader.read() : nil
        let attributes = try reader.take(Int(try reader.read(UInt16.self)))
        left = expected - 1
        if left == 0 { try reader.finish() }
        place = reader.rest
        return MRTEntry(
            peer: peer, originatedAt: originatedAt, pathIdentifier: identifier, attributes: attributes)
    }
}

extension MRTPeerTable {
    init(_ reader: inout PlacedReader) throws(RecordFault) {
        identifier = IPv4Address(bits: try reader.read())
        viewName = try reader.readText(Int(try reader.read(UInt16.self)))
        peers = []
        for _ in 0..<(try reader.read(UInt16.self)) {
            let type = try reader.read(UInt8.self)
            let identifier = IPv4Address(bits: try reader.read())
            let address = try reader.readAddress(isIPv4: type & 1 == 0)
            let number = type & 2 != 0 ? try reader.read(UInt32.self) : UInt32(try reader.read(UInt16.self))
            peers.append(MRTPeer(identifier: identifier, address: address, autonomousSystem: number))
        }
        try reader.finish()
    }
}

extension MRTRoutes {
    init(_ reader: inout PlacedReader, _ subtype: MRTTableSubtype) throws(RecordFault) {
        let isIPv4 = subtype == .ipv4Unicast || subtype == .ipv4UnicastNumbered
        sequence = try reader.read()
        prefix = try reader.readPrefix(isIPv4 ? .ipv4Unicast : .ipv6Unicast)
        isNumbered = subtype == .ipv4UnicastNumbered || subtype == .ipv6UnicastNumbered
        count = Int(try reader.read(UInt16.self))
        entries = reader.rest
    }
}

extension MRTSession {
    init(_ reader: inout PlacedReader, isFourOctet: Bool) throws(RecordFault) {
        peerAS = isFourOctet ? try reader.read(UInt32.self) : UInt32(try reader.read(UInt16.self))
        localAS = isFourOctet ? try reader.read(UInt32.self) : UInt32(try reader.read(UInt16.self))
        interface = try reader.read()
        let place = reader.offset
        let family = try reader.read(UInt16.self)
        guard family == 1 || family == 2 else { throw RecordFault(.badFamily(family), at: place) }
        peerAddress = try reader.readAddress(isIPv4: family == 1)
        localAddress = try reader.readAddress(isIPv4: family == 1)
    }
}

extension MRTMessage {
    init(_ reader: inout PlacedReader, _ subtype: MRTProtocolSubtype) throws(RecordFault) {
        isFourOctet = subtype.isFourOctet
        isNumbered = subtype.isNumbered
        isLocal = subtype.isLocal
        session = try MRTSession(&reader, isFourOctet: isFourOctet)
        message = reader.rest
    }
}

extension MRTStateChange {
    init(_ reader: inout PlacedReader, _ subtype: MRTProtocolSubtype) throws(RecordFault) {
        isFourOctet = subtype.isFourOctet
        session = try MRTSession(&reader, isFourOctet: isFourOctet)
        oldNumber = try reader.read()
        newNumber = try reader.read()
        try reader.finish()
    }
}

extension BGPSessionState {
    /// The state of a number of RFC 6396 §4.4.1.
    init?(recorded number: UInt16) {
        guard let state = Self.allCases.first(where: { $0.recorded == number }) else { return nil }
        self = state
    }

    /// The number of RFC 6396 §4.4.1.
    var recorded: UInt16 { UInt16(rawValue) + 1 }
}

import Wire

/// Goes over the messages of a stream to a monitoring station.
public struct BMPReader: Sendable {
    static let version: UInt8 = 3
    /// The common header: version, length and type.
    static let headerSize = 6
    /// What a station need not put up with: two OPENs of 64 KiB, with room for the rest.
    static let maximumLength = 1 << 18

    /// Where the next message begins.
    public private(set) var offset = 0

    public init() {}

    /// The next message; nil where it has not come whole.
    ///
    /// After an error inside a message the next call goes on behind it; after one in a
    /// header, where nothing that follows can be told apart, it gives the same error.
    public mutating func next(in bytes: RawSpan) throws(RecordFault) -> BMPMessage? {
        let start = offset
        guard bytes.byteCount - start >= Self.headerSize else { return nil }
        var reader = PlacedReader(bytes, start..<bytes.byteCount)
        let version = try reader.read(UInt8.self)
        guard version == Self.version else { throw RecordFault(.badVersion(version), at: start) }
        let length = Int(try reader.read(UInt32.self))
        guard (Self.headerSize...Self.maximumLength).contains(length) else {
            throw RecordFault(.badLength(length), at: start + 1)
        }
        guard length <= bytes.byteCount - start else { return nil }
        let type = try reader.read(UInt8.self)
        offset = start + length
        reader = PlacedReader(bytes, start + Self.headerSize..<offset)
        let content = try Self.content(&reader, type, bytes)
        return BMPMessage(content: content, place: start..<offset)
    }

    private static func content(
        _ reader: inout PlacedReader, _ type: UInt8, _ bytes: RawSpan
    ) throws(RecordFault) -> BMPMessage.Content {
        guard let type = BMPType(rawValue: type) else { return .other(type: type) }
        switch type {
        case .routeMonitoring:
            let peer = try BMPPeer(&reader)
            let update = try message(.update, &reader, bytes)
            try reader.finish()
            return .routes(peer, update: update)
        case .statistics: return .statistics(try BMPPeer(&reader), try statistics(&reader))
        case .peerDown: return .peerDown(try BMPPeer(&reader), try peerDownReason(&reader, bytes))
        case .peerUp: return .peerUp(try BMPPeer(&reader), try peerUp(&reader, bytes))
        case .initiation: return .initiation(try information(&reader))
        case .termination: return try termination(&reader)
        }
    }

    /// The place of a whole BGP message of that type.
    private static func message(
        _ type: MessageType, _ reader: inout PlacedReader, _ bytes: RawSpan
    ) throws(RecordFault) -> Range<Int> {
        let place = reader.rest
        guard place.count >= MessageHeader.size else {
            throw RecordFault(
                .truncated(needed: MessageHeader.size, available: place.count), at: place.lowerBound)
        }
        let header: MessageHeader
        do throws(Notification) {
            header = try MessageHeader(
                bytes.extracting(place), maximumLength: MessageHeader.extendedMaximumLength)
        } catch {
            throw RecordFault(.badMessage(error), at: place.lowerBound)
        }
        guard header.type == type else {
            throw RecordFault(.badType(Int(header.type.rawValue)), at: place.lowerBound + MessageHeader.size - 1)
        }
        return try reader.take(header.length)
    }

    private static func statistics(_ reader: inout PlacedReader) throws(RecordFault) -> [BMPStatistic] {
        var result: [BMPStatistic] = []
        for _ in 0..<(try reader.read(UInt32.self)) {
            let type = try reader.read(UInt16.self)
            let place = reader.offset
            let length = try reader.read(UInt16.self)
            switch length {
            case 4: result.append(.init(.init(rawValue: type, isGauge: false), UInt64(try reader.read(UInt32.self))))
            case 8: result.append(.init(.init(rawValue: type, isGauge: true), try reader.read()))
            // Those that count by family are passed over (RFC 7854 §4.8).
            case 11: _ = try reader.take(11)
            default: throw RecordFault(.badLength(Int(length)), at: place)
            }
        }
        try reader.finish()
        return result
    }

    private static func peerDownReason(
        _ reader: inout PlacedReader, _ bytes: RawSpan
    ) throws(RecordFault) -> BMPPeerDownReason {
        let place = reader.offset
        let reason: BMPPeerDownReason
        let code = try reader.read(UInt8.self)
        switch code {
        case 1: reason = .localNotification(try notification(&reader, bytes))
        case 2: reason = .localEvent(try reader.read())
        case 3: reason = .remoteNotification(try notification(&reader, bytes))
        case 4: reason = .remoteClosed
        case 5: reason = .notMonitored
        case 6: reason = .bestRoutesEnd(try information(&reader))
        default: throw RecordFault(.badType(Int(code)), at: place)
        }
        try reader.finish()
        return reason
    }

    private static func notification(
        _ reader: inout PlacedReader, _ bytes: RawSpan
    ) throws(RecordFault) -> Notification {
        let place = try message(.notification, &reader, bytes)
        do throws(Notification) {
            return try Notification(body: bytes.extracting(place).extracting(droppingFirst: MessageHeader.size))
        } catch {
            throw RecordFault(.badMessage(error), at: place.lowerBound)
        }
    }

    private static func peerUp(_ reader: inout PlacedReader, _ bytes: RawSpan) throws(RecordFault) -> BMPPeerUp {
        let address = try reader.readPeerAddress(isIPv6: nil)
        let localPort = try reader.read(UInt16.self)
        let remotePort = try reader.read(UInt16.self)
        let sent = try message(.open, &reader, bytes)
        let received = try message(.open, &reader, bytes)
        return BMPPeerUp(
            local: SocketAddress(address, port: localPort), remotePort: remotePort, sentOpen: sent,
            receivedOpen: received, information: try information(&reader))
    }

    private static func information(_ reader: inout PlacedReader) throws(RecordFault) -> [BMPInformation] {
        var result: [BMPInformation] = []
        while reader.remaining > 0 {
            let type = try reader.read(UInt16.self)
            result.append(BMPInformation(type: type, text: try reader.readText(Int(try reader.read(UInt16.self)))))
        }
        return result
    }

    private static func termination(_ reader: inout PlacedReader) throws(RecordFault) -> BMPMessage.Content {
        var texts: [BMPInformation] = []
        var reason: BMPTerminationReason?
        while reader.remaining > 0 {
            let type = try reader.read(UInt16.self)
            let place = reader.offset
            let length = Int(try reader.read(UInt16.self))
            if type == 1 {
                guard length == 2 else { throw RecordFault(.badLength(length), at: place) }
                reason = BMPTerminationReason(rawValue: try reader.read())
            } else {
                texts.append(BMPInformation(type: type, text: try reader.readText(length)))
            }
        }
        return .termination(reason, texts)
    }
}

extension BMPPeer {
    /// The octets of a per-peer header.
    static let size = 42

    init(_ reader: inout PlacedReader) throws(RecordFault) {
        let place = reader.offset
        let type = try reader.read(UInt8.self)
        guard let kind = Kind(rawValue: type) else { throw RecordFault(.badType(Int(type)), at: place) }
        let flags = BMPPeerFlags(rawValue: try reader.read())
        let isPeer = kind != .bestRoutes
        self.kind = kind
        distinguisher = try reader.read()
        address = try reader.readPeerAddress(isIPv6: isPeer && flags.contains(.ipv6))
        autonomousSystem = try reader.read()
        identifier = IPv4Address(bits: try reader.read())
        isPostPolicy = isPeer && flags.contains(.postPolicy)
        isTwoOctet = isPeer && flags.contains(.twoOctet)
        time = WallTime(seconds: try reader.read(), microseconds: try reader.read())
    }
}

extension PlacedReader {
    /// An address in sixteen octets, of IPv4 the last four; without a word on the family, twelve zeros tell IPv4.
    @_lifetime(self: copy self)
    mutating func readPeerAddress(isIPv6: Bool?) throws(RecordFault) -> IPAddress {
        let address = IPv6Address(high: try read(), low: try read())
        let looksLikeIPv4 = address.high == 0 && address.low >> 32 == 0
        guard isIPv6 ?? !looksLikeIPv4 else {
            return .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: address.low)))
        }
        return .v6(address)
    }
}

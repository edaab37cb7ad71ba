public import Wire

extension UpdateContext {
    /// With what the attributes of a recorded table are read: everything that a collector may know (RFC 6396 §4.3.4).
    public static let tableEntry: UpdateContext = {
        var context = UpdateContext(isInternal: true)
        context.isInConfederation = true
        context.hasExtendedNextHop = true
        context.acceptsAccumulatedMetric = true
        return context
    }()
}

extension UpdateMessage {
    /// Reads the attributes of a recorded route as if its peer had just told it.
    ///
    /// MP_REACH_NLRI holds a next hop alone (RFC 6396 §4.3.4), or is whole, as some
    /// collectors write it. Faults cost what they cost in an UPDATE (RFC 7606).
    public init(
        tableEntry bytes: RawSpan, of prefix: IPPrefix, identifier: UInt32? = nil,
        context: UpdateContext = .tableEntry
    ) throws(Notification) {
        var decoder = AttributeDecoder(context)
        var field = PrefixField()
        field.prefixes = [prefix]
        if let identifier { field.identifiers = [identifier] }
        do throws(UpdateFault) {
            var offset = 0
            while offset < bytes.byteCount {
                let attribute = bytes.extracting(offset..<Self.end(ofAttributeAt: offset, in: bytes))
                offset += attribute.byteCount
                if let nextHop = Self.nextHop(attribute) {
                    let family = AddressFamily(of: prefix)
                    decoder.accept(.init(family: family, nextHop: nextHop, field: field))
                } else {
                    try decoder.read(attribute)
                }
            }
        } catch {
            guard case .sessionReset(let notification) = error else { throw .malformedAttributeList }
            throw notification
        }
        let isPlain = prefix.isIPv4 && decoder.reachable == nil
        self = try decoder.finish(withdrawn: PrefixField(), reachable: isPlain ? field : PrefixField())
        // An IPv6 route without any next hop is not announced by anything.
        if announcements.isEmpty, withdrawn.isEmpty { withdraw(field) }
    }

    /// Where the attribute ends, or the octets where it is cut off.
    private static func end(ofAttributeAt start: Int, in bytes: RawSpan) -> Int {
        let count = bytes.byteCount - start
        let isExtended = bytes.field(at: start, as: UInt8.self) & AttributeFlags.extendedLength.rawValue != 0
        guard count >= (isExtended ? 4 : 3) else { return bytes.byteCount }
        let length =
            isExtended
            ? 4 + Int(bytes.field(at: start + 2, as: UInt16.self)) : 3 + Int(bytes.field(at: start + 2, as: UInt8.self))
        return start + min(length, count)
    }

    /// The next hop of an MP_REACH_NLRI, abbreviated or whole; nil for any other attribute, and a malformed one.
    private static func nextHop(_ attribute: RawSpan) -> IPAddress? {
        guard attribute.byteCount >= 4,
            attribute.field(at: 1, as: UInt8.self) == AttributeType.multiprotocolReachable.rawValue
        else { return nil }
        let isExtended = attribute.field(at: 0, as: UInt8.self) & AttributeFlags.extendedLength.rawValue != 0
        var value = attribute.extracting((isExtended ? 4 : 3)..<attribute.byteCount)
        // The high octet of a family's number is 0, which is no length of a next hop.
        if value.byteCount > 4, value.field(at: 0, as: UInt8.self) == 0 {
            value = value.extracting(3..<value.byteCount)
        }
        guard value.byteCount > 1 else { return nil }
        let length = Int(value.field(at: 0, as: UInt8.self))
        guard value.byteCount > length else { return nil }
        switch length {
        case 4: return .v4(IPv4Address(bits: value.field(at: 1)))
        case 16, 32: return .v6(IPv6Address(high: value.field(at: 1), low: value.field(at: 9)))
        default: return nil
        }
    }
}

import Wire

/// Reads the path attributes of one UPDATE and decides what their faults cost (RFC 7606).
struct AttributeDecoder {
    struct Reachable {
        let family: AddressFamily
        let nextHop: IPAddress
        let field: PrefixField
    }

    let context: UpdateContext
    var attributes = PathAttributes(nextHop: .v4(.any))
    /// One bit for each type met, whatever became of it.
    private var seen: (UInt128, UInt128) = (0, 0)
    /// The types met and found good.
    private var accepted: (UInt128, UInt128) = (0, 0)
    private var faults: [UpdateFault] = []
    var fourOctetPath: ASPath?
    var fourOctetAggregator: Aggregator?
    var reachable: Reachable?
    var unreachable: (family: AddressFamily, field: PrefixField)?

    init(_ context: UpdateContext) {
        self.context = context
    }

    /// Takes the next hop of a recorded route, whose prefix does not stand in the attribute (RFC 6396 §4.3.4).
    mutating func accept(_ reachable: Reachable) {
        guard Self.insert(.multiprotocolReachable, into: &seen) else { return }
        self.reachable = reachable
    }

    /// Reads the whole field; only a fault that ends the session is thrown.
    mutating func read(_ field: RawSpan) throws(UpdateFault) {
        var offset = 0
        while offset < field.byteCount {
            let remaining = field.byteCount - offset
            let flags = AttributeFlags(rawValue: field.field(at: offset))
            let headerSize = flags.contains(.extendedLength) ? 4 : 3
            guard remaining >= headerSize else {
                return try cutOff(AttributeType(rawValue: remaining > 1 ? field.field(at: offset + 1) : 0))
            }
            let type = AttributeType(rawValue: field.field(at: offset + 1))
            let length =
                headerSize == 4
                ? Int(field.field(at: offset + 2, as: UInt16.self)) : Int(field.field(at: offset + 2, as: UInt8.self))
            guard remaining - headerSize >= length else { return try cutOff(type) }
            let end = offset + headerSize + length
            try read(field.extracting(offset..<end), type: type, flags: flags, headerSize: headerSize)
            offset = end
        }
    }

    /// RFC 7606 §4: what follows the last whole attribute costs the routes, or the session if prefixes are lost in it.
    private mutating func cutOff(_ type: AttributeType) throws(UpdateFault) {
        guard type != .multiprotocolReachable, type != .multiprotocolUnreachable else {
            throw .sessionReset(.malformedAttributeList)
        }
        _ = Self.insert(type, into: &seen)
        faults.append(.treatAsWithdraw(type))
    }

    /// Reads one attribute, given whole.
    private mutating func read(
        _ attribute: RawSpan, type: AttributeType, flags: AttributeFlags, headerSize: Int
    ) throws(UpdateFault) {
        guard Self.insert(type, into: &seen) else {
            // RFC 7606 §3 g: the first of several counts, but of these two there may be no second.
            guard type == .multiprotocolReachable || type == .multiprotocolUnreachable else { return }
            throw .sessionReset(.malformedAttributeList)
        }
        let value = attribute.extracting(headerSize..<attribute.byteCount)
        guard let rule = AttributeRule.of(type, isFourOctet: context.isFourOctet) else {
            guard flags.contains(.optional) else {
                throw .sessionReset(.unrecognizedWellKnownAttribute(attribute.copied()))
            }
            if flags.contains(.transitive) { keep(type, [.optional, .transitive, .partial], value) }
            return
        }
        do throws(UpdateFault) {
            try read(value, type: type, flags: flags, rule: rule)
            _ = Self.insert(type, into: &accepted)
            if flags.contains(.partial) { attributes.partial.insert(PartialAttributes(type)) }
        } catch {
            if case .sessionReset = error {
                throw .sessionReset(.optionalAttributeError(attribute.copied()))
            }
            faults.append(error)
        }
    }

    private mutating func read(
        _ value: RawSpan, type: AttributeType, flags: AttributeFlags, rule: AttributeRule
    ) throws(UpdateFault) {
        if flags.intersection([.optional, .transitive]) != rule.flags {
            // The prefixes of a multiprotocol attribute are still needed, to be withdrawn.
            guard type == .multiprotocolReachable || type == .multiprotocolUnreachable else {
                throw rule.flagResponse == .discard ? .attributeDiscard(type) : .treatAsWithdraw(type)
            }
            faults.append(.treatAsWithdraw(type))
        }
        if rule.isInternalOnly, !context.isInternal {
            // RFC 5065 §5.1: a confederation carries it from one of its ASes to the next.
            guard type == .localPreference, context.isInConfederation else { throw .attributeDiscard(type) }
        }
        guard rule.allows(length: value.byteCount) else {
            switch rule.response {
            case .treatAsWithdraw: throw .treatAsWithdraw(type)
            case .discard: throw .attributeDiscard(type)
            case .reset: throw .sessionReset(.malformedAttributeList)
            }
        }
        if type == .ipv6ExtendedCommunities { return keep(type, flags.subtracting(.extendedLength), value) }
        try readValue(value, type: type)
    }

    /// Keeps an attribute as it came; of one that is not known here the flags say so (RFC 4271 §5).
    private mutating func keep(_ type: AttributeType, _ flags: AttributeFlags, _ value: RawSpan) {
        let passedOn = flags.intersection([.optional, .transitive, .partial])
        let kept = UnrecognizedAttribute(type: type, flags: passedOn, value: value.copied())
        let place = attributes.unrecognized.firstIndex { $0.type > type } ?? attributes.unrecognized.endIndex
        attributes.unrecognized.insert(kept, at: place)
    }

    /// Puts everything together: what is missing, what two octets lost, and what the faults cost.
    consuming func finish(withdrawn: PrefixField, reachable plain: PrefixField) throws(Notification) -> UpdateMessage {
        let hasIPv4 = context.families.contains(.ipv4Unicast)
        let plain = hasIPv4 ? plain : PrefixField()
        let hasReachable = !plain.prefixes.isEmpty || Self.has(.multiprotocolReachable, in: seen)
        mergeFourOctetAttributes()
        if hasReachable { checkMandatory(hasPlain: !plain.prefixes.isEmpty) }

        let isWithdrawn = faults.contains { if case .treatAsWithdraw = $0 { true } else { false } }
        // RFC 7606 §5.2: without a prefix to withdraw nobody can tell which routes were meant.
        if isWithdrawn, !hasReachable, !onlyUnreachable { throw .malformedAttributeList }

        var message = UpdateMessage(faults: faults)
        if hasIPv4 { message.withdraw(withdrawn) }
        if let unreachable {
            message.withdraw(unreachable.field)
            if unreachable.field.prefixes.isEmpty, withdrawn.prefixes.isEmpty, plain.prefixes.isEmpty, onlyUnreachable {
                message.endOfRIB = unreachable.family
            }
        }
        if isWithdrawn {
            message.withdraw(plain)
            if let reachable { message.withdraw(reachable.field) }
            return message
        }
        if !plain.prefixes.isEmpty {
            message.announcements.append(
                Announcement(attributes: attributes, prefixes: plain.prefixes, identifiers: plain.identifiers))
        }
        if let reachable, !reachable.field.prefixes.isEmpty {
            attributes.nextHop = reachable.nextHop
            message.announcements.append(
                Announcement(
                    attributes: attributes, prefixes: reachable.field.prefixes,
                    identifiers: reachable.field.identifiers))
        }
        return message
    }

    private var onlyUnreachable: Bool {
        seen == (UInt128(1) << UInt128(AttributeType.multiprotocolUnreachable.rawValue), 0)
    }

    /// RFC 7606 §3 d, and the first AS of RFC 4271 §6.3.
    private mutating func checkMandatory(hasPlain: Bool) {
        // RFC 4760 §3: next to a multiprotocol attribute alone, NEXT_HOP is ignored.
        if !hasPlain { faults.removeAll { $0 == .treatAsWithdraw(.nextHop) } }
        for type in [AttributeType.origin, .path] where !Self.has(type, in: seen) {
            faults.append(.treatAsWithdraw(type))
        }
        if hasPlain, !Self.has(.nextHop, in: seen) {
            faults.append(.treatAsWithdraw(.nextHop))
        }
        if let required = context.requiredFirstAS, Self.has(.path, in: accepted), attributes.path.first != required {
            faults.append(.treatAsWithdraw(.path))
        }
    }

    /// RFC 6793 §4.2.3; between two new speakers both attributes are ignored (§4.1).
    private mutating func mergeFourOctetAttributes() {
        guard !context.isFourOctet else { return }
        if let aggregator = attributes.aggregator, let fourOctet = fourOctetAggregator {
            // An old speaker has aggregated since, so that the four-octet attributes are stale.
            guard aggregator.autonomousSystem == OpenMessage.transitionalAS else { return }
            attributes.aggregator = fourOctet
        }
        if let fourOctetPath {
            attributes.path = attributes.path.merged(withFourOctet: fourOctetPath)
        }
    }

    private static func insert(_ type: AttributeType, into types: inout (UInt128, UInt128)) -> Bool {
        if has(type, in: types) { return false }
        let bit = UInt128(1) << UInt128(type.rawValue & 127)
        if type.rawValue < 128 { types.0 |= bit } else { types.1 |= bit }
        return true
    }

    private static func has(_ type: AttributeType, in types: (UInt128, UInt128)) -> Bool {
        (type.rawValue < 128 ? types.0 : types.1) >> UInt128(type.rawValue & 127) & 1 == 1
    }
}

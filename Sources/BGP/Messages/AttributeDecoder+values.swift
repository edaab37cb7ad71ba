import Basics
import Wire

extension AttributeDecoder {
    /// Reads the value of an attribute whose flags and length are right.
    mutating func readValue(_ value: RawSpan, type: AttributeType) throws(UpdateFault) {
        switch type {
        case .origin:
            guard let origin = Origin(rawValue: value.field(at: 0)) else { throw .treatAsWithdraw(type) }
            attributes.origin = origin
        case .path:
            attributes.path = try readPath(value)
        case .nextHop:
            let address = IPv4Address(bits: value.field(at: 0))
            guard address.isPossibleNextHop else { throw .treatAsWithdraw(type) }
            attributes.nextHop = .v4(address)
        case .multiExitDiscriminator:
            attributes.multiExitDiscriminator = value.field(at: 0, as: UInt32.self)
        case .localPreference:
            attributes.localPreference = value.field(at: 0, as: UInt32.self)
        case .atomicAggregate:
            attributes.isAtomicAggregate = true
        case .aggregator:
            attributes.aggregator = try readAggregator(value, type)
        case .originatorID:
            attributes.originatorID = IPv4Address(bits: value.field(at: 0))
        case .fourOctetPath:
            try readFourOctetPath(value)
        case .fourOctetAggregator:
            guard !context.isFourOctet else { throw .attributeDiscard(type) }
            fourOctetAggregator = try readAggregator(value, type)
        case .accumulatedMetric:
            attributes.accumulatedMetric = try readAccumulatedMetric(value)
        case .onlyToCustomer:
            let number: UInt32 = value.field(at: 0)
            guard number != 0 else { throw .treatAsWithdraw(type) }
            attributes.onlyToCustomer = number
        case .multiprotocolReachable:
            try readReachable(value)
        case .multiprotocolUnreachable:
            try readUnreachable(value)
        default:
            readList(value, type)
        }
    }

    private mutating func readList(_ value: RawSpan, _ type: AttributeType) {
        switch type {
        case .communities:
            attributes.communities = stride(from: 0, to: value.byteCount, by: 4).map { offset in
                Community(rawValue: value.field(at: offset))
            }
        case .clusterList:
            attributes.clusterList = stride(from: 0, to: value.byteCount, by: 4).map { offset in
                IPv4Address(bits: value.field(at: offset))
            }
        case .extendedCommunities:
            attributes.extendedCommunities = stride(from: 0, to: value.byteCount, by: 8).map { offset in
                value.field(at: offset)
            }
        case .largeCommunities:
            attributes.largeCommunities = stride(from: 0, to: value.byteCount, by: 12).map { offset in
                LargeCommunity(
                    value.field(at: offset), value.field(at: offset + 4), value.field(at: offset + 8))
            }
        default:
            preconditionFailure("every type with a rule has a reader")
        }
    }

    /// RFC 7606 §7.2, RFC 7607 §2; segments of a confederation belong inside one, and are expected there (RFC 5065 §5).
    private func readPath(_ value: RawSpan) throws(UpdateFault) -> ASPath {
        guard let path = ASPath(value, isFourOctet: context.isFourOctet), !path.contains(0) else {
            throw .treatAsWithdraw(.path)
        }
        if !context.isInConfederation, path.hasConfederationSegments { throw .treatAsWithdraw(.path) }
        if context.isInConfederation, !context.isInternal, path.segments.first?.kind != .confederationSequence {
            throw .treatAsWithdraw(.path)
        }
        if context.refusesSets, path.segments.contains(where: { $0.kind == .set || $0.kind == .confederationSet }) {
            throw .treatAsWithdraw(.path)
        }
        return path
    }

    /// The value of the first metric among the parts; any part that is cut off spoils the whole (RFC 7311 §3.1).
    private func readAccumulatedMetric(_ value: RawSpan) throws(UpdateFault) -> UInt64? {
        // Where it is not minded it is an optional attribute like any unknown one.
        guard context.acceptsAccumulatedMetric else { return nil }
        var metric: UInt64?
        var offset = 0
        while offset < value.byteCount {
            guard value.byteCount - offset >= 3 else { throw .attributeDiscard(.accumulatedMetric) }
            let length = Int(value.field(at: offset + 1, as: UInt16.self))
            guard length >= 3, value.byteCount - offset >= length else { throw .attributeDiscard(.accumulatedMetric) }
            if value.field(at: offset, as: UInt8.self) == 1 {
                guard length == 11 else { throw .attributeDiscard(.accumulatedMetric) }
                metric = metric ?? value.field(at: offset + 3)
            }
            offset += length
        }
        guard metric != nil else { throw .attributeDiscard(.accumulatedMetric) }
        return metric
    }

    /// RFC 6793 §6: a bad one is ignored, and confederation segments in a good one are.
    private mutating func readFourOctetPath(_ value: RawSpan) throws(UpdateFault) {
        guard !context.isFourOctet, var path = ASPath(value, isFourOctet: true), !path.contains(0) else {
            throw .attributeDiscard(.fourOctetPath)
        }
        path.segments.removeAll { $0.kind.isConfederation }
        fourOctetPath = path
    }

    /// RFC 7607 §2: AS 0 is as bad as a wrong length.
    private func readAggregator(_ value: RawSpan, _ type: AttributeType) throws(UpdateFault) -> Aggregator {
        let isWide = value.byteCount == 8
        let number = isWide ? value.field(at: 0, as: UInt32.self) : UInt32(value.field(at: 0, as: UInt16.self))
        guard number != 0 else { throw .attributeDiscard(type) }
        return Aggregator(
            autonomousSystem: number, identifier: IPv4Address(bits: value.field(at: isWide ? 4 : 2)))
    }

    /// RFC 4760 §3, RFC 2545 §3; what is wrong with it, RFC 7606 §7.11; the caller adds the data to what is thrown.
    private mutating func readReachable(_ value: RawSpan) throws(UpdateFault) {
        let fault = UpdateFault.sessionReset(.malformedAttributeList)
        guard value.byteCount >= 5 else { throw fault }
        let nextHopLength = Int(value.field(at: 3, as: UInt8.self))
        guard value.byteCount >= 5 + nextHopLength else { throw fault }
        guard let family = negotiatedFamily(of: value) else { return }
        let nextHop: IPAddress
        let isPossible: Bool
        switch (family, nextHopLength) {
        case (.ipv4Unicast, 4):
            let address = IPv4Address(bits: value.field(at: 4))
            (nextHop, isPossible) = (.v4(address), address.isPossibleNextHop)
        case (_, 16) where family == .ipv6Unicast || context.hasExtendedNextHop,
            (_, 32) where family == .ipv6Unicast || context.hasExtendedNextHop:
            // The second of two is link-local, and of no use beyond one link.
            let address = IPv6Address(high: value.field(at: 4), low: value.field(at: 12))
            (nextHop, isPossible) = (.v6(address), address.isPossibleNextHop)
        default:
            throw fault
        }
        var prefixes = PrefixField()
        let field = value.extracting(5 + nextHopLength..<value.byteCount)
        guard prefixes.read(field, family: family, context) else { throw fault }
        reachable = Reachable(family: family, nextHop: nextHop, field: prefixes)
        guard isPossible else { throw .treatAsWithdraw(.multiprotocolReachable) }
    }

    /// RFC 4760 §4.
    private mutating func readUnreachable(_ value: RawSpan) throws(UpdateFault) {
        let fault = UpdateFault.sessionReset(.malformedAttributeList)
        guard value.byteCount >= 3 else { throw fault }
        guard let family = negotiatedFamily(of: value) else { return }
        var prefixes = PrefixField()
        let field = value.extracting(3..<value.byteCount)
        guard prefixes.read(field, family: family, context) else { throw fault }
        unreachable = (family, prefixes)
    }

    private func negotiatedFamily(of value: RawSpan) -> AddressFamily? {
        let family = AddressFamily(identifier: value.field(at: 0), subsequentIdentifier: value.field(at: 2))
        return family.flatMap { context.families.contains($0) ? $0 : nil }
    }
}

extension IPv4Address {
    /// Whether a packet could ever be sent there (RFC 4271 §6.3).
    var isPossibleNextHop: Bool { bits >> 24 != 0 && bits >> 24 != 127 && bits >> 28 < 14 }
}

extension IPv6Address {
    var isPossibleNextHop: Bool { !isMulticast && (high != 0 || low > 1) }
}

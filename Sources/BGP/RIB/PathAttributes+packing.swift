import Wire

// A set of attributes as it is kept: the octets that announce it to a peer with four-octet AS numbers, in order of
// type. An IPv6 next hop, which stands elsewhere in an UPDATE, is added at the end with a header of its own kind.

extension PathAttributes {
    /// Not assigned to any attribute: in packed octets, an IPv6 next hop.
    private static let wideNextHop: UInt8 = 0

    func pack(into octets: inout ContiguousArray<UInt8>) {
        append(to: &octets, isFourOctet: true, hasNextHop: true)
        guard case .v6(let address) = nextHop else { return }
        octets += [0, Self.wideNextHop, 16]
        octets.append(bigEndian: address.bits)
    }

    /// Reads what ``pack(into:)`` wrote.
    init(packed octets: RawSpan) {
        self.init(nextHop: .v4(.any))
        var offset = 0
        while offset < octets.byteCount {
            let flags = AttributeFlags(rawValue: octets.field(at: offset))
            let type: UInt8 = octets.field(at: offset + 1)
            let isLong = flags.contains(.extendedLength)
            let count =
                isLong
                ? Int(octets.field(at: offset + 2, as: UInt16.self)) : Int(octets.field(at: offset + 2, as: UInt8.self))
            let start = offset + (isLong ? 4 : 3)
            read(octets.extracting(start..<start + count), AttributeType(rawValue: type), flags)
            offset = start + count
        }
    }

    private mutating func read(_ value: RawSpan, _ type: AttributeType, _ flags: AttributeFlags) {
        let kept = flags.subtracting(.extendedLength)
        if kept.contains(.partial) { partial.insert(PartialAttributes(type)) }
        // An attribute that this speaker knows may yet have been kept unread, and then be of any form.
        switch (type, value.byteCount) {
        case (.origin, 1): origin = Origin(rawValue: value.field(at: 0)) ?? .incomplete
        case (.path, _): path = ASPath(value, isFourOctet: true) ?? ASPath()
        case (.nextHop, 4): nextHop = .v4(IPv4Address(bits: value.field(at: 0)))
        case (.multiExitDiscriminator, 4): multiExitDiscriminator = value.field(at: 0, as: UInt32.self)
        case (.localPreference, 4): localPreference = value.field(at: 0, as: UInt32.self)
        case (.atomicAggregate, 0): isAtomicAggregate = true
        case (.aggregator, 8):
            aggregator = Aggregator(
                autonomousSystem: value.field(at: 0), identifier: IPv4Address(bits: value.field(at: 4)))
        case (.originatorID, 4): originatorID = IPv4Address(bits: value.field(at: 0))
        case (.accumulatedMetric, 11) where kept == .optional:
            accumulatedMetric = value.field(at: 3, as: UInt64.self)
        case (.onlyToCustomer, 4): onlyToCustomer = value.field(at: 0, as: UInt32.self)
        case (.communities, _), (.clusterList, _), (.extendedCommunities, _), (.largeCommunities, _):
            readList(value, type)
        case (AttributeType(rawValue: Self.wideNextHop), 16) where kept.rawValue == 0:
            nextHop = .v6(IPv6Address(high: value.field(at: 0), low: value.field(at: 8)))
        default:
            unrecognized.append(UnrecognizedAttribute(type: type, flags: kept, value: value.copied()))
        }
    }

    private mutating func readList(_ value: RawSpan, _ type: AttributeType) {
        // Whole members alone: what follows them is nobody's.
        let size = value.byteCount / Self.memberSize(type) * Self.memberSize(type)
        switch type {
        case .communities:
            communities = stride(from: 0, to: size, by: 4).map { Community(rawValue: value.field(at: $0)) }
        case .clusterList:
            clusterList = stride(from: 0, to: size, by: 4).map { IPv4Address(bits: value.field(at: $0)) }
        case .extendedCommunities:
            extendedCommunities = stride(from: 0, to: size, by: 8).map { value.field(at: $0) }
        default:
            largeCommunities = stride(from: 0, to: size, by: 12).map { offset in
                LargeCommunity(
                    value.field(at: offset), value.field(at: offset + 4), value.field(at: offset + 8))
            }
        }
    }

    private static func memberSize(_ type: AttributeType) -> Int {
        switch type {
        case .extendedCommunities: 8
        case .largeCommunities: 12
        default: 4
        }
    }
}

import Basics
import Wire

extension PathAttributes {
    /// Appends all attributes in order of type, but for those that carry prefixes.
    func append(to octets: inout ContiguousArray<UInt8>, isFourOctet: Bool, hasNextHop: Bool) {
        Self.append(.origin, .transitive, to: &octets) { $0.append(origin.rawValue) }
        Self.append(.path, .transitive, to: &octets) { path.append(to: &$0, isFourOctet: isFourOctet) }
        if hasNextHop, case .v4(let address) = nextHop {
            Self.append(.nextHop, .transitive, to: &octets) { $0.append(bigEndian: address.bits) }
        }
        if let multiExitDiscriminator {
            Self.append(.multiExitDiscriminator, .optional, to: &octets) {
                $0.append(bigEndian: multiExitDiscriminator)
            }
        }
        if let localPreference {
            Self.append(.localPreference, .transitive, to: &octets) { $0.append(bigEndian: localPreference) }
        }
        if isAtomicAggregate { Self.append(.atomicAggregate, .transitive, to: &octets) { _ in } }
        if let aggregator { append(aggregator, to: &octets, isFourOctet: isFourOctet) }
        appendLists(to: &octets)
        if !isFourOctet { appendFourOctetForms(to: &octets) }
        appendYoungerAttributes(to: &octets)
    }

    /// Those that came after four-octet numbers, among them the unread ones in their places.
    private func appendYoungerAttributes(to octets: inout ContiguousArray<UInt8>) {
        var unread = unrecognized[...]
        appendUnrecognized(&unread, below: .accumulatedMetric, to: &octets)
        if let accumulatedMetric {
            Self.append(.accumulatedMetric, .optional, to: &octets) { octets in
                octets += [1, 0, 11]
                octets.append(bigEndian: accumulatedMetric)
            }
        }
        appendUnrecognized(&unread, below: .largeCommunities, to: &octets)
        if !largeCommunities.isEmpty {
            Self.append(.largeCommunities, flags(.largeCommunities), to: &octets) { octets in
                for community in largeCommunities {
                    octets.append(bigEndian: community.administrator)
                    octets.append(bigEndian: community.high)
                    octets.append(bigEndian: community.low)
                }
            }
        }
        appendUnrecognized(&unread, below: .onlyToCustomer, to: &octets)
        if let onlyToCustomer {
            Self.append(.onlyToCustomer, flags(.onlyToCustomer), to: &octets) { $0.append(bigEndian: onlyToCustomer) }
        }
        appendUnrecognized(&unread, below: nil, to: &octets)
    }

    private func appendUnrecognized(
        _ unread: inout ArraySlice<UnrecognizedAttribute>, below bound: AttributeType?,
        to octets: inout ContiguousArray<UInt8>
    ) {
        while let attribute = unread.first {
            if let bound, attribute.type >= bound { return }
            Self.append(attribute.type, attribute.flags, to: &octets) { $0.append(attribute.value.span.bytes) }
            unread.removeFirst()
        }
    }

    private func appendLists(to octets: inout ContiguousArray<UInt8>) {
        if !communities.isEmpty {
            Self.append(.communities, flags(.communities), to: &octets) { octets in
                for community in communities { octets.append(bigEndian: community.rawValue) }
            }
        }
        if let originatorID {
            Self.append(.originatorID, .optional, to: &octets) { $0.append(bigEndian: originatorID.bits) }
        }
        if !clusterList.isEmpty {
            Self.append(.clusterList, .optional, to: &octets) { octets in
                for cluster in clusterList { octets.append(bigEndian: cluster.bits) }
            }
        }
        if !extendedCommunities.isEmpty {
            Self.append(.extendedCommunities, flags(.extendedCommunities), to: &octets) { octets in
                for community in extendedCommunities { octets.append(bigEndian: community) }
            }
        }
    }

    /// What an old speaker passes on for those behind it (RFC 6793 §4.2.2).
    private func appendFourOctetForms(to octets: inout ContiguousArray<UInt8>) {
        if path.needsFourOctets {
            Self.append(.fourOctetPath, [.optional, .transitive], to: &octets) { octets in
                path.append(to: &octets, isFourOctet: true)
            }
        }
        if let aggregator, aggregator.autonomousSystem > 0xFFFF {
            Self.append(.fourOctetAggregator, [.optional, .transitive], to: &octets) { octets in
                octets.append(bigEndian: aggregator.autonomousSystem)
                octets.append(bigEndian: aggregator.identifier.bits)
            }
        }
    }

    /// The flags of an optional transitive attribute that is known here.
    private func flags(_ type: PartialAttributes) -> AttributeFlags {
        partial.contains(type) ? [.optional, .transitive, .partial] : [.optional, .transitive]
    }

    private func append(
        _ aggregator: Aggregator, to octets: inout ContiguousArray<UInt8>, isFourOctet: Bool
    ) {
        Self.append(.aggregator, flags(.aggregator), to: &octets) { octets in
            if isFourOctet {
                octets.append(bigEndian: aggregator.autonomousSystem)
            } else {
                octets.append(
                    bigEndian: UInt16(exactly: aggregator.autonomousSystem) ?? OpenMessage.transitionalAS)
            }
            octets.append(bigEndian: aggregator.identifier.bits)
        }
    }

    /// Appends header and value; the length takes a second octet only where it must.
    private static func append(
        _ type: AttributeType, _ flags: AttributeFlags, to octets: inout ContiguousArray<UInt8>,
        value: (inout ContiguousArray<UInt8>) -> Void
    ) {
        let start = octets.count
        octets.append(flags.rawValue)
        octets.append(type.rawValue)
        octets.append(0)
        value(&octets)
        let length = octets.count - start - 3
        if length <= 255 {
            octets[start + 2] = UInt8(length)
        } else {
            octets[start] |= AttributeFlags.extendedLength.rawValue
            octets[start + 2] = UInt8(truncatingIfNeeded: length >> 8)
            octets.insert(UInt8(truncatingIfNeeded: length), at: start + 3)
        }
    }
}

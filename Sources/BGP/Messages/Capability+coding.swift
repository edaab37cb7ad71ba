import Wire

extension Capability {
    /// Reads the value of one capability.
    ///
    /// A wrong length costs the session where RFC 5492 §5 and the capability's own RFC are
    /// as old as each other; a younger capability that is malformed is as one not understood.
    init(code: UInt8, value: RawSpan) throws(WireError) {
        switch code {
        case 1:
            guard value.byteCount == 4 else { throw .badLength(value.byteCount) }
            self = .multiprotocol(familyIdentifier: value.field(at: 0), subsequentIdentifier: value.field(at: 3))
        case 2:
            guard value.byteCount == 0 else { throw .badLength(value.byteCount) }
            self = .routeRefresh
        case 65:
            guard value.byteCount == 4 else { throw .badLength(value.byteCount) }
            self = .fourOctetAS(value.field(at: 0))
        default:
            self = Self.lenient(code: code, value: value) ?? .unrecognized(code: code, value.copied())
        }
    }

    private static func lenient(code: UInt8, value: RawSpan) -> Capability? {
        switch code {
        case 5 where value.byteCount > 0 && value.byteCount % 6 == 0:
            return .extendedNextHop(
                stride(from: 0, to: value.byteCount, by: 6).map { offset in
                    ExtendedNextHop(
                        FamilyIdentifiers(
                            identifier: value.field(at: offset), subsequentIdentifier: value.field(at: offset + 3)),
                        nextHopIdentifier: value.field(at: offset + 4))
                })
        case 6 where value.byteCount == 0:
            return .extendedMessages
        case 9 where value.byteCount == 1:
            return .role(value.field(at: 0))
        case 64 where value.byteCount >= 2 && value.byteCount % 4 == 2:
            return .gracefulRestart(readGracefulRestart(value))
        case 69 where value.byteCount % 4 == 0:
            return .additionalPaths(readAdditionalPaths(value))
        case 70 where value.byteCount == 0:
            return .enhancedRouteRefresh
        case 71 where value.byteCount % 7 == 0:
            return .longLivedGracefulRestart(readLongLived(value))
        default:
            return nil
        }
    }

    private static func family(_ value: RawSpan, at offset: Int) -> FamilyIdentifiers {
        FamilyIdentifiers(identifier: value.field(at: offset), subsequentIdentifier: value.field(at: offset + 2))
    }

    private static func readGracefulRestart(_ value: RawSpan) -> GracefulRestartOffer {
        let word: UInt16 = value.field(at: 0)
        return GracefulRestartOffer(
            isRestarting: word & 0x8000 != 0, coversNotifications: word & 0x4000 != 0, restartTime: word & 0x0FFF,
            families: stride(from: 2, to: value.byteCount, by: 4).map { offset in
                GracefulRestartOffer.Family(
                    family(value, at: offset), isForwardingKept: value.field(at: offset + 3, as: UInt8.self) & 0x80 != 0
                )
            })
    }

    /// RFC 7911 §4: an entry with a meaning other than these three is ignored.
    private static func readAdditionalPaths(_ value: RawSpan) -> [AdditionalPathsOffer] {
        stride(from: 0, to: value.byteCount, by: 4).compactMap { offset in
            let mode: UInt8 = value.field(at: offset + 3)
            guard (1...3).contains(mode) else { return nil }
            return AdditionalPathsOffer(family(value, at: offset), canReceive: mode & 1 != 0, canSend: mode & 2 != 0)
        }
    }

    private static func readLongLived(_ value: RawSpan) -> [LongLivedOffer] {
        stride(from: 0, to: value.byteCount, by: 7).map { offset in
            LongLivedOffer(
                family(value, at: offset),
                isForwardingKept: value.field(at: offset + 3, as: UInt8.self) & 0x80 != 0,
                staleTime: value.field(at: offset + 3, as: UInt32.self) & 0xFF_FFFF)
        }
    }

    /// The capability as it stands in an OPEN, and in the data of a NOTIFICATION about it.
    public var octets: [UInt8] {
        var value: ContiguousArray<UInt8> = []
        switch self {
        case .multiprotocol(let family, let subsequent):
            value.append(bigEndian: family)
            value += [0, subsequent]
        case .routeRefresh, .extendedMessages, .enhancedRouteRefresh:
            break
        case .extendedNextHop(let entries):
            for entry in entries {
                value.append(bigEndian: entry.family.identifier)
                value.append(bigEndian: UInt16(entry.family.subsequentIdentifier))
                value.append(bigEndian: entry.nextHopIdentifier)
            }
        case .role(let role):
            value.append(role)
        case .fourOctetAS(let number):
            value.append(bigEndian: number)
        case .gracefulRestart(let offer):
            let flags: UInt16 = (offer.isRestarting ? 0x8000 : 0) | (offer.coversNotifications ? 0x4000 : 0)
            value.append(bigEndian: flags | min(offer.restartTime, 0x0FFF))
            for entry in offer.families {
                Self.append(entry.family, to: &value)
                value.append(entry.isForwardingKept ? 0x80 : 0)
            }
        case .additionalPaths(let offers):
            for offer in offers {
                Self.append(offer.family, to: &value)
                value.append((offer.canReceive ? 1 : 0) | (offer.canSend ? 2 : 0))
            }
        case .longLivedGracefulRestart(let offers):
            for offer in offers {
                Self.append(offer.family, to: &value)
                let flag: UInt32 = offer.isForwardingKept ? 0x8000_0000 : 0
                value.append(bigEndian: flag | min(offer.staleTime, 0xFF_FFFF))
            }
        case .unrecognized(_, let octets):
            value += octets
        }
        return [code, UInt8(truncatingIfNeeded: value.count)] + value
    }

    private static func append(_ family: FamilyIdentifiers, to value: inout ContiguousArray<UInt8>) {
        value.append(bigEndian: family.identifier)
        value.append(family.subsequentIdentifier)
    }
}

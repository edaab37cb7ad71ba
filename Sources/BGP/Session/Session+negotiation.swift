import Basics
import Wire

/// What a peer is to this speaker (RFC 5065 §2).
enum PeerKind: Equatable, Sendable {
    case `internal`
    /// Of another AS of the same confederation.
    case confederation
    case external
}

extension Session {
    var kind: PeerKind {
        if configuration.autonomousSystem == local.autonomousSystem { return .internal }
        return local.confederation?.members.contains(configuration.autonomousSystem) == true
            ? .confederation : .external
    }

    var isInternal: Bool { kind == .internal }

    /// The number by which this peer knows the speaker: outside a confederation, the whole has one (RFC 5065 §4).
    var ownAutonomousSystem: UInt32 {
        guard kind == .external, let confederation = local.confederation else { return local.autonomousSystem }
        return confederation.identifier
    }

    /// How long the sender of an OPEN wants to wait, in whole seconds.
    private var offeredHoldTime: UInt16 { UInt16(clamping: holdTime.nanoseconds / 1_000_000_000) }

    var openMessage: OpenMessage {
        OpenMessage(
            autonomousSystem: ownAutonomousSystem, holdTime: offeredHoldTime, identifier: local.identifier,
            capabilities: offeredCapabilities)
    }

    private var offeredCapabilities: [Capability] {
        let offer = settings.capabilities
        let families = configuration.families.members
        var capabilities = families.map { Capability.multiprotocol($0) }
        if offer.routeRefresh { capabilities.append(.routeRefresh) }
        if offer.extendedNextHop, configuration.families.contains(.ipv4Unicast) {
            let entry = ExtendedNextHop(FamilyIdentifiers(.ipv4Unicast), nextHopIdentifier: 2)
            capabilities.append(.extendedNextHop([entry]))
        }
        if offer.extendedMessages { capabilities.append(.extendedMessages) }
        if let role = settings.role, kind == .external { capabilities.append(.role(role.rawValue)) }
        if let restart = settings.gracefulRestart { capabilities.append(.gracefulRestart(restartOffer(restart))) }
        if offer.fourOctetAS { capabilities.append(.fourOctetAS(ownAutonomousSystem)) }
        let numbered = families.compactMap { family -> AdditionalPathsOffer? in
            let canReceive = offer.numberedFamiliesHeard.contains(family)
            let canSend = offer.numberedFamiliesTold.contains(family)
            guard canReceive || canSend else { return nil }
            return AdditionalPathsOffer(FamilyIdentifiers(family), canReceive: canReceive, canSend: canSend)
        }
        if !numbered.isEmpty { capabilities.append(.additionalPaths(numbered)) }
        if offer.enhancedRouteRefresh { capabilities.append(.enhancedRouteRefresh) }
        if let restart = settings.gracefulRestart, let time = restart.longLivedStaleTime {
            let seconds = UInt32(clamping: time.nanoseconds / 1_000_000_000)
            capabilities.append(
                .longLivedGracefulRestart(
                    families.map {
                        LongLivedOffer(
                            FamilyIdentifiers($0), isForwardingKept: isRestarting && restart.keepsForwarding,
                            staleTime: min(seconds, 0xFF_FFFF))
                    }))
        }
        return capabilities.filter { !refusedCapabilities.contains($0.code) }
    }

    private func restartOffer(_ restart: GracefulRestartConfiguration) -> GracefulRestartOffer {
        GracefulRestartOffer(
            isRestarting: isRestarting, coversNotifications: restart.coversNotifications,
            restartTime: UInt16(clamping: min(restart.restartTime.nanoseconds / 1_000_000_000, 4095)),
            families: configuration.families.members.map {
                GracefulRestartOffer.Family(FamilyIdentifiers($0), isForwardingKept: restart.keepsForwarding)
            })
    }

    /// What the two OPENs come to; an error is the answer to the peer (RFC 4271 §6.2).
    mutating func negotiate(with message: OpenMessage) throws(Notification) -> Negotiated {
        let number = message.autonomousSystem
        if number != configuration.autonomousSystem {
            guard settings.allowedAutonomousSystems.contains(where: { $0.contains(number) }) else { throw .badPeerAS }
            configuration.autonomousSystem = number
        }
        // RFC 6286 §2.2: only inside an AS must identifiers differ.
        guard !isInternal || message.identifier != local.identifier else { throw .badIdentifier }
        try checkHoldTime(message)
        try checkRole(message)
        let families = configuration.families.intersection(message.families)
        guard !families.isEmpty else {
            let wanted = configuration.families.members
            throw .unsupportedCapability(wanted.flatMap { Capability.multiprotocol($0).octets })
        }
        let offer = settings.capabilities
        let hasRefresh = offer.routeRefresh && message.has(Capability.routeRefresh.code)
        return Negotiated(
            holdTime: min(.seconds(Int64(offeredHoldTime)), .seconds(Int64(message.holdTime))),
            identifier: message.identifier, autonomousSystem: number,
            context: context(message, families: families), format: format(message, families: families),
            hasRouteRefresh: hasRefresh,
            hasEnhancedRefresh: offer.enhancedRouteRefresh && message.has(Capability.enhancedRouteRefresh.code),
            restart: PeerRestart(message, own: settings.gracefulRestart, families: families))
    }

    /// RFC 4271 §4.2: a connection may be refused for the hold time that it would have.
    private func checkHoldTime(_ message: OpenMessage) throws(Notification) {
        let offered = Interval.seconds(Int64(message.holdTime))
        guard offered == .zero ? settings.allowsNoHoldTime : offered >= settings.minimumHoldTime else {
            throw .unacceptableHoldTime
        }
    }

    /// RFC 9234 §4.2.
    private func checkRole(_ message: OpenMessage) throws(Notification) {
        guard let role = settings.role, kind == .external else { return }
        let named = message.roles
        guard named.count <= 1 else { throw .roleMismatch }
        guard let other = named.first else {
            if settings.requiresRole { throw .roleMismatch }
            return
        }
        guard other == role.counterpart.rawValue else { throw .roleMismatch }
    }

    private func context(_ message: OpenMessage, families: AddressFamilies) -> UpdateContext {
        let firstAS = kind != .external || !configuration.requiresFirstAS ? nil : configuration.autonomousSystem
        var context = UpdateContext(
            isInternal: isInternal, isFourOctet: usesFourOctets(message), families: families, requiredFirstAS: firstAS)
        context.isInConfederation = local.confederation != nil && kind != .external
        context.refusesSets = settings.refusesSets
        context.hasExtendedNextHop = usesExtendedNextHop(message)
        context.acceptsAccumulatedMetric = carriesAccumulatedMetric
        for family in families.members {
            guard settings.capabilities.numberedFamiliesHeard.contains(family),
                message.additionalPaths(of: family)?.canSend == true
            else { continue }
            context.numberedFamilies.insert(AddressFamilies(family))
        }
        return context
    }

    private func format(_ message: OpenMessage, families: AddressFamilies) -> UpdateFormat {
        var format = UpdateFormat(isFourOctet: usesFourOctets(message))
        if settings.capabilities.extendedMessages, message.has(Capability.extendedMessages.code) {
            format.maximumLength = MessageHeader.extendedMaximumLength
        }
        format.hasExtendedNextHop = usesExtendedNextHop(message)
        for family in families.members {
            guard settings.capabilities.numberedFamiliesTold.contains(family),
                message.additionalPaths(of: family)?.canReceive == true
            else { continue }
            format.numberedFamilies.insert(AddressFamilies(family))
        }
        return format
    }

    private func usesFourOctets(_ message: OpenMessage) -> Bool {
        settings.capabilities.fourOctetAS && message.fourOctetAS != nil
    }

    private func usesExtendedNextHop(_ message: OpenMessage) -> Bool {
        settings.capabilities.extendedNextHop && message.hasExtendedNextHop
    }

    /// RFC 7311 §3.1: on inside the AS and the confederation, off beyond, unless told otherwise.
    var carriesAccumulatedMetric: Bool { settings.carriesAccumulatedMetric ?? (kind != .external) }
}

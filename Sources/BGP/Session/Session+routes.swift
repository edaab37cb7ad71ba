import Basics
import Wire

// What the kind of a session does to the routes that go over it, apart from any policy.

extension Session {
    /// Prepares what the peer tells for the Adj-RIB-In; false for a route that must not be used.
    func admit(_ attributes: inout PathAttributes) -> Bool {
        if kind == .internal { return admitForReflection(&attributes) }
        guard kind == .external else { return true }
        if settings.honorsGracefulShutdown, attributes.communities.contains(.gracefulShutdown) {
            attributes.localPreference = 0
        }
        return admitByRole(&attributes)
    }

    /// Whether ``admit(_:)`` changes nothing and refuses nothing, whatever the route, but for graceful shutdown.
    var admitsAsIs: Bool { kind == .internal ? settings.reflection == nil : settings.role == nil }

    /// Marks a route as RFC 4456 §8 would have it when it is passed on; every inner route is, so that none is ahead.
    private func admitForReflection(_ attributes: inout PathAttributes) -> Bool {
        guard let reflection = settings.reflection else { return true }
        let cluster = reflection.cluster ?? local.identifier
        guard !attributes.clusterList.contains(cluster) else { return false }
        attributes.originatorID = attributes.originatorID ?? lastIdentifier
        attributes.clusterList.insert(cluster, at: 0)
        return true
    }

    /// Whether what another peer of the AS has told is passed on to this one (RFC 4456 §6).
    func isReflected(from source: Session) -> Bool {
        guard let own = settings.reflection, let other = source.settings.reflection else { return false }
        return own.isClient || other.isClient
    }

    /// RFC 9234 §5, on the way in: the role is this end's, the RFC's words are of the peer's.
    private func admitByRole(_ attributes: inout PathAttributes) -> Bool {
        switch settings.role {
        case .provider, .routeServer:
            return attributes.onlyToCustomer == nil
        case .peer:
            if let number = attributes.onlyToCustomer { return number == configuration.autonomousSystem }
            attributes.onlyToCustomer = configuration.autonomousSystem
        case .customer, .routeServerClient:
            if attributes.onlyToCustomer == nil { attributes.onlyToCustomer = configuration.autonomousSystem }
        case nil:
            break
        }
        return true
    }

    /// Prepares what the peer is to be told, after everything else; false where it must not be told.
    func dress(_ attributes: inout PathAttributes) -> Bool {
        if !carriesAccumulatedMetric { attributes.accumulatedMetric = nil }
        if isDraining, kind == .external, !attributes.communities.contains(.gracefulShutdown) {
            attributes.communities.append(.gracefulShutdown)
        }
        // RFC 9494 §4.3: nobody who could not tell gets a route that is stale.
        if attributes.communities.contains(.longLivedStale), established?.negotiated.restart?.isLongLived != true {
            return false
        }
        return kind != .external || dressByRole(&attributes)
    }

    /// RFC 9234 §5, on the way out.
    private func dressByRole(_ attributes: inout PathAttributes) -> Bool {
        switch settings.role {
        case .customer, .routeServerClient:
            return attributes.onlyToCustomer == nil
        case .peer:
            guard attributes.onlyToCustomer == nil else { return false }
            attributes.onlyToCustomer = ownAutonomousSystem
        case .provider, .routeServer:
            if attributes.onlyToCustomer == nil { attributes.onlyToCustomer = ownAutonomousSystem }
        case nil:
            break
        }
        return true
    }

    /// Puts the speaker's number in front of a path that leaves its AS (RFC 4271 §5.1.2, RFC 5065 §4).
    func extend(_ path: inout ASPath) {
        switch kind {
        case .internal:
            break
        case .confederation:
            path.prependToConfederation(local.autonomousSystem)
        case .external:
            if local.confederation != nil { path.removeConfederationSegments() }
            path.prepend(ownAutonomousSystem)
        }
    }

    /// Whether a path has been here before (RFC 4271 §9.1.2, RFC 5065 §4).
    func isLooping(_ path: ASPath) -> Bool {
        path.contains(local.autonomousSystem)
            || local.confederation.map { path.contains($0.identifier) } ?? false
    }
}

extension PeerRestart {
    /// Whether the peer keeps stale routes for long, and so can tell them from others.
    var isLongLived: Bool { longLivedIPv4 > .zero || longLivedIPv6 > .zero }
}

extension ASPath {
    /// Puts a number in front that counts inside the confederation alone (RFC 5065 §4 c 1).
    mutating func prependToConfederation(_ number: UInt32) {
        if let first = segments.first, first.kind == .confederationSequence, first.members.count < 255 {
            segments[0].members.insert(number, at: 0)
        } else {
            segments.insert(Segment(.confederationSequence, [number]), at: 0)
        }
    }

    /// Forgets the way through the confederation, which is nobody's business outside (RFC 5065 §4 d).
    mutating func removeConfederationSegments() {
        segments.removeAll { $0.kind.isConfederation }
    }
}

import Basics
import Wire

/// What both OPENs together have settled.
struct Negotiated: Equatable, Sendable, BitwiseCopyable {
    /// Zero where there is neither a hold timer nor a KEEPALIVE (RFC 4271 §4.2).
    let holdTime: Interval
    let identifier: IPv4Address
    let autonomousSystem: UInt32
    let context: UpdateContext
    let format: UpdateFormat
    let hasRouteRefresh: Bool
    let hasEnhancedRefresh: Bool
    /// What the peer says of its restarts, where this end minds it.
    let restart: PeerRestart?

    /// RFC 4271 §4.4: a third of the hold time.
    var keepaliveInterval: Interval { holdTime / 3 }
}

/// What a peer has said of its restarts (RFC 4724 §3, RFC 9494 §4.1).
struct PeerRestart: Equatable, Sendable, BitwiseCopyable {
    let isRestarting: Bool
    /// Whether both ends take errors for restarts (RFC 8538 §2).
    let coversNotifications: Bool
    let restartTime: Interval
    /// Those whose routes are kept.
    let families: AddressFamilies
    /// Those for which the peer's forwarding went on.
    let keptFamilies: AddressFamilies
    /// How long each is kept beyond the restart time; zero for not at all.
    let longLivedIPv4: Interval
    let longLivedIPv6: Interval

    func longLivedTime(_ family: AddressFamily) -> Interval {
        family == .ipv4Unicast ? longLivedIPv4 : longLivedIPv6
    }
}

extension PeerRestart {
    /// Both ends' words together; nil where either has none.
    init?(_ message: OpenMessage, own: GracefulRestartConfiguration?, families: AddressFamilies) {
        guard let own, let offer = message.gracefulRestart else { return nil }
        var kept: AddressFamilies = []
        var named: AddressFamilies = []
        for entry in offer.families {
            guard let family = entry.family.family, families.contains(family) else { continue }
            named.insert(AddressFamilies(family))
            if entry.isForwardingKept { kept.insert(AddressFamilies(family)) }
        }
        var times = (Interval.zero, Interval.zero)
        if own.longLivedStaleTime != nil {
            for entry in message.longLivedGracefulRestart {
                guard let family = entry.family.family, families.contains(family) else { continue }
                let time = Interval.seconds(Int64(entry.staleTime))
                if family == .ipv4Unicast { times.0 = time } else { times.1 = time }
                if entry.isForwardingKept { kept.insert(AddressFamilies(family)) }
            }
        }
        isRestarting = offer.isRestarting
        coversNotifications = offer.coversNotifications && own.coversNotifications
        restartTime = .seconds(Int64(offer.restartTime))
        self.families = named
        keptFamilies = kept
        longLivedIPv4 = min(times.0, own.longLivedStaleTime ?? .zero)
        longLivedIPv6 = min(times.1, own.longLivedStaleTime ?? .zero)
    }
}

/// What a session asks to be done with the routes that go over it, in order.
enum RouteOrder: Equatable, Sendable, BitwiseCopyable {
    /// Forget what the peer was told.
    case forgetTold
    /// Forget what the peer has told of a family.
    case forgetHeard(AddressFamily)
    /// Keep what the peer has told of a family, but delete what was kept before (RFC 4724 §4.2).
    case markStale(AddressFamily)
    /// Delete what was kept and not told again.
    case sweepStale(AddressFamily)
    /// Make what was kept the last choice, and delete what must not be (RFC 9494 §4.2).
    case demoteStale(AddressFamily)
    /// Tell the peer everything.
    case greet
    /// Tell the peer everything of a family again.
    case repeatTold(AddressFamily)
}

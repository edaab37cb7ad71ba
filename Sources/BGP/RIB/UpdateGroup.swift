import Basics
import Wire

/// Peers that are told the same in the same words, and what they are told together.
///
/// Each has its own ``AdjacencyOut`` for what it has been told, and for what concerns it
/// alone: the whole table when it comes up, what it wants repeated. What changes in the
/// Loc-RIB is pending for all of them here, and is looked at, gathered and written once.
struct UpdateGroup: Sendable {
    /// What peers must have in common to be told the same.
    struct Terms: Equatable, Sendable {
        let kind: PeerKind
        let format: UpdateFormat
        let families: AddressFamilies
        let localAddress: IPAddress
        let otherFamilyNextHop: IPAddress?
        let nextHopSelf: Bool
        let exportPolicy: RoutePolicy?
        let role: PeerRole?
        let reflection: RouteReflection?
        let carriesAccumulatedMetric: Bool
        let isLongLived: Bool
    }

    let terms: Terms
    /// In order; none joins while a round is under way.
    var members: ContiguousArray<Int>
    /// What is pending and the round; what has been told stands with each member.
    var out = AdjacencyOut()
    private(set) var isInRound = false
    /// How many prefixes the round has yet to look at.
    ///
    /// What changes meanwhile is for the next one, so that no prefix is in a round twice:
    /// what one member is told alone lies between two rounds, or it would overtake.
    var left = 0

    init(terms: Terms, members: ContiguousArray<Int>) {
        self.terms = terms
        self.members = members
    }

    /// Whether there is nothing to be told.
    var isIdle: Bool { !isInRound && !out.hasPending }

    mutating func beginRound() {
        isInRound = true
        left = out.pendingPrefixes.count
    }

    mutating func endRound() {
        isInRound = false
        out.endRound()
    }

    /// The first member but for that one.
    func member(otherThan source: PathSource) -> Int? {
        members.first { PathSource($0) != source }
    }
}

extension UpdateGroup.Terms {
    /// Nil for a peer that is told what it is told alone.
    init?(_ session: Session) {
        guard let negotiated = session.established?.negotiated, negotiated.format.numberedFamilies.isEmpty,
            !session.isDraining
        else { return nil }
        let configuration = session.configuration
        let setsNextHop = configuration.exportPolicy?.rules.contains { $0.settings.contains(where: \.isNextHop) }
        // Nobody is told to reach something by way of itself, which then would hang on who it is.
        guard setsNextHop != true, configuration.advertisementInterval == .zero,
            configuration.address != configuration.localAddress,
            configuration.address != configuration.otherFamilyNextHop,
            configuration.address != .v4(session.local.identifier)
        else { return nil }
        kind = session.kind
        format = negotiated.format
        families = negotiated.context.families
        localAddress = configuration.localAddress
        otherFamilyNextHop = configuration.otherFamilyNextHop
        nextHopSelf = configuration.nextHopSelf
        exportPolicy = configuration.exportPolicy
        role = session.settings.role
        reflection = session.settings.reflection
        carriesAccumulatedMetric = session.carriesAccumulatedMetric
        isLongLived = negotiated.restart?.isLongLived ?? false
    }
}

extension PolicySetting {
    fileprivate var isNextHop: Bool {
        if case .nextHop = self { return true }
        return false
    }
}

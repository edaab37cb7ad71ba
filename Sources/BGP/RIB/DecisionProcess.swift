public import Wire

/// What the decision process looks at in a set of attributes, worked out once for each set.
public struct DecisionKey: Equatable, Sendable, BitwiseCopyable {
    public var localPreference: UInt32
    public var pathLength: UInt32
    public var origin: Origin
    /// The AS that the route was heard from; 0 for a path without any.
    public var neighborAS: UInt32
    /// Without one it counts as 0, the best (RFC 4271 §9.1.2.2 c).
    public var multiExitDiscriminator: UInt32
    public var originatorID: IPv4Address?
    public var clusterListLength: UInt32
    public var nextHop: IPAddress
    /// Whether the route has outlived its session for long (RFC 9494 §4.2).
    public var isLongLivedStale: Bool
    /// Whether there is a metric of RFC 7311; few have one, so that it is not kept here.
    public var hasAccumulatedMetric: Bool

    /// The key of one set of attributes.
    public init(_ attributes: PathAttributes) {
        localPreference = attributes.localPreference ?? PathAttributes.defaultLocalPreference
        pathLength = UInt32(truncatingIfNeeded: attributes.path.length)
        origin = attributes.origin
        neighborAS = attributes.path.neighbor ?? 0
        multiExitDiscriminator = attributes.multiExitDiscriminator ?? 0
        originatorID = attributes.originatorID
        clusterListLength = UInt32(truncatingIfNeeded: attributes.clusterList.count)
        nextHop = attributes.nextHop
        isLongLivedStale = attributes.communities.contains(.longLivedStale)
        hasAccumulatedMetric = attributes.accumulatedMetric != nil
    }
}

/// Where a route was heard.
public enum RouteOrigin: Equatable, Sendable, BitwiseCopyable {
    /// This speaker originates it.
    case local
    /// A peer of another AS.
    case external
    /// A peer of the same AS.
    case `internal`
}

/// One of the routes to the same prefix among which the decision process chooses.
public struct RouteCandidate: Equatable, Sendable, BitwiseCopyable {
    public var key: DecisionKey
    public var origin: RouteOrigin
    /// What the way to the next hop costs.
    public var interiorCost: UInt32
    public var peerIdentifier: IPv4Address
    public var peerAddress: IPAddress
    /// What the way to the next hop costs from there on (RFC 7311 §3).
    public var accumulatedMetric: UInt64?

    public init(
        _ key: DecisionKey, origin: RouteOrigin, interiorCost: UInt32 = 0, peerIdentifier: IPv4Address,
        peerAddress: IPAddress, accumulatedMetric: UInt64? = nil
    ) {
        self.key = key
        self.origin = origin
        self.interiorCost = interiorCost
        self.peerIdentifier = peerIdentifier
        self.peerAddress = peerAddress
        self.accumulatedMetric = accumulatedMetric
    }
}

/// The steps of the decision process, in the order in which they are taken (RFC 4271 §9.1.1, §9.1.2.2; RFC 4456 §9).
public enum DecisionStep: UInt8, CaseIterable, Comparable, Sendable, BitwiseCopyable {
    /// A route that this speaker originates is better than any that it hears.
    case originatedHere
    /// RFC 9494 §4.2: one that has long been stale is the last choice.
    case freshness
    /// §9.1.1: the highest degree of preference.
    case localPreference
    /// RFC 7311 §4.1: the least metric, the way to the next hop included; any before none.
    case accumulatedMetric
    /// §9.1.2.2 a: the shortest path.
    case pathLength
    /// §9.1.2.2 b: the lowest origin.
    case origin
    /// §9.1.2.2 c: the lowest discriminator among routes from the same neighbouring AS.
    case multiExitDiscriminator
    /// §9.1.2.2 d: from another AS before from the own one.
    case externalOverInternal
    /// §9.1.2.2 e: the nearest next hop.
    case interiorCost
    /// §9.1.2.2 f: the lowest identifier, of the originator where there is a reflector in between.
    case identifier
    /// RFC 4456 §9: the shortest list of clusters.
    case clusterListLength
    /// §9.1.2.2 g: the lowest address.
    case peerAddress

    public static func < (left: DecisionStep, right: DecisionStep) -> Bool { left.rawValue < right.rawValue }
}

/// What the steps of one decision did.
struct DecisionTrace {
    /// For each candidate the step that took it out; nil for the best one.
    var lostBy: [DecisionStep?]
    /// The steps taken and how many candidates each left.
    var steps: [(step: DecisionStep, remaining: Int)] = []
    var best: Int?
    /// The best one and those that are as good for the packets.
    var equals: [Int] = []

    init(count: Int) {
        lostBy = Array(repeating: nil, count: count)
    }
}

/// Chooses one route among several to the same prefix.
///
/// Each step takes routes out of the set that is left, as the RFC words it. Comparing
/// two at a time would not do: discriminators of different neighbours do not compare,
/// so that the winner would depend on the order.
public enum DecisionProcess {
    /// The index of the best route and the step that left it alone; nil for no routes.
    public static func best(
        of candidates: ContiguousArray<RouteCandidate>
    ) -> (index: Int, decidedBy: DecisionStep?)? {
        guard candidates.count > 1 else { return candidates.isEmpty ? nil : (0, nil) }
        var remaining = ContiguousArray(candidates.indices)
        for step in DecisionStep.allCases {
            keepBest(step, of: candidates, in: &remaining)
            if remaining.count == 1 { return (remaining[0], step) }
        }
        return (remaining[0], nil)
    }

    /// Whether the first of two routes is the better one, and by which step; nil where only the order tells.
    ///
    /// Of two routes the set-wise process is a comparison.
    public static func compare(
        _ first: RouteCandidate, _ second: RouteCandidate
    ) -> (isFirst: Bool, decidedBy: DecisionStep?) {
        for step in DecisionStep.allCases {
            if step == .multiExitDiscriminator, first.key.neighborAS != second.key.neighborAS { continue }
            let (left, right) = (rank(first, in: step), rank(second, in: step))
            if left != right { return (left < right, step) }
        }
        return (true, nil)
    }

    /// The whole process with what each step did.
    static func trace(of candidates: ContiguousArray<RouteCandidate>, relaxed: Bool) -> DecisionTrace {
        var trace = DecisionTrace(count: candidates.count)
        var remaining = ContiguousArray(candidates.indices)
        for step in DecisionStep.allCases {
            let before = remaining
            if remaining.count > 1, isTaken(step, of: candidates, in: remaining) {
                keepBest(step, of: candidates, in: &remaining)
                for index in before where !remaining.contains(index) { trace.lostBy[index] = step }
                trace.steps.append((step, remaining.count))
            }
            if step == .interiorCost { trace.equals = multipath(among: remaining, of: candidates, relaxed) }
        }
        trace.best = remaining.first
        return trace
    }

    /// Whether a step is one at all: that of RFC 7311 is not where nobody knows of the metric.
    private static func isTaken(
        _ step: DecisionStep, of candidates: ContiguousArray<RouteCandidate>, in remaining: ContiguousArray<Int>
    ) -> Bool {
        step != .accumulatedMetric || remaining.contains { candidates[$0].accumulatedMetric != nil }
    }

    /// Those among which traffic may be split, the best one first.
    static func multipath(of candidates: ContiguousArray<RouteCandidate>, relaxed: Bool) -> [Int] {
        var remaining = ContiguousArray(candidates.indices)
        for step in DecisionStep.allCases where step <= .interiorCost { keepBest(step, of: candidates, in: &remaining) }
        return multipath(among: remaining, of: candidates, relaxed)
    }

    /// Those that are as good as the best up to the cost of the way, each over a next hop of its own.
    ///
    /// They are as long as the best is, and by the same neighbour unless that is relaxed.
    private static func multipath(
        among remaining: ContiguousArray<Int>, of candidates: ContiguousArray<RouteCandidate>, _ relaxed: Bool
    ) -> [Int] {
        var rest = ContiguousArray(remaining)
        for step in DecisionStep.allCases where step > .interiorCost { keepBest(step, of: candidates, in: &rest) }
        guard let best = rest.first else { return [] }
        var chosen = [best]
        var hops = [candidates[best].key.nextHop.withoutMapping]
        for index in remaining where index != best && candidates[index].origin == candidates[best].origin {
            let key = candidates[index].key
            guard relaxed || key.neighborAS == candidates[best].key.neighborAS,
                !hops.contains(key.nextHop.withoutMapping)
            else { continue }
            hops.append(key.nextHop.withoutMapping)
            chosen.append(index)
        }
        return chosen
    }

    private static func keepBest(
        _ step: DecisionStep, of candidates: ContiguousArray<RouteCandidate>, in remaining: inout ContiguousArray<Int>
    ) {
        guard step != .multiExitDiscriminator else {
            return keepLowestDiscriminators(of: candidates, in: &remaining)
        }
        var lowest = UInt128.max
        for index in remaining { lowest = min(lowest, rank(candidates[index], in: step)) }
        remaining.removeAll { rank(candidates[$0], in: step) != lowest }
    }

    /// How a route stands in a step: the lower is the better.
    private static func rank(_ candidate: RouteCandidate, in step: DecisionStep) -> UInt128 {
        switch step {
        case .originatedHere: candidate.origin == .local ? 0 : 1
        case .freshness: candidate.key.isLongLivedStale ? 1 : 0
        case .localPreference: UInt128(UInt32.max - candidate.key.localPreference)
        case .accumulatedMetric:
            candidate.accumulatedMetric.map { UInt128($0) + UInt128(candidate.interiorCost) } ?? .max
        case .pathLength: UInt128(candidate.key.pathLength)
        case .origin: UInt128(candidate.key.origin.rawValue)
        case .multiExitDiscriminator: UInt128(candidate.key.multiExitDiscriminator)
        case .externalOverInternal: candidate.origin == .internal ? 1 : 0
        case .interiorCost: UInt128(candidate.interiorCost)
        case .identifier: UInt128((candidate.key.originatorID ?? candidate.peerIdentifier).bits)
        case .clusterListLength: UInt128(candidate.key.clusterListLength)
        case .peerAddress: candidate.peerAddress.bits
        }
    }

    private static func keepLowestDiscriminators(
        of candidates: ContiguousArray<RouteCandidate>, in remaining: inout ContiguousArray<Int>
    ) {
        let considered = remaining
        remaining.removeAll { index in
            let key = candidates[index].key
            return considered.contains { other in
                candidates[other].key.neighborAS == key.neighborAS
                    && candidates[other].key.multiExitDiscriminator < key.multiExitDiscriminator
            }
        }
    }
}

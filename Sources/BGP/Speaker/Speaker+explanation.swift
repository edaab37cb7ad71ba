public import Basics
public import Wire

/// Why a path to a prefix is or is not the Loc-RIB's.
public struct DecisionExplanation: Equatable, Sendable {
    /// What became of one path.
    public enum Verdict: Equatable, Sendable {
        case best
        /// A better one was left when this step was taken.
        case lost(DecisionStep)
        /// Everything is equal up to the last step, where the order of the peers tells.
        case lostByOrder
        /// The path has been here before, leads back here, or no policy lets it in.
        case notAccepted
        case nextHopUnreachable
        /// It has come and gone too often, and is used again then at the latest unless it flaps (RFC 2439).
        case suppressed(until: Instant)
    }

    /// A path that was looked at.
    public struct Path: Equatable, Sendable {
        public var route: Route
        public var verdict: Verdict
        /// Whether packets may be sent this way as well as the best one's (`maximumPaths`).
        public var isMultipath: Bool
        /// Whether it has outlived its session (RFC 4724 §4.2).
        public var isStale: Bool
    }

    public var prefix: IPPrefix
    /// In order of the peers, the own one last.
    public var paths: [Path]
    /// The steps that were taken, and how many paths each left.
    public var steps: [(step: DecisionStep, remaining: Int)]

    public static func == (left: DecisionExplanation, right: DecisionExplanation) -> Bool {
        left.prefix == right.prefix && left.paths == right.paths
            && left.steps.elementsEqual(right.steps) { $0.step == $1.step && $0.remaining == $1.remaining }
    }
}

extension Speaker {
    /// Goes through the decision for a prefix again and says what each step did; nil for one without any path.
    public func explain(_ prefix: IPPrefix) -> DecisionExplanation? {
        guard let index = table.find(prefix) else { return nil }
        var paths: [DecisionExplanation.Path] = []
        var considered: ContiguousArray<RouteCandidate> = []
        var places: [Int] = []
        var next = table.firstPath(index)
        while let path = next {
            next = table.next(after: path)
            let isLocal = path.source == .local
            guard isLocal || epochs[Int(path.source)].counts(path, isIPv4: prefix.isIPv4) else { continue }
            let isStale = !isLocal && epochs[Int(path.source)].isStale(path, isIPv4: prefix.isIPv4)
            let isAccepted = path.accepted != .none
            let route = route(path, to: prefix, isAccepted ? path.accepted : path.received)
            if takesPart(path, isIPv4: prefix.isIPv4) {
                places.append(paths.count)
                considered.append(candidate(path))
            }
            paths.append(
                DecisionExplanation.Path(
                    route: route, verdict: verdictWithoutPart(path, to: prefix), isMultipath: false, isStale: isStale))
        }
        guard !paths.isEmpty else { return nil }
        let trace = DecisionProcess.trace(of: considered, relaxed: configuration.spreadsOverNeighbors)
        for (place, step) in zip(places, trace.lostBy) { paths[place].verdict = step.map { .lost($0) } ?? .lostByOrder }
        for equal in trace.equals.prefix(configuration.maximumPaths) { paths[places[equal]].isMultipath = true }
        if let best = trace.best { paths[places[best]].verdict = .best }
        return DecisionExplanation(prefix: prefix, paths: paths, steps: trace.steps)
    }

    /// Why a path takes no part, if it does not.
    private func verdictWithoutPart(
        _ path: RoutingTable.Path, to prefix: IPPrefix
    ) -> DecisionExplanation.Verdict {
        guard path.accepted != .none else { return .notAccepted }
        guard path.isSuppressed else { return .nextHopUnreachable }
        let key = DampingTable.Key(prefix: prefix, number: path.numbers.heard)
        return .suppressed(until: dampers[Int(path.source)]?.suppressedUntil(key) ?? .never)
    }
}

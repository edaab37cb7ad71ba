// Which path a flow takes.
//
// In: what the tunnels' measurements say (`update`), and the head of each packet with the
// site it goes to (`select`). Out: the tunnel, and records of flows that were placed or
// moved and of tunnels that stopped or began again to meet their SLA classes.
//
// Each path has a verdict for each SLA class, with hysteresis and damping (PathVerdict).
// All flows of one policy to one site form a group, which has one current path. It is
// chosen again at the moment a verdict changes, so no packet goes to a failed path; a
// flow follows its group with its next packet, at the price of one comparison.
// docs/steering.md has the rules and the numbers.

public import Basics
public import Telemetry

/// Steers flows onto tunnels by policy and SLA.
public struct Steering: Sendable {
    private struct Path: Sendable {
        let tunnel: TunnelID
        let site: Int
        let cost: Double
        /// The place in each policy's preference; lower is better.
        let ranks: ContiguousArray<Int>
        var isUp = false
        var isDegraded = false
    }

    /// The flows of one policy to one site.
    private struct Group: Sendable, BitwiseCopyable {
        var current: TunnelID?
        var path: Int?
        /// Why the current path is what it is.
        var cause = ChangeCause.started
        /// Until a flow has been placed the choice is free.
        var isInUse = false
    }

    private let configuration: Configuration
    /// By priority, the policy for everything else last.
    private let policies: ContiguousArray<Policy>
    private let classes: ContiguousArray<SLAClass>
    /// The class that each policy holds paths to.
    private let classOfPolicy: ContiguousArray<Int>

    private var paths: ContiguousArray<Path> = []
    private var pathOfTunnel = SortedIndex()
    private var siteOfNumber = IndexTable()
    /// The paths to each site, by tunnel.
    private var pathsOfSite: ContiguousArray<ContiguousArray<Int>> = []
    /// Of each path for each class.
    private var verdicts: ContiguousArray<PathVerdict> = []
    /// Of each site for each policy.
    private var groups: ContiguousArray<Group> = []
    private var flows: FlowTable
    /// How often the best path has changed, for any site and policy.
    public private(set) var choiceCount: UInt64 = 0
    /// The same for each site.
    private var choiceCounts: ContiguousArray<UInt64> = []
    /// No path returns earlier; it may be behind the times, but never late.
    private var earliestReturn = Instant.never

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        let ordered = configuration.policies.enumerated().sorted {
            ($1.element.priority, $0.offset) < ($0.element.priority, $1.offset)
        }
        let policies = ordered.map(\.element) + [Policy(name: "default")]
        var classes: ContiguousArray<SLAClass> = []
        classOfPolicy = ContiguousArray(
            policies.map { policy in
                let wanted = policy.slaClass ?? .builtIn
                if let index = classes.firstIndex(of: wanted) { return index }
                classes.append(wanted)
                return classes.count - 1
            })
        self.classes = classes
        self.policies = ContiguousArray(policies)
        flows = FlowTable(capacity: configuration.flowCapacity)
    }

    /// Adds a path, which is down until ``update(_:isUp:sample:at:into:)`` says otherwise.
    public mutating func addPath(_ candidate: PathCandidate) {
        precondition(pathOfTunnel[candidate.tunnel.rawValue] == nil)
        let site = siteIndex(of: candidate.site)
        let index = paths.count
        pathOfTunnel.insert(candidate.tunnel.rawValue, place: index)
        paths.append(
            Path(
                tunnel: candidate.tunnel, site: site, cost: candidate.cost,
                ranks: ContiguousArray(policies.map { Self.rank(of: candidate, in: $0.prefer) })))
        for _ in classes { verdicts.append(PathVerdict()) }
        let place = pathsOfSite[site].firstIndex { paths[$0].tunnel > candidate.tunnel } ?? pathsOfSite[site].count
        pathsOfSite[site].insert(index, at: place)
    }

    /// Has what is known of a path fetched from memory, by its place in the order of adding.
    public func prepare(_ path: Int) {
        prefetch(path, of: paths)
        prefetch(path * classes.count..<(path + 1) * classes.count, of: verdicts)
    }

    /// Takes in a tunnel's state and, where there is one, a new measurement; each sample is one evaluation.
    public mutating func update(
        _ tunnel: TunnelID, isUp: Bool, sample: PathSample? = nil, at now: Instant,
        into changes: inout ContiguousArray<TelemetryRecord>
    ) {
        guard let path = pathOfTunnel[tunnel.rawValue] else { preconditionFailure("no such path") }
        let wasUp = paths[path].isUp
        paths[path].isUp = isUp
        var isNews = isUp != wasUp
        for index in classes.indices {
            let verdict = path * classes.count + index
            let before = verdicts[verdict]
            if wasUp, !isUp {
                verdicts[verdict].tunnelWentDown(at: now, configuration.rules)
            } else if isUp, let sample {
                verdicts[verdict].evaluate(classes[index].score(of: sample), at: now, configuration.rules)
                _ = verdicts[verdict].returnIfDue(at: now, configuration.rules)
                earliestReturn = min(earliestReturn, verdicts[verdict].returnInstant(configuration.rules))
            }
            isNews = isNews || !verdicts[verdict].ranksLike(before)
        }
        // Most samples are as good as the one before, and choose nothing else.
        guard isNews else { return }
        judge(path, into: &changes)
        chooseAgain(for: paths[path].site)
    }

    /// Lets paths return that have been good for long enough.
    public mutating func wake(at now: Instant, into changes: inout ContiguousArray<TelemetryRecord>) {
        guard earliestReturn <= now else { return }
        earliestReturn = .never
        for path in paths.indices {
            var hasReturned = false
            for index in path * classes.count..<(path + 1) * classes.count {
                if verdicts[index].returnIfDue(at: now, configuration.rules) { hasReturned = true }
                earliestReturn = min(earliestReturn, verdicts[index].returnInstant(configuration.rules))
            }
            guard hasReturned else { continue }
            judge(path, into: &changes)
            chooseAgain(for: paths[path].site)
        }
    }

    /// When ``wake(at:into:)`` must be called at the latest.
    public var nextDeadline: Instant? {
        earliestReturn == .never ? nil : earliestReturn
    }

    /// The tunnel for a packet to a site, nil where none is up.
    public mutating func select(
        _ packet: PacketHead, site: UInt32, at now: Instant, into changes: inout ContiguousArray<TelemetryRecord>
    ) -> TunnelID? {
        guard let slot = flows.find(packet.key) else {
            return place(packet, site, from: nil, at: now, into: &changes)
        }
        let entry = flows[slot]
        let hasEnded = now - entry.lastSeen >= configuration.idleTimeout
        guard entry.site == site, !hasEnded else {
            flows.remove(slot)
            return place(packet, site, from: hasEnded ? nil : entry.path, at: now, into: &changes)
        }
        flows.touch(slot, at: now)
        let current = groups[Int(entry.group)].current
        if current != entry.path { move(slot, to: current, into: &changes) }
        return current
    }
}

// MARK: What can be asked

extension Steering {
    /// How many flows are remembered, those included that have just fallen silent.
    public var flowCount: Int { flows.count }

    /// How often the best path to a site has changed.
    public func choiceCount(for site: UInt32) -> UInt64 {
        siteOfNumber[UInt64(site)].map { choiceCounts[Int($0)] } ?? 0
    }

    /// Notes that a flow has gone on, though its packets were not seen.
    public mutating func keep(_ flow: FlowKey, at now: Instant) {
        guard let slot = flows.find(flow) else { return }
        flows.touch(slot, at: now)
    }

    /// What a flow that is remembered carries.
    public func application(of flow: FlowKey) -> Application? {
        flows.find(flow).map { flows[$0].application }
    }

    /// The score of a path for a policy's class by the last measurement.
    public func score(of tunnel: TunnelID, for slaClass: SLAClass) -> PathScore? {
        verdict(of: tunnel, for: slaClass)?.score
    }

    /// Whether a path is up and not held back for a class.
    public func isUsable(_ tunnel: TunnelID, for slaClass: SLAClass) -> Bool {
        guard let path = pathOfTunnel[tunnel.rawValue], paths[path].isUp else { return false }
        return verdict(of: tunnel, for: slaClass)?.isHeldBack == false
    }

    private func verdict(of tunnel: TunnelID, for slaClass: SLAClass) -> PathVerdict? {
        guard let path = pathOfTunnel[tunnel.rawValue], let index = classes.firstIndex(of: slaClass) else {
            return nil
        }
        return verdicts[path * classes.count + index]
    }
}

// MARK: Flows

extension Steering {
    /// Classifies a flow's first packet and puts the flow on its group's path.
    @inline(never)
    private mutating func place(
        _ packet: PacketHead, _ site: UInt32, from previous: TunnelID?, at now: Instant,
        into changes: inout ContiguousArray<TelemetryRecord>
    ) -> TunnelID? {
        flows.expire(limit: 4, timeout: configuration.idleTimeout, at: now)
        guard let siteIndex = siteOfNumber[UInt64(site)] else {
            if let previous { changes.append(.pathChange(packet.key, from: previous, to: nil, .policy)) }
            return nil
        }
        let application = configuration.applications.application(of: packet)
        let policy = policies.firstIndex { $0.match.fits(packet, application) } ?? policies.count - 1
        let group = Int(siteIndex) * policies.count + policy
        groups[group].isInUse = true
        let current = groups[group].current
        flows.insert(
            FlowTable.Entry(
                key: packet.key, lastSeen: now, path: current, group: group, site: site, application: application))
        if current != previous {
            changes.append(.pathChange(packet.key, from: previous, to: current, .policy))
        }
        return current
    }

    /// Lets a flow follow its group, which may have moved more than once since the flow's last packet.
    @inline(never)
    private mutating func move(
        _ slot: Int, to current: TunnelID?, into changes: inout ContiguousArray<TelemetryRecord>
    ) {
        let entry = flows[slot]
        var cause = ChangeCause.sessionUp
        if let previous = entry.path, let path = pathOfTunnel[previous.rawValue] {
            cause = paths[path].isUp ? groups[Int(entry.group)].cause : .failover
        }
        flows.setPath(current, of: slot)
        changes.append(.pathChange(entry.key, from: entry.path, to: current, cause))
    }
}

// MARK: Paths

extension Steering {
    private mutating func siteIndex(of number: UInt32) -> Int {
        if let index = siteOfNumber[UInt64(number)] { return Int(index) }
        siteOfNumber[UInt64(number)] = UInt32(pathsOfSite.count)
        pathsOfSite.append([])
        choiceCounts.append(0)
        for _ in policies { groups.append(Group()) }
        return pathsOfSite.count - 1
    }

    /// By the port that the tunnel leaves by; among equals one that arrives at a port of the same name is first.
    private static func rank(of candidate: PathCandidate, in prefer: [String]) -> Int {
        guard let place = prefer.firstIndex(of: candidate.localPort) else { return prefer.count * 2 }
        return place * 2 + (candidate.remotePort == candidate.localPort ? 0 : 1)
    }

    /// Reports a tunnel that no longer meets all classes, or does so again.
    private mutating func judge(_ path: Int, into changes: inout ContiguousArray<TelemetryRecord>) {
        let isDegraded = (path * classes.count..<(path + 1) * classes.count).contains { verdicts[$0].isViolated }
        guard isDegraded != paths[path].isDegraded else { return }
        paths[path].isDegraded = isDegraded
        // A tunnel that went down is its own news.
        guard paths[path].isUp else { return }
        changes.append(
            isDegraded
                ? .tunnelState(paths[path].tunnel, .degraded, .slaViolated)
                : .tunnelState(paths[path].tunnel, .up, .slaMet))
    }

    private mutating func chooseAgain(for site: Int) {
        for policy in policies.indices {
            let group = site * policies.count + policy
            let previous = groups[group].path
            let chosen = choose(policy, site, current: groups[group].isInUse ? previous : nil)
            guard chosen != previous else { continue }
            groups[group].cause = cause(of: previous, to: chosen, for: policy)
            groups[group].path = chosen
            choiceCount &+= 1
            choiceCounts[site] &+= 1
            groups[group].current = chosen.map { paths[$0].tunnel }
        }
    }

    private func cause(of previous: Int?, to chosen: Int?, for policy: Int) -> ChangeCause {
        guard let previous else { return .sessionUp }
        guard chosen != nil, paths[previous].isUp else { return .failover }
        let verdict = verdicts[previous * classes.count + classOfPolicy[policy]]
        let isBad = verdict.isViolated || verdict.score < configuration.rules.leaveBelow
        return isBad ? .slaViolated : .failback
    }

    /// The best path for a policy: one that is usable, else one that is up, else none.
    private func choose(_ policy: Int, _ site: Int, current: Int?) -> Int? {
        var best: (path: Int, standing: Standing)?
        for path in pathsOfSite[site] where paths[path].isUp {
            let standing = standing(of: path, for: policy, isCurrent: path == current)
            if let known = best, !(standing < known.standing) { continue }
            best = (path, standing)
        }
        return best?.path
    }

    /// What makes one path go before another, the weightiest first; the smaller goes first.
    private typealias Standing = (Int, Int, Int, Int, Double)

    private func standing(of path: Int, for policy: Int, isCurrent: Bool) -> Standing {
        let verdict = verdicts[path * classes.count + classOfPolicy[policy]]
        let points = Int(verdict.score.points)
        let rank = paths[path].ranks[policy]
        guard verdict.isHeldBack else {
            return (0, rank, isCurrent ? 0 : 1, -points, paths[path].cost)
        }
        // Without a good path the score decides, and the current one has some points ahead.
        let margin = isCurrent ? configuration.rules.lastResortMargin : 0
        return (1, -points - margin, isCurrent ? 0 : 1, rank, paths[path].cost)
    }
}

public import Basics
public import Scenario
public import Wire

/// One thing that the scripted timeline does at an instant.
public enum ScriptedAction: Sendable {
    /// Moves a direction's settings towards a target; a progress of 1 arrives.
    case setLink(event: Int, link: Int, directions: LinkDirections, changes: LinkSettings, progress: Ratio)
    case carrier(link: Int, directions: LinkDirections, isUp: Bool)
    case kill(node: Int)
    case start(node: Int)
    case resetSession(NodePair)
    case announce(node: Int, PrefixSeries)
    case withdraw(node: Int, PrefixSeries)
    /// By the scenario's event.
    case beginAttack(event: Int)
    case endAttack(event: Int)
}

/// Everything that a scenario scripts, spread out into instants.
public struct Timeline: Sendable {
    /// One action with its instant.
    public struct Entry: Sendable {
        public let at: Instant
        public let action: ScriptedAction
    }

    /// How often a ramp takes a step.
    public static let rampStep = Interval.milliseconds(100)

    /// In order of instant, then as in the file.
    public private(set) var entries: [Entry] = []
    private var position = 0
    /// Nothing is spread out beyond the end of the run.
    private let end: Instant

    public init(_ scenario: Scenario) {
        end = .zero + scenario.duration
        for (index, event) in scenario.events.enumerated() { add(event, index) }
        // A stable order: those of one instant stay as in the file.
        let ordered = entries.enumerated().sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
        entries = ordered.map(\.element)
    }

    /// When the next entry is due.
    public var next: Instant? { position < entries.count ? entries[position].at : nil }

    /// The entries that have not been due.
    public var upcoming: ArraySlice<Entry> { entries[position...] }

    /// The next entry that is due.
    public mutating func takeDue(at now: Instant) -> ScriptedAction? {
        guard position < entries.count, entries[position].at <= now else { return nil }
        position += 1
        return entries[position - 1].action
    }

    private mutating func add(_ event: ScriptedEvent, _ index: Int) {
        let at = Instant.zero + event.at
        switch event.kind {
        case .linkSet(let link, let directions, let changes, let over):
            addRamp(index, link, directions, changes, from: at, over: over ?? .zero)
        case .linkDown(let link, let directions, let lasting):
            add(.carrier(link: link, directions: directions, isUp: false), at)
            if let lasting { add(.carrier(link: link, directions: directions, isUp: true), at + lasting) }
        case .linkUp(let link, let directions, let lasting):
            add(.carrier(link: link, directions: directions, isUp: true), at)
            if let lasting { add(.carrier(link: link, directions: directions, isUp: false), at + lasting) }
        case .linkFlap(let link, let directions, let up, let down, let lasting):
            var phase = at
            while phase < min(at + lasting, end) {
                add(.carrier(link: link, directions: directions, isUp: false), phase)
                add(.carrier(link: link, directions: directions, isUp: true), min(phase + down, at + lasting))
                phase += down + up
            }
        case .nodeKill(let node):
            add(.kill(node: node), at)
        case .nodeRestart(let node, let after):
            add(.kill(node: node), at)
            add(.start(node: node), at + after)
        case .bgp(.sessionReset(let pair)):
            add(.resetSession(pair), at)
        case .bgp(.announce(let node, let prefixes, let lasting)):
            for series in prefixes { add(.announce(node: node, series), at) }
            if let lasting { for series in prefixes { add(.withdraw(node: node, series), at + lasting) } }
        case .bgp(.withdraw(let node, let prefixes, let lasting)):
            for series in prefixes { add(.withdraw(node: node, series), at) }
            if let lasting { for series in prefixes { add(.announce(node: node, series), at + lasting) } }
        case .attack(let attack):
            add(.beginAttack(event: index), at)
            if let lasting = attack.lasting { add(.endAttack(event: index), at + lasting) }
        case .cloud:
            break
        }
    }

    private mutating func addRamp(
        _ event: Int, _ link: Int, _ directions: LinkDirections, _ changes: LinkSettings, from start: Instant,
        over: Interval
    ) {
        var elapsed = Self.rampStep
        while elapsed < over, start + elapsed < end {
            let progress = Ratio(elapsed.inSeconds / over.inSeconds)
            add(
                .setLink(event: event, link: link, directions: directions, changes: changes, progress: progress),
                start + elapsed)
            elapsed += Self.rampStep
        }
        add(
            .setLink(event: event, link: link, directions: directions, changes: changes, progress: .one),
            start + over)
    }

    private mutating func add(_ action: ScriptedAction, _ at: Instant) {
        entries.append(Entry(at: at, action: action))
    }
}

public import Basics
public import Wire

/// Something that a scenario makes happen: ground truth for everything that is measured.
public struct ScriptedEvent: Equatable, Sendable {
    public var at: Interval
    public var label: String
    public var kind: Kind

    public init(at: Interval, label: String, kind: Kind) {
        self.at = at
        self.label = label
        self.kind = kind
    }

    /// What happens; links and nodes by index.
    public enum Kind: Equatable, Sendable {
        /// Numbers go over in a straight line where `over` is given; all else changes at once.
        case linkSet(link: Int, directions: LinkDirections, changes: LinkSettings, over: Interval?)
        /// The carrier goes, and comes back after `lasting`.
        case linkDown(link: Int, directions: LinkDirections, lasting: Interval?)
        case linkUp(link: Int, directions: LinkDirections, lasting: Interval?)
        case linkFlap(link: Int, directions: LinkDirections, up: Interval, down: Interval, lasting: Interval)
        case nodeKill(node: Int)
        case nodeRestart(node: Int, after: Interval)
        case bgp(BGPIncident)
        case cloud(node: Int?, failure: String)
        case attack(Attack)
    }

    /// When it is over, where it ends by itself.
    public var end: Interval? {
        switch kind {
        case .linkSet(_, _, _, let over): over.map { at + $0 }
        case .linkDown(_, _, let lasting), .linkUp(_, _, let lasting): lasting.map { at + $0 }
        case .linkFlap(_, _, _, _, let lasting): at + lasting
        case .nodeRestart(_, let after): at + after
        case .attack(let attack): attack.lasting.map { at + $0 }
        case .bgp(.announce(_, _, let lasting)), .bgp(.withdraw(_, _, let lasting)): lasting.map { at + $0 }
        case .nodeKill, .bgp(.sessionReset), .cloud: nil
        }
    }

    /// The link that it concerns, by index.
    public var link: Int? {
        switch kind {
        case .linkSet(let link, _, _, _), .linkDown(let link, _, _), .linkUp(let link, _, _),
            .linkFlap(let link, _, _, _, _):
            link
        case .nodeKill, .nodeRestart, .bgp, .cloud, .attack: nil
        }
    }
}

/// Which ways along a link an event is about.
public enum LinkDirections: String, CaseIterable, Sendable {
    case both
    case forward
    case reverse

    /// Whether the event is about that direction.
    public func contains(_ direction: LinkDirection) -> Bool {
        switch self {
        case .both: true
        case .forward: direction == .forward
        case .reverse: direction == .reverse
        }
    }
}

/// What a scenario does to BGP.
public enum BGPIncident: Equatable, Sendable {
    case sessionReset(NodePair)
    /// Originates prefixes, which need not be the node's own, and withdraws them after `lasting`.
    case announce(node: Int, prefixes: [PrefixSeries], lasting: Interval?)
    /// Originates prefixes no more, and announces them again after `lasting`.
    case withdraw(node: Int, prefixes: [PrefixSeries], lasting: Interval?)
}

/// A scripted attack between two nodes.
public struct Attack: Equatable, Sendable {
    public var kind: AttackKind
    public var from: Int
    public var to: Int
    public var rate: AttackRate
    /// Until the end of the run where it is nil.
    public var lasting: Interval?
    /// How many addresses it claims to come from; nil leaves that to its kind.
    public var sources: UInt32?

    /// What an attack sends where the file does not say it.
    public static let standardRate = AttackRate.packets(PacketRate(packetsPerSecond: 10_000))

    public init(
        kind: AttackKind, from: Int, to: Int, rate: AttackRate = Attack.standardRate, lasting: Interval? = nil,
        sources: UInt32? = nil
    ) {
        self.kind = kind
        self.from = from
        self.to = to
        self.rate = rate
        self.lasting = lasting
        self.sources = sources
    }
}

/// The attacks that a scenario file may name.
public enum AttackKind: String, CaseIterable, Sendable {
    case synFlood = "syn-flood"
    case udpFlood = "udp-flood"
    case icmpFlood = "icmp-flood"
    case dnsAmplification = "dns-amplification"
    case portScan = "port-scan"
    case slowloris
    case exfiltration
    case arpSpoof = "arp-spoof"
}

/// How fast an attack sends.
public enum AttackRate: Equatable, Sendable {
    case packets(PacketRate)
    case bits(BitRate)
}

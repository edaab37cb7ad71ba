public import Basics

/// What one direction of a link does to packets; nil is "not said".
///
/// A link's own settings leave out what the defaults give; an event's settings hold
/// only what the event changes.
public struct LinkSettings: Equatable, Sendable {
    public var rate: BitRate?
    public var delay: Interval?
    public var jitter: Interval?
    public var jitterDistribution: JitterDistribution?
    public var loss: LossSetting?
    public var duplicate: Ratio?
    public var reorder: Ratio?
    public var corrupt: Ratio?
    public var queue: QueueSetting?
    public var discipline: QueueDisciplineName?
    /// The largest IP packet, in bytes.
    public var maximumTransmissionUnit: Int?
    public var trace: DeliveryTrace?
    public var costPerGigabyte: Double?

    public init() {}

    /// The largest packet that a link may be said to take, so that what encapsulation adds still fits 16 bits.
    public static let largestTransmissionUnit = 65_000

    /// These settings, with those of `other` in place wherever it says something.
    public func overridden(by other: LinkSettings) -> LinkSettings {
        var result = self
        result.rate = other.rate ?? rate
        result.delay = other.delay ?? delay
        result.jitter = other.jitter ?? jitter
        result.jitterDistribution = other.jitterDistribution ?? jitterDistribution
        result.loss = other.loss ?? loss
        result.duplicate = other.duplicate ?? duplicate
        result.reorder = other.reorder ?? reorder
        result.corrupt = other.corrupt ?? corrupt
        result.queue = other.queue ?? queue
        result.discipline = other.discipline ?? discipline
        result.maximumTransmissionUnit = other.maximumTransmissionUnit ?? maximumTransmissionUnit
        result.trace = other.trace ?? trace
        result.costPerGigabyte = other.costPerGigabyte ?? costPerGigabyte
        return result
    }

    /// Whether nothing is said at all.
    public var isEmpty: Bool { self == LinkSettings() }
}

/// How jitter is distributed around the delay.
public enum JitterDistribution: String, CaseIterable, Sendable {
    case normal
    case uniform
    case pareto
}

/// How packets get lost on a link.
public enum LossSetting: Equatable, Sendable {
    /// Each packet alone, with this probability.
    case independent(Ratio)
    /// The two-state model of Gilbert and Elliott: `p` is the probability of going from
    /// good to bad, `r` of going back, each for a packet.
    case gilbertElliott(p: Ratio, r: Ratio, lossBad: Ratio, lossGood: Ratio)
}

/// How much a link's queue holds.
public enum QueueSetting: Equatable, Sendable {
    /// What the link sends in so much time.
    case duration(Interval)
    case size(ByteCount)
    case packets(Int)
}

/// How a link's queue chooses what to send and to drop.
public enum QueueDisciplineName: String, CaseIterable, Sendable {
    case droptail
    case codel
    case fairCodel = "fq_codel"
}

/// When a link can send, as a Mahimahi packet-delivery file says.
///
/// Each opportunity is for one packet of 1500 bytes; after the last one, the trace
/// starts again.
public struct DeliveryTrace: Equatable, Sendable {
    /// The file as the link's settings name it.
    public var file: String
    /// Milliseconds from the start of the trace, never falling, the last above 0.
    public var opportunities: [UInt32]

    public init(file: String, opportunities: [UInt32]) {
        self.file = file
        self.opportunities = opportunities
    }
}

public import Basics

/// Everything that is configured of one direction of a link.
public struct LinkProfile: Equatable, Sendable {
    /// How fast packets are sent; nil is infinitely fast, and 0 counts as one bit a second.
    public var rate: BitRate?
    /// From the end of the transmission to the arrival.
    public var delay: Interval
    /// How much the delay varies; it never makes a packet overtake another, nor arrive before it was sent.
    public var jitter: Interval
    /// The shape of the jitter.
    public var jitterDistribution: JitterDistribution
    /// How packets are lost once they have left the queue.
    public var loss: LossModel
    /// The probability that a packet arrives twice, the copy undamaged and right before the packet itself.
    public var duplicate: Ratio
    /// The probability that a packet skips delay and jitter and so overtakes those on the way, as in `tc-netem`.
    public var reorder: Ratio
    /// The probability that one bit of a packet is inverted on the way.
    public var corrupt: Ratio
    /// How much may wait for the transmitter.
    public var queue: QueueLimit
    /// Who leaves the queue next.
    public var discipline: QueueDiscipline
    /// When packets are sent, in place of `rate`.
    public var trace: Trace?

    /// A link with only what is given; a queue of 1000 packets where no limit is.
    public init(
        rate: BitRate? = nil, delay: Interval = .zero, jitter: Interval = .zero,
        jitterDistribution: JitterDistribution = .normal, loss: LossModel = .none, duplicate: Ratio = .zero,
        reorder: Ratio = .zero, corrupt: Ratio = .zero, queue: QueueLimit = .packets(1_000),
        discipline: QueueDiscipline = .dropTail, trace: Trace? = nil
    ) {
        self.rate = rate
        self.delay = delay
        self.jitter = jitter
        self.jitterDistribution = jitterDistribution
        self.loss = loss
        self.duplicate = duplicate
        self.reorder = reorder
        self.corrupt = corrupt
        self.queue = queue
        self.discipline = discipline
        self.trace = trace
    }
}

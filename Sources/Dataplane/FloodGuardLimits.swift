public import Basics
import CDataplane

/// So many packets a second on average, and so many at once.
public struct FloodLimit: Equatable, Sendable, BitwiseCopyable {
    public var rate: PacketRate
    public var burst: UInt64

    @inlinable
    public init(_ packetsPerSecond: UInt64, burst: UInt64) {
        rate = PacketRate(packetsPerSecond: packetsPerSecond)
        self.burst = burst
    }

    /// Everything passes.
    @inlinable
    public static var none: FloodLimit { FloodLimit(0, burst: 0) }

    var value: patronus_limit {
        guard rate.packetsPerSecond > 0 else { return patronus_limit(increment: 0, tolerance: 0) }
        let increment = max(1, 1_000_000_000 / rate.packetsPerSecond)
        let tolerance = increment.multipliedReportingOverflow(by: max(burst, 1) - 1)
        return patronus_limit(increment: increment, tolerance: tolerance.overflow ? .max / 4 : tolerance.partialValue)
    }
}

/// What the flood guard grants to one kind of traffic.
public struct FloodClassLimits: Equatable, Sendable, BitwiseCopyable {
    /// From one source: SYNs, echoes, or new flows of the others.
    public var source: FloodLimit
    /// New flows to one destination, from sources that are not verified.
    public var destination: FloodLimit
    /// Packets of unanswered flows to one destination, above which it is under pressure.
    public var unanswered: FloodLimit
    /// Such packets from one source while it is.
    public var pressedSource: FloodLimit
    /// Such packets to the destination altogether while it is.
    public var pressedDestination: FloodLimit

    @inlinable
    public init(
        source: FloodLimit, destination: FloodLimit, unanswered: FloodLimit = .none,
        pressedSource: FloodLimit = .none, pressedDestination: FloodLimit = .none
    ) {
        self.source = source
        self.destination = destination
        self.unanswered = unanswered
        self.pressedSource = pressedSource
        self.pressedDestination = pressedDestination
    }

    /// Everything passes.
    @inlinable
    public static var none: FloodClassLimits { FloodClassLimits(source: .none, destination: .none) }

    var value: patronus_class_limits {
        patronus_class_limits(
            source: source.value, destination: destination.value, unanswered: unanswered.value,
            pressed_source: pressedSource.value, pressed_destination: pressedDestination.value)
    }
}

/// The flood guard's thresholds; docs/dataplane.md says why they are what they are.
public struct FloodGuardLimits: Equatable, Sendable, BitwiseCopyable {
    public var synchronize = FloodClassLimits(
        source: FloodLimit(200, burst: 400), destination: FloodLimit(600, burst: 300))
    public var icmp = FloodClassLimits(
        source: FloodLimit(500, burst: 500), destination: FloodLimit(600, burst: 300),
        unanswered: FloodLimit(2_000, burst: 500), pressedSource: FloodLimit(100, burst: 100),
        pressedDestination: FloodLimit(500, burst: 500))
    public var udp = FloodClassLimits(
        source: FloodLimit(800, burst: 800), destination: FloodLimit(800, burst: 400),
        unanswered: FloodLimit(20_000, burst: 1_000), pressedSource: FloodLimit(500, burst: 200),
        pressedDestination: FloodLimit(5_000, burst: 1_000))
    public var tcp = FloodClassLimits(
        source: FloodLimit(600, burst: 2_000), destination: FloodLimit(600, burst: 2_000),
        unanswered: FloodLimit(50_000, burst: 5_000), pressedSource: FloodLimit(500, burst: 200),
        pressedDestination: FloodLimit(5_000, burst: 1_000))
    /// Fragments, ICMP errors, and protocols without ports.
    public var other = FloodClassLimits(
        source: .none, destination: .none,
        unanswered: FloodLimit(20_000, burst: 1_000), pressedSource: FloodLimit(500, burst: 200),
        pressedDestination: FloodLimit(5_000, burst: 1_000))
    /// SYNs that come again, to one destination.
    public var knock = FloodLimit(300, burst: 300)
    public var knockEarliest = Interval.milliseconds(500)
    public var knockLatest = Interval.seconds(8)
    /// How long a completed handshake speaks for its source.
    public var verifiedLifetime = Interval.seconds(600)
    /// Entries made in the flow table.
    public var newFlows = FloodLimit(20_000, burst: 20_000)

    public init() {}

    /// Everything passes.
    public static var none: FloodGuardLimits {
        var limits = FloodGuardLimits()
        limits.synchronize = .none
        limits.icmp = .none
        limits.udp = .none
        limits.tcp = .none
        limits.other = .none
        limits.knock = .none
        limits.newFlows = .none
        return limits
    }

    func write(to value: inout patronus_configuration) {
        value.verified_lifetime = UInt64(max(0, verifiedLifetime.nanoseconds))
        value.knock_earliest = UInt64(max(0, knockEarliest.nanoseconds))
        value.knock_latest = UInt64(max(0, knockLatest.nanoseconds))
        value.knock = knock.value
        value.new_flows = newFlows.value
        // In the order of `enum patronus_class`.
        value.classes.0 = synchronize.value
        value.classes.1 = icmp.value
        value.classes.2 = udp.value
        value.classes.3 = tcp.value
        value.classes.4 = other.value
    }
}

/// How many packets are shown to userspace: one in so many, 0 for none.
public struct DataplaneSampling: Equatable, Sendable, BitwiseCopyable {
    /// Of the first packets of flows.
    public var flows: UInt32
    /// Of dropped packets.
    public var drops: UInt32

    @inlinable
    public init(flows: UInt32 = 0, drops: UInt32 = 0) {
        self.flows = flows
        self.drops = drops
    }
}

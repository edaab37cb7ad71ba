import BPF
public import Basics
import Links
import Machine
import Plan
public import Scenario
import Telemetry
public import Traffic
import Wire

/// A running scenario in virtual time: a value, with nothing global, as many side by side as there are cores.
///
/// Way in: a scenario and a seed. `run(until:)` takes one event after the other, in an
/// order that depends only on time and on who is concerned: a packet that arrives, a
/// device that wants to be woken, the scripted timeline. Way out: the `RunRecord`.
public struct Simulation: ~Copyable {
    public let scenario: Scenario
    public let seed: UInt64
    var network: Network
    var devices = Slab<Device>()
    var timeline: Timeline
    /// In the order of their events; each has the tag of its place and one more.
    var attacks = ContiguousArray<AttackInMotion>()
    let plan: RunPlan
    /// What nodes load into their kernels; nil where there are none.
    private let dataplane: BPFObject?
    public private(set) var eventCount: UInt64 = 0
    public private(set) var checkpoints: [Checkpoint] = []
    /// When the second ends that has no checkpoint yet.
    private var secondEnd: UInt64 = 1_000_000_000
    var violations = InvariantWatch()
    var ramps = LinkRamps()
    /// The second whose events are written down one by one; nil is none.
    private var tracedSecond: UInt64?
    public private(set) var trace: [TracedEvent] = []

    /// Builds the world and starts every machine at instant 0.
    ///
    /// `replays` are the conversations of `replay` traffic, by the index of its entry.
    public init(_ scenario: Scenario, seed: UInt64? = nil, replays: [ReplayScript?] = []) {
        let seed = seed ?? scenario.seed
        self.scenario = scenario
        self.seed = seed
        plan = RunPlan(scenario, replays: replays)
        network = Network(largestPacket: plan.largestFrame)
        timeline = Timeline(scenario)
        dataplane = RunPlan.usesDataplane(scenario) ? NodeDataplane.object() : nil
        buildAttacks()
        buildLinks()
        buildDevices()
        for index in 0..<devices.count { start(index) }
        armTimeline()
    }

    /// Starts the machine that was put on a device.
    mutating func start(_ index: Int) {
        if let dataplane, devices[index].kind == .patronus {
            let stream = "dataplane \(devices[index].name) life \(devices[index].lives)"
            let wan = scenario.topology.wanPorts(of: index).compactMap { plan.ports[index].firstIndex(of: $0) }
            devices[index].loadDataplane(dataplane, random: SeededRandom(seed: seed, stream: stream), wan: wan)
        }
        devices[index].start(&network)
    }

    /// The instant up to which everything has happened.
    public var now: Instant { network.now }

    /// How many packets have crossed a link.
    public var hopCount: UInt64 { network.hops }

    /// How many packets are held now, in queues, on links and waiting for a neighbour.
    public var packetsInFlight: Int { network.pool.inUse }

    /// The memory that one packet takes, whatever its size.
    public var bytesPerPacket: Int { network.pool.slotByteCount }

    /// Writes down every event of that second of simulated time.
    public mutating func traceEvents(ofSecond second: UInt64) {
        tracedSecond = second
    }

    /// Lets everything happen that is due up to `end`, and that too.
    public mutating func run(until end: Instant) {
        while let event = network.queue.popFirst(notAfter: end) {
            closeSeconds(before: event.at)
            network.now = event.at
            happen(event)
        }
        closeSeconds(before: end)
        network.now = max(network.now, end)
    }

    /// Hands the frames captured since the last call to `body` and forgets them.
    public mutating func drainCapture(_ body: (borrowing CaptureBuffer) -> Void) {
        body(network.capture)
        network.capture.removeAll()
    }

    /// Puts an outsider's frame on a link, as if the device at its source had sent it.
    public mutating func offer(_ frame: RawSpan, toLink link: Int, _ direction: LinkDirection) {
        precondition(frame.byteCount <= network.pool.largestPacket)
        network.ledger.sent(0)
        let packet = network.pool.store(frame)
        network.transmit(packet, on: RunPlan.direction(link, direction))
    }

    /// The largest frame that ``offer(_:toLink:_:)`` takes, in bytes.
    public var largestFrame: Int { network.pool.largestPacket }

    private mutating func happen(_ event: QueuedEvent) {
        guard let device = EventKey.device(of: event.key) else { return runTimeline(event) }
        if let direction = EventKey.direction(of: event.key) {
            arrive(direction, event)
        } else if let attack = EventKey.attack(of: event.key) {
            sendPackets(ofAttack: attack, event)
        } else if devices[device].nextWake == event.at {
            note(event, device, content: 0)
            devices[device].wake(&network)
        }
    }

    private mutating func arrive(_ direction: Int, _ event: QueuedEvent) {
        guard network.links[direction].scheduledAt == event.at else { return }
        network.links[direction].scheduledAt = .never
        settle(direction, event)
        if let token = network.links[direction].link.upcoming { network.pool.prefetch(PacketID(token)) }
        network.arm(direction)
    }

    /// Takes everything that is due from one direction of a link.
    mutating func settle(_ direction: Int, _ event: QueuedEvent) {
        while let outcome = network.links[direction].link.next(at: network.now) {
            switch outcome {
            case .delivered(let token, let damagedBit):
                let packet = PacketID(token)
                if let damagedBit { network.invert(damagedBit, of: packet) }
                receive(packet, from: direction, event)
            case .duplicated(let token):
                let copy = network.pool.duplicate(PacketID(token))
                network.ledger.duplicated(network.pool.tag(copy))
                receive(copy, from: direction, event)
            case .dropped(let token, let cause):
                network.drop(PacketID(token), cause)
            }
        }
    }

    private mutating func receive(_ packet: PacketID, from direction: Int, _ event: QueuedEvent) {
        network.hops &+= 1
        let device = network.links[direction].device
        let port = Int(network.links[direction].port.rawValue)
        note(event, device, content: network.pool.digest(of: packet))
        let tag = network.pool.tag(packet)
        if network.ledger.isAttack(tag), devices[device].kind == .patronus { network.ledger.reachedNode(tag) }
        if network.links[direction].isCaptured, !network.links[direction].isForward {
            network.pool.capture(
                packet, link: network.links[direction].linkIndex, at: network.now, into: &network.capture)
        }
        devices[device].receive(packet, on: port, &network)
    }

    /// Folds an event into the fingerprint of the device that it concerns.
    mutating func note(_ event: QueuedEvent, _ device: Int, content: UInt64) {
        eventCount &+= 1
        devices[device].fingerprint.fold(event.at.nanoseconds ^ content, event.key)
        guard let tracedSecond, event.at.nanoseconds / 1_000_000_000 == tracedSecond else { return }
        trace.append(TracedEvent(at: event.at, device: device, key: event.key, content: content))
    }

    /// Writes the checkpoints of the seconds that end at or before `instant`.
    private mutating func closeSeconds(before instant: Instant) {
        while instant.nanoseconds >= secondEnd {
            var devicePrints: [UInt64] = []
            devicePrints.reserveCapacity(devices.count)
            var whole = Fingerprint()
            for index in 0..<devices.count {
                devicePrints.append(devices[index].fingerprint.value)
                whole.fold(devices[index].fingerprint.value)
            }
            checkpoints.append(
                Checkpoint(second: UInt64(checkpoints.count), fingerprint: whole.value, devices: devicePrints))
            watchInvariants(at: Instant(nanoseconds: secondEnd))
            secondEnd += 1_000_000_000
        }
    }
}

/// One event of a traced second.
public struct TracedEvent: Equatable, Sendable {
    public let at: Instant
    /// The index of the device concerned, as in the topology.
    public let device: Int
    /// Whom it concerns and what caused it, as the event queue orders it.
    public let key: UInt64
    /// A hash of the packet that arrived; 0 for a wake.
    public let content: UInt64

    /// Whether it was a packet that arrived; else the device woke up.
    public var isArrival: Bool { EventKey.direction(of: key) != nil }
}

extension Network {
    /// Inverts one bit of a frame, counted from the highest of its first octet.
    mutating func invert(_ bit: UInt32, of packet: PacketID) {
        let offset = Int(bit / 8)
        guard offset < pool.byteCount(packet) else { return }
        let octet: UInt8 = pool.load(packet, at: offset)
        pool.patch(octet ^ (0x80 >> UInt8(bit % 8)), at: offset, of: packet)
    }
}

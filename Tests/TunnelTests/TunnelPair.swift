import Basics
import Telemetry
import Tunnel
import Wire

/// The octets of a span, for keeping.
func octets(_ span: RawSpan) -> [UInt8] {
    (0..<span.byteCount).map { span.unsafeLoadUnaligned(fromByteOffset: $0, as: UInt8.self) }
}

/// An inner IPv4 packet of `byteCount` octets, of which only the version means something here.
func innerPacket(byteCount: Int = 200, version: UInt8 = 4) -> [UInt8] {
    var packet = (0..<byteCount).map { UInt8(truncatingIfNeeded: $0) }
    packet[0] = version << 4 | 5
    return packet
}

/// What happens to datagrams in one direction.
struct TestWire {
    var latency = Interval.milliseconds(10)
    /// Evenly spread, on top.
    var spread = Interval.zero
    var loss = Ratio.zero
    var duplication = Ratio.zero
    /// Of so many datagrams, `delay` is added.
    var reordering = Ratio.zero
    var delay = Interval.milliseconds(5)
}

/// Two tunnel ends over a wire in virtual time; end 0 is at index 0, and so is the direction away from it.
struct TunnelPair {
    private struct Flight {
        var at: Instant
        var end: Int
        var datagram: [UInt8]
    }

    var ends: [Tunnel]
    var wires: [TestWire]
    /// What is added to the true time to get an end's clock.
    var clocks: [Interval]
    /// How often an end sends an inner packet; nil is never.
    var packetIntervals: [Interval?] = [nil, nil]
    private(set) var now: Instant
    /// What the wire did, by the sending end.
    private(set) var sent = [0, 0]
    private(set) var lost = [0, 0]
    /// What came out, by the receiving end.
    private(set) var deliveredAt: [[Instant]] = [[], []]
    private(set) var duplicatesRefused = [0, 0]
    private var flights: [Flight] = []
    private var nextPacketAt: [Instant]
    private var random: SeededRandom
    private let packet = innerPacket()

    init(
        _ configuration: TunnelConfiguration, wire: TestWire = TestWire(), random: SeededRandom,
        clocks: [Interval] = [.zero, .zero], from start: Instant = Instant(nanoseconds: 5_000_000_000)
    ) {
        self.random = random
        self.clocks = clocks
        now = start
        wires = [wire, wire]
        nextPacketAt = [start, start]
        ends = []
        for end in 0..<2 { ends.append(Tunnel(configuration, random: self.random.fork(), at: start + clocks[end])) }
    }

    /// Puts a new tunnel in the place of one, as a node does that has restarted.
    mutating func restart(_ end: Int, random: SeededRandom) {
        let configuration = ends[end].configuration
        ends[end] = Tunnel(configuration, random: random, at: now + clocks[end])
    }

    mutating func run(for interval: Interval) {
        run(until: now + interval)
    }

    mutating func run(until limit: Instant) {
        while let next = nextInstant, next <= limit {
            now = next
            if let flight = flights.first, flight.at == now {
                flights.removeFirst()
                arrive(flight)
                continue
            }
            for end in 0..<2 where instantOfWaking(end) <= now { wake(end) }
            for end in 0..<2 {
                guard let interval = packetIntervals[end], nextPacketAt[end] <= now else { continue }
                nextPacketAt[end] = now + interval
                send(end)
            }
        }
        now = limit
    }

    /// Starts or stops an end's packets from now on.
    mutating func sendPackets(from end: Int, every interval: Interval?) {
        packetIntervals[end] = interval
        nextPacketAt[end] = now
    }

    private var nextInstant: Instant? {
        var next = min(instantOfWaking(0), instantOfWaking(1))
        if let flight = flights.first { next = min(next, flight.at) }
        for end in 0..<2 where packetIntervals[end] != nil { next = min(next, nextPacketAt[end]) }
        return max(next, now)
    }

    private func instantOfWaking(_ end: Int) -> Instant { ends[end].nextDeadline - clocks[end] }

    private mutating func wake(_ end: Int) {
        var arena = ByteArena(capacity: 256)
        guard let range = ends[end].wake(at: now + clocks[end], into: &arena) else { return }
        launch(octets(arena.bytes(range)), from: end)
    }

    private mutating func send(_ end: Int) {
        var arena = ByteArena(capacity: 2048)
        // Borrowed from a local: a span of one property excludes the change of another.
        let packet = packet
        let range = ends[end].seal(innerPacket: packet.span.bytes, at: now + clocks[end], into: &arena)
        launch(octets(arena.bytes(range)), from: end)
    }

    private mutating func launch(_ datagram: [UInt8], from end: Int) {
        let wire = wires[end]
        sent[end] += 1
        let isLost = random.chance(wire.loss)
        lost[end] += isLost ? 1 : 0
        guard !isLost else { return }
        let copies = random.chance(wire.duplication) ? 2 : 1
        for _ in 0..<copies {
            var at = now + wire.latency + random.interval(in: .zero...wire.spread)
            if random.chance(wire.reordering) { at += wire.delay }
            let index = flights.firstIndex { $0.at > at } ?? flights.count
            flights.insert(Flight(at: at, end: 1 - end, datagram: datagram), at: index)
        }
    }

    private mutating func arrive(_ flight: Flight) {
        let local = now + clocks[flight.end]
        let opened = ends[flight.end].open(flight.datagram.span.bytes, at: local)
        switch opened {
        case .packet: deliveredAt[flight.end].append(now)
        case .probe: break
        case .refused(let cause): duplicatesRefused[flight.end] += cause == .duplicate ? 1 : 0
        }
    }
}

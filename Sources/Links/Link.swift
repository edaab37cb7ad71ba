// Links: the model of one direction of a link, the same for the simulator in virtual time and for an emulator's
// userspace wire on the monotonic clock.
//
// Way in: `offer` (a packet, as a token and a size), `change` (another profile), `setUp`. Way out: `next`, called
// when `nextDue` has come, which hands tokens back: delivered, to be copied, or dropped. Nothing else happens: no
// octets, no clock, no timer. What comes out depends only on what was offered when, never on how late or how often
// a host asks, so a wire that is late is late, but not different.
//
//   offer -> [queue] -> transmitter (rate or trace) -> loss, damage, copy -> delay and jitter -> next
//
// Under drop-tail nothing needs to be decided later: departure and arrival are computed when a packet is offered,
// and each packet costs its host one event, the arrival. CoDel (RFC 8289) and FQ-CoDel (RFC 8290) decide when the
// transmitter is free, which is one more.
//
// The profile in force when a packet's transmission starts is the one that decides its fate.
public import Basics
import Telemetry

/// One direction of a link: packets and the clock go in, fates come out.
///
/// `now` never goes back from call to call, and a host takes out everything due by `next(at:)` before it changes
/// the link at the same instant.
public struct Link: Sendable {
    /// What is configured; `change(to:at:)` sets it.
    public internal(set) var profile: LinkProfile
    /// Whether anything gets through; `setUp(_:at:)` sets it.
    public internal(set) var isUp = true
    /// What became of all packets offered so far.
    public internal(set) var counters = LinkCounters()

    var transmitter: Transmitter
    var impairments: Impairments
    var queueRandom: SeededRandom
    var sequence: UInt32 = 0
    /// Ordered by `due`: no packet is due before the one sent before it.
    var travelling = Ring<Flight>(capacity: 16)
    /// Lost and overtaking packets, due as soon as they are sent, and so ordered as well.
    var leaving = Ring<Flight>(capacity: 1)
    var fallen = Ring<Fallen>(capacity: 1)
    /// The latest arrival of those on the way.
    var lastArrival = Instant.zero
    /// When `next(at:)` has something, or `never`.
    var due = Instant.never

    /// When the oldest of `fallen` was dropped.
    var fallenSince = Instant.zero

    /// What waits for the transmitter, as far as the limit of a drop-tail queue has to know it.
    var backlog: Backlog
    /// What waits for the transmitter under CoDel and FQ-CoDel.
    var activeQueue: ActiveQueue?
    /// When the active queue gives its next packet to the transmitter, or `never`.
    var decision = Instant.never

    /// A link that is up; `random` is the stream of its name.
    public init(_ profile: LinkProfile, random: SeededRandom) {
        var random = random
        self.profile = profile
        transmitter = Transmitter(profile)
        impairments = Impairments(profile, random: &random)
        queueRandom = random.fork()
        backlog = Backlog(limit: profile.queue)
        makeQueue()
    }

    /// When to call `next(at:)`; nil while nothing is inside.
    ///
    /// It may be an instant that has passed already: then at once.
    public var nextDue: Instant? { due == .never ? nil : due }

    /// The token of the packet that is likely to arrive next, for a host that makes ready for it.
    public var upcoming: UInt32? { travelling.first?.packet.token }

    /// How many packets are inside: waiting, being sent, on the way, or dropped and not yet reported.
    public var packetsInside: Int {
        travelling.count + leaving.count + fallen.count + (activeQueue?.count ?? 0)
    }

    /// Offers a packet to the link.
    public mutating func offer(_ packet: QueuedPacket, at now: Instant) -> Offer {
        counters.offered &+= 1
        counters.offeredBytes &+= UInt64(packet.byteCount)
        sequence &+= 1
        guard isUp else { return refuse(.linkDown) }
        guard activeQueue == nil else { return offerToActiveQueue(packet, at: now) }
        let start = transmitter.nextStart(ready: now)
        if start > now, !backlog.admits(packet, until: start, at: now) { return refuse(.queueFull) }
        let departure = transmitter.send(byteCount: packet.byteCount)
        launch(Flight(packet: packet, sequence: sequence, start: start, departure: departure, due: departure))
        return .accepted
    }

    /// What is due by `now`, one packet a call; nil when nothing more is.
    public mutating func next(at now: Instant) -> Outcome? {
        guard due <= now else { return nil }
        if decision <= now { serve(until: now) }
        if let gone = fallen.popFirst() {
            refreshDue()
            counters.count(gone.cause)
            return .dropped(token: gone.token, gone.cause)
        }
        guard due <= now else { return nil }
        if let first = leaving.first, first.due == due { return takeLeaving(first) }
        guard let first = travelling.first else { return nil }
        if first.fate.contains(.duplicated) {
            travelling[0].fate.remove(.duplicated)
            return copy(first)
        }
        _ = travelling.popFirst()
        return deliver(first)
    }

    /// Puts a packet whose transmission is booked on its way.
    @inline(__always)
    mutating func launch(_ flight: consuming Flight) {
        if impairments.isFateful {
            impairments.decide(&flight)
            guard flight.fate.isDisjoint(with: .leavesAtOnce) else {
                flight.due = flight.departure
                due = min(due, flight.due)
                leaving.append(flight)
                return
            }
        }
        lastArrival = max(lastArrival, flight.departure + impairments.latency())
        flight.due = lastArrival
        due = min(due, lastArrival)
        travelling.append(flight)
    }

    mutating func refuse(_ cause: DropCause) -> Offer {
        counters.count(cause)
        return .dropped(cause)
    }

    @inline(__always)
    mutating func refreshDue() {
        due = min(travelling.first?.due ?? .never, decision)
        if let first = leaving.first { due = min(due, first.due) }
        if !fallen.isEmpty { due = min(due, fallenSince) }
    }

    @inline(never)
    private mutating func takeLeaving(_ first: Flight) -> Outcome {
        if first.fate.contains(.lost) {
            _ = leaving.popFirst()
            refreshDue()
            counters.count(.loss)
            return .dropped(token: first.packet.token, .loss)
        }
        if first.fate.contains(.duplicated) {
            leaving[0].fate.remove(.duplicated)
            return copy(first)
        }
        _ = leaving.popFirst()
        counters.reordered &+= 1
        return deliver(first)
    }

    private mutating func copy(_ flight: Flight) -> Outcome {
        counters.duplicated &+= 1
        counters.delivered &+= 1
        counters.deliveredBytes &+= UInt64(flight.packet.byteCount)
        return .duplicated(token: flight.packet.token)
    }

    @inline(__always)
    private mutating func deliver(_ flight: Flight) -> Outcome {
        refreshDue()
        counters.delivered &+= 1
        counters.deliveredBytes &+= UInt64(flight.packet.byteCount)
        guard flight.fate.contains(.damaged) else {
            return .delivered(token: flight.packet.token, damagedBit: nil)
        }
        counters.damaged &+= 1
        return .delivered(token: flight.packet.token, damagedBit: flight.damagedBit)
    }
}

import Basics
import Wire

/// When this end probes, what its probes say of the other end's, and the round trip that comes of it.
struct Prober: Sendable {
    /// Whether a probe's session is the one known.
    enum Session: Equatable {
        case first
        case known
        case restarted
        /// The one before, overtaken by its successor.
        case ended
    }

    let sessionID: UInt32
    private let interval: Interval
    private(set) var nextProbeAt: Instant
    private var sequence: UInt32 = 0
    private var peerSessionID: UInt32?
    private var formerPeerSessionID: UInt32?
    private var lastProbe: (timestamp: UInt64, receivedAt: Instant)?
    private var lastEchoTimestamp: UInt64?
    private var roundTrips: InlineArray<3, Int64> = InlineArray(repeating: 0)
    private var roundTripCount = 0
    private var shortestRoundTrips: SlidingMinimum

    /// A longer round trip is an error of a clock.
    private static let roundTripLimit = Interval.seconds(120)

    init(interval: Interval, random: inout SeededRandom, at now: Instant) {
        self.interval = interval
        sessionID = UInt32(truncatingIfNeeded: random.next())
        nextProbeAt = now + Interval(nanoseconds: Int64(random.below(UInt64(interval.nanoseconds))))
        shortestRoundTrips = SlidingMinimum(at: now)
    }

    /// The mean of the last three round trips.
    var roundTrip: Interval? {
        guard roundTripCount > 0 else { return nil }
        let used = min(roundTripCount, roundTrips.count)
        var sum: Int64 = 0
        for index in 0..<used { sum &+= roundTrips[index] }
        return Interval(nanoseconds: sum / Int64(used))
    }

    /// The shortest round trip of the last minute, in nanoseconds.
    var shortestRoundTrip: Int64? { shortestRoundTrips.value }

    /// The probe that is due now, or one before its time.
    ///
    /// The next one stays on the grid, and what was missed is not made up for. After a probe before its time a new
    /// grid begins, a little wider at first, so that one that is sent again and again stands for all on the grid.
    mutating func makeProbe(at now: Instant, report: PathReport) -> ProbePayload {
        let late = now - nextProbeAt
        if late < .zero {
            nextProbeAt = now + interval + interval / 4
        } else {
            nextProbeAt += interval * (late.nanoseconds / interval.nanoseconds + 1)
        }
        shortestRoundTrips.slide(at: now)
        sequence &+= 1
        var echo: ProbePayload.Echo?
        if let lastProbe, let peerSessionID {
            echo = ProbePayload.Echo(
                sessionID: peerSessionID, timestamp: lastProbe.timestamp, hold: now - lastProbe.receivedAt)
        }
        return ProbePayload(
            sessionID: sessionID, sequence: sequence, timestamp: now.nanoseconds, echo: echo, report: report)
    }

    /// Compares a probe's session with the one known, and changes over to a new one.
    mutating func join(_ session: UInt32) -> Session {
        if session == peerSessionID { return .known }
        if session == formerPeerSessionID { return .ended }
        let isFirst = peerSessionID == nil
        formerPeerSessionID = peerSessionID
        peerSessionID = session
        lastProbe = nil
        return isFirst ? .first : .restarted
    }

    /// Takes what an accepted probe says; the report in it, where it answers one of this end's probes.
    mutating func receive(_ probe: ProbePayload, at now: Instant) -> PathReport? {
        lastProbe = (probe.timestamp, now)
        guard let echo = probe.echo, echo.sessionID == sessionID else { return nil }
        measure(echo, at: now)
        return probe.report
    }

    private mutating func measure(_ echo: ProbePayload.Echo, at now: Instant) {
        // The same probe echoed again says nothing new of the way there.
        guard echo.timestamp != lastEchoTimestamp, echo.timestamp <= now.nanoseconds else { return }
        let away = now - Instant(nanoseconds: echo.timestamp)
        guard echo.hold >= .zero, away >= echo.hold, away - echo.hold <= Self.roundTripLimit else { return }
        lastEchoTimestamp = echo.timestamp
        let roundTrip = (away - echo.hold).nanoseconds
        roundTrips[roundTripCount % roundTrips.count] = roundTrip
        roundTripCount += 1
        shortestRoundTrips.record(roundTrip)
    }

    /// Forgets the round trips of before a silence.
    mutating func forgetRecent() {
        roundTripCount = 0
    }
}

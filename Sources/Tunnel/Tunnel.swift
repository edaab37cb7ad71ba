// One tunnel: an encapsulated path between two WAN ports of two nodes, without its sockets.
//
// Out: `seal` puts a GENEVE header (RFC 8926) with a path option before an inner IP packet;
// the caller sends the result from the WAN port. `wake` does the same with a probe, when one
// is due. In: the caller finds the tunnel by `peek`, hands the datagram to `open`, and gets
// the place of the inner packet, or the cause why there is none.
//
// Every packet carries a sequence number and the sender's clock, so that each arrival
// measures the path: loss from the gaps, latency and jitter from the timestamps. Probes keep
// that going on an idle path, and carry back what the other end measured, so that both know
// both directions. docs/wire-format.md has the octets.

public import Basics
public import Telemetry
import Wire

/// What a datagram held.
public enum Opened: Equatable, Sendable {
    /// An inner IP packet: its bytes within the datagram.
    case packet(Range<Int>)
    /// A probe, which the tunnel has taken, and the bytes of what came with it.
    case probe(attachment: Range<Int>?)
    case refused(DropCause)
}

/// One end of a tunnel: encapsulation, sequence accounting, probing, and the path's sample.
public struct Tunnel: Sendable {
    /// What both ends were told.
    public let configuration: TunnelConfiguration
    private var sequence: UInt32
    private var isSilenceNoted = true
    /// What passed since the tunnel was made.
    public private(set) var counters = TunnelCounters()
    /// What the path was like at the last probe or at the onset of silence.
    ///
    /// Latency is negative, and round trip 0, until one is known. A silent tunnel's loss is 1;
    /// what was lost while it was silent is not counted once it is heard again.
    public private(set) var sample = PathSample(latency: Interval(nanoseconds: -1))
    /// When the last packet or probe was accepted; nil before the first.
    public private(set) var lastReceivedAt: Instant?
    /// From when the tunnel is silent unless something arrives before.
    public private(set) var silentAt: Instant
    /// When ``wake(at:into:)`` is due: the next probe, or the onset of silence.
    ///
    /// It is kept and not computed, as are the sample and the report: a getter would be handed a copy of everything.
    public private(set) var nextDeadline: Instant
    /// What the other end last said it receives of what this end sends.
    public private(set) var peerReport: PathReport?

    private let detectionTime: Interval
    private var transits: TransitMeter
    private var prober: Prober
    private var arrivals = SequenceWindow()
    private var losses: LossWindow
    /// When the data plane last had a packet of the other end's.
    private var lastCarriedAt: Instant
    private let pinned = Pinned()

    /// How many of its first octets a packet or a probe may need.
    public static let busyByteCount = 768

    /// Before an inner packet sent over IPv4: outer IPv4, UDP, GENEVE and path option.
    public static let overheadOverIPv4 = IPv4Header.minimumByteCount + UDPHeader.byteCount + TunnelHeader.byteCount
    /// Before an inner packet sent over IPv6.
    public static let overheadOverIPv6 = IPv6Header.minimumByteCount + UDPHeader.byteCount + TunnelHeader.byteCount

    /// A tunnel that is silent until the other end is heard.
    ///
    /// The start's instant goes into the session's identifier, so that a node that restarts
    /// with the same stream is still told from its former self.
    public init(_ configuration: TunnelConfiguration, random: SeededRandom, at now: Instant) {
        var stream = random
        var random = SeededRandom(seed: stream.next() ^ now.nanoseconds)
        self.configuration = configuration
        detectionTime = configuration.detectionTime
        sequence = UInt32(truncatingIfNeeded: random.next())
        losses = LossWindow(configuration, at: now)
        lastCarriedAt = now
        transits = TransitMeter(clocksShared: configuration.clocksShared, at: now)
        prober = Prober(interval: configuration.probeInterval, random: &random, at: now)
        silentAt = now
        nextDeadline = prober.nextProbeAt
    }

    /// The number of the tunnel that a datagram belongs to, by its header alone; nil where there is none.
    @inlinable
    public static func peek(_ datagram: RawSpan) -> UInt32? {
        guard datagram.byteCount >= TunnelHeader.byteCount else { return nil }
        let bits = UInt64(bigEndian: datagram.unsafeLoadUnaligned(fromUncheckedByteOffset: 0, as: UInt64.self))
        return bits >> 62 == 0 ? UInt32(truncatingIfNeeded: bits >> 8) & 0xFF_FFFF : nil
    }

    /// Whether anything has arrived within the detection time.
    @inlinable
    public func isAlive(at now: Instant) -> Bool { now < silentAt }

    /// Appends the UDP payload that carries `innerPacket`.
    ///
    /// What is neither IPv4 nor IPv6 is sent too; the other end refuses it.
    public mutating func seal(
        innerPacket: RawSpan, flags: PathFlags = [], at now: Instant, into arena: inout ByteArena
    ) -> ByteRange {
        let start = arena.count
        let protocolType = Self.version(of: innerPacket, at: 0) == 6 ? EtherType.ipv6 : EtherType.ipv4
        let header = nextHeader(protocolType, isControl: false, flags: flags, at: now)
        header.append(to: &arena, payloadByteCount: innerPacket.byteCount)
        arena.append(innerPacket)
        counters.packetsSent &+= 1
        counters.bytesSent &+= UInt64(truncatingIfNeeded: arena.count &- start)
        return ByteRange(start: start, count: arena.count &- start)
    }

    /// Takes a datagram that ``peek(_:)`` says is this tunnel's.
    public mutating func open(_ datagram: RawSpan, at now: Instant) -> Opened {
        let header: TunnelHeader
        do throws(WireError) {
            header = try TunnelHeader(parsing: datagram)
        } catch {
            return refuse(Self.cause(of: error))
        }
        guard header.geneve.tunnelNumber == configuration.number else { return refuse(.notForUs) }
        if header.geneve.isControl { return openProbe(datagram, header, at: now) }
        let start = header.payloadOffset
        switch (header.geneve.protocolType, Self.version(of: datagram, at: start)) {
        case (EtherType.ipv4, 4), (EtherType.ipv6, 6): break
        case (EtherType.ipv4, _), (EtherType.ipv6, _): return refuse(.malformed)
        default: return refuse(.badTunnelHeader)
        }
        // The data plane's series is accounted in the data plane; what gets here came before it knew the tunnel.
        if !header.path.flags.contains(.fastPath) {
            guard accept(header.path.sequence, at: now) else { return .refused(.duplicate) }
            transits.record(timestamp: header.path.timestamp, at: now)
        }
        counters.packetsReceived &+= 1
        counters.bytesReceived &+= UInt64(truncatingIfNeeded: datagram.byteCount)
        return .packet(start..<datagram.byteCount)
    }

    /// Counts packets of the other end's that a data plane has taken out of the tunnel's way, or missed.
    ///
    /// While the tunnel is silent they are not counted: an outage is told as silence. Nor are those that are missed
    /// before the first of them after a pause as long as the window: a burst's lost end is noticed only then, and says
    /// nothing of the path as it is now.
    public mutating func count(carried received: UInt32, of expected: UInt32, at now: Instant) {
        guard isAlive(at: now) else { return }
        let isResumed = now - lastCarriedAt > configuration.window
        if received > 0 { lastCarriedAt = now }
        losses.countCarried(expected: isResumed ? min(expected, received) : expected, received: received)
    }

    /// Has what lies apart fetched that a probe is made of.
    public mutating func prepareProbe() { losses.prepare() }

    /// Does what is due: takes a new sample, and appends a probe's UDP payload when its time has come.
    public mutating func wake(at now: Instant, into arena: inout ByteArena) -> ByteRange? {
        defer { nextDeadline = isSilenceNoted ? prober.nextProbeAt : min(prober.nextProbeAt, silentAt) }
        if now >= silentAt, !isSilenceNoted {
            isSilenceNoted = true
            takeSample(report(at: now))
        }
        guard now >= prober.nextProbeAt else { return nil }
        return appendProbe(attachment: nil, at: now, into: &arena)
    }

    /// Appends the UDP payload of a probe that carries octets of somebody else's; it stands for the one due next.
    public mutating func probe(carrying attachment: RawSpan, at now: Instant, into arena: inout ByteArena) -> ByteRange
    {
        let range = appendProbe(attachment: attachment, at: now, into: &arena)
        nextDeadline = isSilenceNoted ? prober.nextProbeAt : min(prober.nextProbeAt, silentAt)
        return range
    }

    private mutating func appendProbe(
        attachment: RawSpan?, at now: Instant, into arena: inout ByteArena
    ) -> ByteRange {
        let report = report(at: now)
        takeSample(report)
        losses.rotate(at: now, nextSequence: arrivals.highest &+ 1)
        transits.rotate(at: now)
        let start = arena.count
        let probe = prober.makeProbe(at: now, report: report)
        let header = nextHeader(EtherType.localExperimental, isControl: true, flags: [], at: now)
        header.append(to: &arena, payloadByteCount: ProbePayload.byteCount + (attachment?.byteCount ?? 0))
        probe.append(to: &arena, attachment: attachment)
        counters.probesSent &+= 1
        counters.bytesSent &+= UInt64(truncatingIfNeeded: arena.count &- start)
        return ByteRange(start: start, count: arena.count &- start)
    }
}

extension Tunnel {
    @inline(__always)
    private mutating func nextHeader(
        _ protocolType: UInt16, isControl: Bool, flags: PathFlags, at now: Instant
    ) -> TunnelHeader {
        sequence &+= 1
        let timestamp = UInt32(truncatingIfNeeded: now.nanoseconds / 1_000)
        return TunnelHeader(
            tunnelNumber: configuration.number, protocolType: protocolType, isControl: isControl,
            path: PathOption(sequence: sequence, timestamp: timestamp, flags: flags))
    }

    @inline(never)
    private mutating func openProbe(_ datagram: RawSpan, _ header: TunnelHeader, at now: Instant) -> Opened {
        guard header.geneve.protocolType == EtherType.localExperimental else { return refuse(.badTunnelHeader) }
        let probe: ProbePayload
        do throws(WireError) {
            probe = try ProbePayload(parsing: datagram.extracting(header.payloadOffset..<datagram.byteCount))
        } catch {
            return refuse(Self.cause(of: error))
        }
        switch prober.join(probe.sessionID) {
        case .known: break
        case .first: peerReport = nil
        case .restarted:
            peerReport = nil
            counters.restarts &+= 1
            arrivals.restart()
            transits.restart(at: now)
        case .ended:
            counters.tooLate &+= 1
            return .refused(.duplicate)
        }
        guard accept(header.path.sequence, at: now) else { return .refused(.duplicate) }
        transits.record(probeTimestamp: probe.timestamp, at: now)
        if let report = prober.receive(probe, at: now) { peerReport = report }
        counters.probesReceived &+= 1
        counters.bytesReceived &+= UInt64(truncatingIfNeeded: datagram.byteCount)
        guard let byteCount = probe.attachmentByteCount else { return .probe(attachment: nil) }
        return .probe(attachment: datagram.byteCount - byteCount..<datagram.byteCount)
    }

    /// Counts an arrival; false where it is a duplicate, or too late to tell.
    @inline(__always)
    private mutating func accept(_ sequence: UInt32, at now: Instant) -> Bool {
        let arrival = arrivals.record(sequence)
        if case .newest(skipped: 0) = arrival, now < silentAt {
            losses.countNewest()
        } else if !acceptUnusual(arrival, sequence, at: now) {
            return false
        }
        lastReceivedAt = now
        // No probe is further away than the new onset of silence.
        if nextDeadline == silentAt { nextDeadline = prober.nextProbeAt }
        silentAt = now + detectionTime
        return true
    }

    @inline(never)
    private mutating func acceptUnusual(
        _ arrival: SequenceWindow.Arrival, _ sequence: UInt32, at now: Instant
    ) -> Bool {
        switch arrival {
        case .duplicate:
            counters.duplicates &+= 1
            return false
        case .tooLate:
            counters.tooLate &+= 1
            return false
        case .newest(let skipped):
            counters.lost &+= UInt64(skipped)
            if isAlive(at: now) { losses.countNewest() }
        case .late:
            counters.reordered &+= 1
            counters.lost &-= 1
            losses.countLate(sequence)
        case .beforeFirst:
            counters.reordered &+= 1
        case .unrelated: break
        case .first:
            losses.restart(with: sequence, at: now)
        }
        if !isAlive(at: now) { endSilence(at: now) }
        return true
    }

    /// An outage is over: it has been told as silence, and is not told again as loss.
    private mutating func endSilence(at now: Instant) {
        isSilenceNoted = false
        losses.restart(with: arrivals.highest, at: now)
        transits.forgetRecent()
        prober.forgetRecent()
    }

    private mutating func refuse(_ cause: DropCause) -> Opened {
        counters.refused &+= 1
        return .refused(cause)
    }

    private mutating func report(at now: Instant) -> PathReport {
        var report = PathReport(
            highestSequence: arrivals.highest, jitter: transits.jitter,
            latency: transits.latency(shortestRoundTrip: prober.shortestRoundTrip))
        if isAlive(at: now) {
            (report.expected, report.received) = losses.counts(at: now, nextSequence: arrivals.highest &+ 1)
        } else {
            report.expected = UInt32(truncatingIfNeeded: configuration.detectMultiplier)
        }
        return report
    }

    private mutating func takeSample(_ report: PathReport) {
        sample = PathSample(
            latency: report.latency ?? Interval(nanoseconds: -1), roundTrip: prober.roundTrip ?? .zero,
            jitter: report.jitter, lossReceived: report.loss, lossSent: peerReport?.loss ?? .zero)
    }

    /// The IP version in the first half of an octet; 0 where there is none.
    @inline(__always)
    private static func version(of bytes: RawSpan, at offset: Int) -> UInt8 {
        guard offset < bytes.byteCount else { return 0 }
        return bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: UInt8.self) >> 4
    }

    private static func cause(of error: WireError) -> DropCause {
        switch error {
        case .truncated, .badLength: .malformed
        case .badChecksum: .badChecksum
        case .unsupported: .badTunnelHeader
        }
    }
}

import Basics
import Steering
import Telemetry
import Wire

/// A node's steering with two or more paths to site 1, driven by a script.
struct Driven {
    static let voice = Steering.SLAClass(
        name: "voice", latency: .milliseconds(150), jitter: .milliseconds(30), loss: Ratio(0.01))
    static let voicePolicy = Steering.Policy(
        name: "voice-first", match: Steering.Match(application: .voip), slaClass: voice, prefer: ["wan-a"],
        priority: 200)
    static let good = PathSample(latency: .milliseconds(20), roundTrip: .milliseconds(40), jitter: .milliseconds(1))
    static let brownout = PathSample(
        latency: .milliseconds(140), roundTrip: .milliseconds(280), jitter: .milliseconds(5), lossSent: Ratio(0.08))
    static let step = Interval.milliseconds(200)
    static let call = packet(port: 16_400)

    var steering: Steering
    var now = Instant.zero
    var records: [(at: Instant, record: TelemetryRecord)] = []

    init(_ configuration: Steering.Configuration = Steering.Configuration(policies: [voicePolicy])) {
        steering = Steering(configuration)
        for (index, port) in ["wan-a", "wan-b"].enumerated() {
            steering.addPath(
                Steering.PathCandidate(tunnel: TunnelID(UInt32(index)), site: 1, localPort: port, remotePort: port))
        }
    }

    static func packet(port: UInt16, dscp: UInt8 = 0, host: UInt8 = 1) -> PacketHead {
        PacketHead(
            flow: FiveTuple(
                protocolNumber: ProtocolNumber.udp, from: SocketAddress(.v4(IPv4Address(10, 2, 0, host)), port: port),
                to: SocketAddress(.v4(IPv4Address(10, 1, 0, 1)), port: port)),
            dscp: dscp)
    }

    mutating func update(_ tunnel: UInt32, isUp: Bool = true, _ sample: PathSample? = nil) {
        keep { $0.update(TunnelID(tunnel), isUp: isUp, sample: sample, at: $1, into: &$2) }
    }

    @discardableResult
    mutating func select(_ packet: PacketHead = call, site: UInt32 = 1) -> UInt32? {
        keep { $0.select(packet, site: site, at: $1, into: &$2) }?.rawValue
    }

    /// Goes on in steps, giving each path its sample, waking at deadlines and sending one packet a step.
    mutating func run(for interval: Interval, _ samples: [(tunnel: UInt32, sample: PathSample)]) {
        let end = now + interval
        while now < end {
            for (tunnel, sample) in samples { update(tunnel, sample) }
            select()
            let next = now + Self.step
            while let deadline = steering.nextDeadline, deadline <= next {
                now = max(now, deadline)
                keep { $0.wake(at: $1, into: &$2) }
                select()
            }
            now = next
        }
    }

    @discardableResult
    private mutating func keep<T>(
        _ body: (inout Steering, Instant, inout ContiguousArray<TelemetryRecord>) -> T
    ) -> T {
        var changes: ContiguousArray<TelemetryRecord> = []
        let result = body(&steering, now, &changes)
        for record in changes { records.append((now, record)) }
        return result
    }

    /// Moves of flows that had a path, as `seconds from>to cause`.
    var moves: [String] {
        records.compactMap { entry in
            guard case .pathChange(_, let from?, let to, let cause) = entry.record else { return nil }
            let target = to.map { "\($0.rawValue)" } ?? "-"
            return "\(entry.at.nanoseconds / 1_000_000)ms \(from.rawValue)>\(target) \(cause)"
        }
    }

    /// What was said about tunnels, as `milliseconds tunnel state cause`.
    var verdicts: [String] {
        records.compactMap { entry in
            guard case .tunnelState(let tunnel, let state, let cause) = entry.record else { return nil }
            return "\(entry.at.nanoseconds / 1_000_000)ms \(tunnel.rawValue) \(state) \(cause)"
        }
    }
}

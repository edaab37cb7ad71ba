import BFD
import Basics

func octets(of packet: ControlPacket) -> [UInt8] {
    var arena = ByteArena(capacity: 64)
    packet.append(to: &arena)
    let span = arena.bytes(ByteRange(start: 0, count: arena.count))
    return (0..<span.byteCount).map { span.unsafeLoadUnaligned(fromByteOffset: $0, as: UInt8.self) }
}

func parsed(_ bytes: [UInt8]) -> Result<ControlPacket, ControlPacketError> {
    Result { () throws(ControlPacketError) in try ControlPacket(parsing: bytes.span.bytes) }
}

/// A session with a peer that the test plays by hand.
struct Played {
    static let local: UInt32 = 10
    static let peer: UInt32 = 20

    var session: Session
    var now = Instant.zero

    init(_ configuration: Session.Configuration = Session.Configuration(localDiscriminator: local)) {
        session = Session(configuration, random: SeededRandom(seed: 7), at: .zero)
    }

    /// A packet of the peer as it would be in `state`.
    static func packet(
        _ state: Session.State, desiredMinTx: Interval = .milliseconds(100),
        requiredMinRx: Interval = .milliseconds(100), detectMultiplier: UInt8 = 3, poll: Bool = false,
        final: Bool = false
    ) -> ControlPacket {
        let isKnown = state == .initializing || state == .up
        var packet = ControlPacket(
            state: state, detectMultiplier: detectMultiplier, discriminators: (peer, isKnown ? local : 0),
            desiredMinTx: desiredMinTx, requiredMinRx: requiredMinRx)
        packet.isPoll = poll
        packet.isFinal = final
        return packet
    }

    @discardableResult
    mutating func hears(_ packet: ControlPacket) -> [Output] { Array(session.receive(packet, at: now)) }

    /// Brings the session where the test wants it; an up session has its first Poll answered.
    mutating func reach(_ state: Session.State, answeringPoll: Bool = true) {
        switch state {
        case .adminDown: _ = session.administratively(down: true, at: now)
        case .down: break
        case .initializing: hears(Self.packet(.down))
        case .up:
            hears(Self.packet(.down))
            hears(Self.packet(.up, final: answeringPoll))
            if answeringPoll { hears(Self.packet(.up, final: true)) }
        }
    }

    /// Wakes the session at each deadline up to `end` and returns what it did, and when.
    mutating func run(until end: Instant) -> [(at: Instant, output: Output)] {
        var happened: [(at: Instant, output: Output)] = []
        while let deadline = session.nextDeadline, deadline <= end {
            now = max(now, deadline)
            for output in session.wake(at: now) { happened.append((now, output)) }
        }
        now = end
        return happened
    }
}

extension Output {
    var packet: ControlPacket? {
        guard case .send(let packet) = self else { return nil }
        return packet
    }

    var newState: Session.State? {
        guard case .stateChanged(let state, _) = self else { return nil }
        return state
    }
}

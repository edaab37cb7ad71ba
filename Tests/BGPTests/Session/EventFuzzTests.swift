import BGP
import Basics
import TestKit
import Testing
import Wire

/// A session to which anything may happen in any order, and what must hold whatever does.
private struct Mayhem: ~Copyable {
    private(set) var speaker: Speaker
    private var outbox = SpeakerOutbox()
    private var now = Instant.zero
    private var open: [UInt32] = []
    private var isCalling = false
    private var nextConnection: UInt32 = 1
    private(set) var faults: [String] = []

    init(_ random: inout SeededRandom) {
        var peer = PeerConfiguration(address: "192.0.2.2", autonomousSystem: 65002, localAddress: "192.0.2.1")
        peer.families = [.ipv4Unicast, .ipv6Unicast]
        peer.isPassive = random.below(4) == 0
        peer.session = Self.settings(&random)
        var configuration = SpeakerConfiguration(
            autonomousSystem: 65001, routerID: IPv4Address(10, 0, 0, 1), peers: [peer], networks: ["10.1.0.0/16"])
        configuration.connectRetry = .seconds(20)
        configuration.selectionDeferral = .seconds(30)
        speaker = Speaker(configuration, random: random.fork())
        speaker.start(isRestarting: random.below(4) == 0, at: now, into: &outbox)
        collect()
    }

    private static func settings(_ random: inout SeededRandom) -> SessionConfiguration {
        var session = SessionConfiguration()
        if random.below(3) == 0 { session.delayOpen = .seconds(5) }
        session.followsBFD = random.below(2) == 0
        session.awaitsBFD = random.below(5) == 0
        session.sendHoldTime = .seconds(20)
        session.notifiesWithoutOpen = random.below(2) == 0
        session.capabilities.enhancedRouteRefresh = random.below(2) == 0
        session.capabilities.extendedMessages = random.below(2) == 0
        if random.below(2) == 0 {
            var restart = GracefulRestartConfiguration()
            restart.stalePathTime = .seconds(20)
            restart.longLivedStaleTime = random.below(2) == 0 ? .seconds(30) : nil
            session.gracefulRestart = restart
        }
        if random.below(3) == 0 {
            session.prefixLimit = PrefixLimit(maximum: 3, response: .restart(after: .seconds(10)))
        }
        return session
    }

    private static func open(_ random: inout SeededRandom) -> [UInt8] {
        let families = [AddressFamily.ipv4Unicast, .ipv6Unicast].map {
            GracefulRestartOffer.Family(FamilyIdentifiers($0), isForwardingKept: random.below(4) != 0)
        }
        var capabilities: [Capability] = [
            .multiprotocol(.ipv4Unicast), .multiprotocol(.ipv6Unicast), .routeRefresh, .fourOctetAS(65002),
        ]
        if random.below(2) == 0 { capabilities += [.enhancedRouteRefresh, .extendedMessages] }
        if random.below(2) == 0 {
            capabilities.append(
                .gracefulRestart(
                    GracefulRestartOffer(
                        isRestarting: random.below(2) == 0, coversNotifications: random.below(2) == 0,
                        restartTime: UInt16(random.below(20)), families: families)))
            capabilities.append(
                .longLivedGracefulRestart(
                    families.map { LongLivedOffer($0.family, isForwardingKept: true, staleTime: 9) }))
        }
        let identifier = IPv4Address(10, 0, 0, random.below(2) == 0 ? 2 : 1)
        return Bench.open(holdTime: random.below(8) == 0 ? 0 : 9, identifier: identifier, capabilities: capabilities)
    }

    private static func octets(_ random: inout SeededRandom) -> [UInt8] {
        let prefixes = (0..<1 + random.below(3)).map { _ in
            IPPrefix(.v4(IPv4Address(198, 51, UInt8(random.below(4)), 0)), length: 24)
        }
        switch random.below(12) {
        case 0...2: return open(&random) + (random.below(2) == 0 ? keepalive : [])
        case 3...4: return keepalive
        case 5...6: return announcement(prefixes)
        case 7: return withdrawal(prefixes)
        case 8: return message(5, [0, UInt8(1 + random.below(2)), UInt8(random.below(4)), 1])
        case 9: return encoded { UpdateEncoder(isFourOctet: true).endOfRIB(.ipv4Unicast, to: &$0) }
        case 10: return message(3, random.below(2) == 0 ? [6, UInt8(1 + random.below(10))] : [2, 7, 64, 0])
        default: return message(UInt8(random.below(7)), (0..<random.below(12)).map { _ in UInt8(random.below(256)) })
        }
    }

    mutating func happen(_ random: inout SeededRandom) {
        switch random.below(14) {
        case 0...5:
            guard let connection = pick(&random) else { return }
            let octets = Self.octets(&random)
            act { $0.received(octets.span.bytes, on: ConnectionID(connection), at: $1, into: &$2) }
        case 6: connect(isIncoming: true)
        case 7 where isCalling: connect(isIncoming: false)
        case 8 where isCalling:
            isCalling = false
            act { $0.connectFailed(peer: 0, at: $1, into: &$2) }
        case 9:
            guard let connection = pick(&random) else { return }
            open.removeAll { $0 == connection }
            act { $0.closed(ConnectionID(connection), at: $1, into: &$2) }
        case 10:
            let (isUp, isIndependent) = (random.below(2) == 0, random.below(2) == 0)
            act { $0.forwardingChanged(peer: 0, isUp: isUp, isIndependent: isIndependent, at: $1, into: &$2) }
        case 11:
            guard let connection = pick(&random) else { return }
            let isBlocked = random.below(2) == 0
            act { $0.sendingBlocked(ConnectionID(connection), isBlocked, at: $1, into: &$2) }
        case 12:
            switch random.below(5) {
            case 0: act { $0.reset(peer: 0, text: "again", at: $1, into: &$2) }
            case 1: act { $0.shutDown(peer: 0, text: "enough", at: $1, into: &$2) }
            case 2: act { $0.start(peer: 0, at: $1, into: &$2) }
            case 3: act { $0.drain(peer: 0, at: $1, into: &$2) }
            default: act { $0.requestRefresh(peer: 0, .ipv4Unicast, at: $1, into: &$2) }
            }
        default: wait(.milliseconds(Int64(random.below(15_000))))
        }
    }

    /// Everything is well from here on: the session must come up and know what it is told, and nothing else.
    mutating func recover() {
        for connection in open { act { $0.closed(ConnectionID(connection), at: $1, into: &$2) } }
        open = []
        act { $0.forwardingChanged(peer: 0, isUp: true, at: $1, into: &$2) }
        act { $0.shutDown(peer: 0, at: $1, into: &$2) }
        act { $0.start(peer: 0, at: $1, into: &$2) }
        wait(.seconds(1))
        connect(isIncoming: !isCalling)
        let connection = nextConnection - 1
        let octets = Bench.open() + keepalive + announcement(["203.0.113.0/24"])
        act { $0.received(octets.span.bytes, on: ConnectionID(connection), at: $1, into: &$2) }
        wait(.seconds(60))
    }

    private func pick(_ random: inout SeededRandom) -> UInt32? {
        open.isEmpty ? nil : open[Int(random.below(UInt64(open.count)))]
    }

    private mutating func connect(isIncoming: Bool) {
        if !isIncoming { isCalling = false }
        let connection = nextConnection
        nextConnection += 1
        open.append(connection)
        act { $0.connected(peer: 0, connection: ConnectionID(connection), isIncoming: isIncoming, at: $1, into: &$2) }
    }

    private mutating func wait(_ interval: Interval) {
        let end = now + interval
        var wakes = 0
        while let deadline = speaker.nextDeadline, deadline <= end {
            now = max(now, deadline)
            wakes += 1
            if wakes > 10_000 { return faults.append("timers that never rest") }
            act { $0.wake(at: $1, into: &$2) }
        }
        now = end
    }

    private mutating func act(_ body: (inout Speaker, Instant, inout SpeakerOutbox) -> Void) {
        body(&speaker, now, &outbox)
        collect()
    }

    private mutating func collect() {
        for action in outbox.actions {
            switch action {
            case .write(let id, _):
                if !open.contains(id.rawValue) { faults.append("written on a closed connection") }
            case .close(let id), .abort(let id):
                if !open.contains(id.rawValue) { faults.append("closed twice") }
                open.removeAll { $0 == id.rawValue }
            case .connect:
                if isCalling { faults.append("two attempts at once") }
                isCalling = true
            case .abandonConnect:
                if !isCalling { faults.append("nothing to abandon") }
                isCalling = false
            case .sessionChanged, .install, .withdraw: break
            }
        }
        outbox.removeAll()
        if open.count > 2 { faults.append("three connections") }
        if speaker.state(of: 0) == .established, open.isEmpty { faults.append("a session over nothing") }
    }
}

@Suite struct EventFuzzTests {
    @Test func `whatever happens in whatever order, a session recovers`() {
        forEachSeed(1500) { random in
            var mayhem = Mayhem(&random)
            for _ in 0..<60 { mayhem.happen(&random) }
            mayhem.recover()
            try #require(mayhem.faults.isEmpty)
            try #require(mayhem.speaker.state(of: 0) == .established)
            try #require(mayhem.speaker.bestRoutes.map(\.prefix) == ["10.1.0.0/16", "203.0.113.0/24"])
        }
    }
}

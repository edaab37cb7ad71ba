import Basics
import Foundation
import LinuxHost
import LinuxSystem
import Machine
import Synchronization
import TestKit
import Testing
import Wire

/// What a ``Correspondent`` has seen of its streams.
final class StreamLog: Sendable {
    struct State {
        var openedCount = 0
        var received = 0
        var isIntact = true
        var closures: [StreamClosure] = []
        var offers: [Int] = []
    }

    let state = Mutex(State())

    var closures: [StreamClosure] { state.withLock { $0.closures } }
    var received: Int { state.withLock { $0.received } }
    var offers: [Int] { state.withLock { $0.offers } }
    var isIntact: Bool { state.withLock { $0.isIntact } }
}

/// A machine that opens or accepts streams and writes what it is told; octet *n* of a stream is *n* modulo 251.
struct Correspondent: HostedMachine {
    var listensAt: SocketAddress?
    var connectsTo: SocketAddress?
    /// Written as soon as a stream is open, at once or as there is room.
    var byteCount = 0
    var waitsForRoom = false
    var finishesAfterWriting = false
    var answersFinish = true
    /// What is written when the other end has finished.
    var answerByteCount = 0
    var abortsAfter: Int?
    let log: StreamLog
    private var written = 0

    init(_ log: StreamLog) {
        self.log = log
    }

    var nextDeadline: Deadline? { nil }

    mutating func handle(_ event: borrowing Event, at now: Instant, into outbox: inout Outbox) {
        switch event {
        case .start:
            if let listensAt { outbox.append(.listen(listensAt)) }
            if let connectsTo { outbox.append(.connect(StreamID(1), from: .v4(.any), to: connectsTo)) }
        case .streamOpened(let stream, _, _):
            log.state.withLock { $0.openedCount += 1 }
            write(upTo: waitsForRoom ? 64 * 1_024 : byteCount, to: stream, &outbox)
        case .streamWritable(let stream, let room):
            log.state.withLock { $0.offers.append(room) }
            write(upTo: room, to: stream, &outbox)
        case .streamBytes(let stream, let bytes):
            note(bytes)
            if let abortsAfter, log.received >= abortsAfter { outbox.append(.abort(stream)) }
        case .streamClosed(let stream, let closure):
            log.state.withLock { $0.closures.append(closure) }
            guard closure == .finished, answersFinish else { return }
            byteCount += answerByteCount
            write(upTo: answerByteCount, to: stream, &outbox)
            outbox.append(.finish(stream))
        default:
            break
        }
    }

    private mutating func write(upTo limit: Int, to stream: StreamID, _ outbox: inout Outbox) {
        let count = min(limit, byteCount - written)
        if count > 0 {
            let octets = (written..<written + count).map { UInt8($0 % 251) }
            let range = ByteRange(start: outbox.arena.count, count: count)
            outbox.arena.append(octets.span.bytes)
            outbox.append(.write(stream, range))
            written += count
        }
        if finishesAfterWriting, written == byteCount, count > 0 || byteCount == 0 { outbox.append(.finish(stream)) }
    }

    private func note(_ bytes: RawSpan) {
        log.state.withLock { state in
            bytes.withUnsafeBytes { octets in
                for octet in octets {
                    if octet != UInt8(state.received % 251) { state.isIntact = false }
                    state.received += 1
                }
            }
        }
    }
}

@Suite(.enabled(if: Privileges.suffice, "\(Privileges.reason)"), .serialized)
struct StreamTests {
    private static let address = SocketAddress(.v4(IPv4Address(127, 0, 0, 1)), port: 7_000)

    /// Two correspondents in one namespace.
    private struct Exchange: ~Copyable {
        let namespace: NetworkNamespace
        let caller = StreamLog()
        let callee = StreamLog()

        init() throws {
            let namespace = try NetworkNamespace()
            var routes = try RouteSocket(in: namespace)
            try routes.change { $0.changeLink(.named("lo"), LinkChange(isUp: true)) }
            self.namespace = namespace
        }

        func start(_ correspondent: Correspondent) throws -> RunningMachine<Correspondent> {
            let configuration = HostConfiguration(
                ports: [], clock: .startingNow(), random: SeededRandom(seed: 1, stream: "test"))
            return try RunningMachine(in: namespace, configuration) { correspondent }
        }

        func startCallee(_ change: (inout Correspondent) -> Void = { _ in }) throws -> RunningMachine<Correspondent> {
            var correspondent = Correspondent(callee)
            correspondent.listensAt = address
            change(&correspondent)
            let callee = try start(correspondent)
            // What is asked is answered after the start: by then it listens.
            try #require(callee.ask { _ in true } == true)
            return callee
        }

        func startCaller(
            to remote: SocketAddress = address, _ change: (inout Correspondent) -> Void = { _ in }
        ) throws -> RunningMachine<Correspondent> {
            var correspondent = Correspondent(caller)
            correspondent.connectsTo = remote
            change(&correspondent)
            return try start(correspondent)
        }
    }

    @Test func `where nobody listens a stream is refused`() throws {
        let exchange = try Exchange()
        let caller = try exchange.startCaller()
        defer { caller.stop() }
        let log = exchange.caller
        #expect(eventually { log.closures == [.refused] })
    }

    @Test func `where no way leads a stream is unreachable, at once`() throws {
        let exchange = try Exchange()
        let caller = try exchange.startCaller(to: SocketAddress(.v4(IPv4Address(203, 0, 113, 1)), port: 7_000))
        defer { caller.stop() }
        let log = exchange.caller
        #expect(eventually(within: 1) { log.closures == [.unreachable] })
    }

    @Test func `what one end aborts is reset at the other`() throws {
        let exchange = try Exchange()
        let callee = try exchange.startCallee { $0.abortsAfter = 1_000 }
        let caller = try exchange.startCaller { $0.byteCount = 5_000 }
        defer {
            caller.stop()
            callee.stop()
        }
        let (near, far) = (exchange.caller, exchange.callee)
        #expect(eventually { near.closures == [.reset] })
        #expect(far.closures.isEmpty)
    }

    @Test func `what is written beyond the room waits, arrives whole, and the end behind it`() throws {
        let exchange = try Exchange()
        let callee = try exchange.startCallee()
        let caller = try exchange.startCaller {
            $0.byteCount = 16_000_000
            $0.finishesAfterWriting = true
        }
        defer {
            caller.stop()
            callee.stop()
        }
        let (near, far) = (exchange.caller, exchange.callee)
        #expect(eventually { far.closures == [.finished] && near.closures == [.finished] })
        #expect(far.received == 16_000_000)
        #expect(far.isIntact)
    }

    @Test func `room is offered again and again to one that waits for it`() throws {
        let exchange = try Exchange()
        let callee = try exchange.startCallee()
        let caller = try exchange.startCaller {
            $0.byteCount = 4_000_000
            $0.waitsForRoom = true
            $0.finishesAfterWriting = true
        }
        defer {
            caller.stop()
            callee.stop()
        }
        let (near, far) = (exchange.caller, exchange.callee)
        #expect(eventually { far.closures == [.finished] && near.closures == [.finished] })
        #expect(far.received == 4_000_000)
        #expect(far.isIntact)
        // 64 KiB were there at the start.
        #expect(near.offers.reduce(0, +) >= 4_000_000 - 65_536)
        #expect(near.offers.allSatisfy { $0 >= 2_048 })
    }

    @Test func `an end that has finished still hears the other`() throws {
        let exchange = try Exchange()
        let callee = try exchange.startCallee { $0.answerByteCount = 300_000 }
        let caller = try exchange.startCaller {
            $0.finishesAfterWriting = true
            $0.answersFinish = false
        }
        defer {
            caller.stop()
            callee.stop()
        }
        let (near, far) = (exchange.caller, exchange.callee)
        #expect(eventually { near.closures == [.finished] })
        #expect(near.received == 300_000)
        #expect(near.isIntact)
        #expect(far.closures == [.finished])
        let left = callee.ask { $0.counters.refusedStreams }
        #expect(left == 0)
    }
}

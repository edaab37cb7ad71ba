import Basics
import Endpoints
import Machine
import Testing
import Traffic
import Wire

/// What joins the two hosts of a ``Network``.
struct Pipe {
    var delay: Interval = .milliseconds(30)
    /// Added to the delay of a datagram, at most so much.
    var spread: Interval = .zero
    var loss: Ratio = .zero
    var duplication: Ratio = .zero
    /// Nothing passes in this time: datagrams are lost, streams wait.
    var outage: Range<Instant>?
    /// Octets that a stream takes before the other end has got them.
    var room = 64 * 1024
    /// Of one direction of one stream, in pieces of 1448 octets.
    var rate = BitRate.megabits(20)
}

/// Two end hosts joined by a pipe for datagrams that delays and loses, and by ideal streams of limited room.
struct Network: ~Copyable {
    private enum Happening {
        case datagram([UInt8], from: SocketAddress, to: SocketAddress)
        case opened(StreamID, local: SocketAddress, remote: SocketAddress)
        case bytes(StreamID, [UInt8], from: StreamID)
        /// The other end has got so many octets.
        case acknowledged(StreamID, Int)
        case closed(StreamID, StreamClosure)
    }

    private struct Stream {
        var peer: StreamID
        var room: Int
        var held = 0
        var told = 64 * 1024
        var freeAt: Instant = .zero
    }

    private var left: EndHost
    private var right: EndHost
    private var outbox = Outbox()
    private var queue = EventQueue()
    private var happenings: [(side: Int, what: Happening)] = []
    private var bound: [[SocketAddress]] = [[], []]
    private var listening: [[SocketAddress]] = [[], []]
    private var streams: [[StreamID: Stream]] = [[:], [:]]
    private var nextIncoming: UInt32 = 0x8000_0000
    private var random = SeededRandom(seed: 99)
    var pipe: Pipe
    private(set) var now = Instant.zero
    /// Datagrams given to the pipe, and those that it lost, by the side that sent them.
    private(set) var offered = [0, 0]
    private(set) var lost = [0, 0]
    private(set) var connectCount = 0
    private(set) var overruns = 0
    private(set) var mostHeld = 0
    private(set) var fingerprint = Fingerprint()

    init(_ left: [FlowAssignment], _ right: [FlowAssignment], pipe: Pipe = Pipe(), seed: UInt64 = 1) {
        self.left = EndHost(EndHostConfiguration(name: "left", flows: left), seed: seed)
        self.right = EndHost(EndHostConfiguration(name: "right", flows: right), seed: seed)
        self.pipe = pipe
        // The sinks listen before the sources connect.
        for side in [1, 0] { handle(.start, side) }
    }

    /// Both hosts' reports, merged.
    func reports() -> [FlowReport] {
        FlowReport.merged(left.reports(at: now) + right.reports(at: now))
    }

    /// The deadline of the host on the left.
    var leftDeadline: Instant? { left.nextDeadline?.at }

    mutating func run(until end: Instant) {
        while true {
            let deadlines = [left.nextDeadline?.at ?? .never, right.nextDeadline?.at ?? .never]
            let next = min(queue.earliest() ?? .never, deadlines[0], deadlines[1])
            guard next <= end else { break }
            now = max(now, next)
            if deadlines[0] == next {
                handle(.deadline, 0)
            } else if deadlines[1] == next {
                handle(.deadline, 1)
            } else if let event = queue.popFirst(notAfter: next) {
                let (side, what) = happenings[Int(event.key)]
                happen(what, side)
            }
        }
        now = end
    }

    /// Breaks all streams, as if the kernels had given them up.
    mutating func resetStreams() {
        for side in 0...1 {
            for id in streams[side].keys.sorted(by: { $0.rawValue < $1.rawValue }) {
                streams[side][id] = nil
                handle(.streamClosed(id, .reset), side)
            }
        }
    }

    mutating func send(_ command: Command) {
        handle(.command(command), 0)
        handle(.command(command), 1)
    }

    private mutating func happen(_ what: Happening, _ side: Int) {
        switch what {
        case .datagram(let bytes, let sender, let target):
            guard let socket = bound[side].firstIndex(of: target) else { return }
            handle(.datagram(bytes.span.bytes, socket: SocketID(UInt32(socket)), from: sender), side)
        case .opened(let id, let local, let remote):
            guard streams[side][id] != nil else { return }
            handle(.streamOpened(id, local: local, remote: remote), side)
        case .bytes(let id, let bytes, let sender):
            schedule(now + pipe.delay, 1 - side, .acknowledged(sender, bytes.count))
            guard streams[side][id] != nil else { return }
            handle(.streamBytes(id, bytes.span.bytes), side)
        case .acknowledged(let id, let count):
            guard var stream = streams[side][id] else { return }
            stream.held -= count
            stream.told = stream.room - stream.held
            streams[side][id] = stream
            handle(.streamWritable(id, byteCount: stream.told), side)
        case .closed(let id, let closure):
            guard streams[side][id] != nil else { return }
            if closure != .finished { streams[side][id] = nil }
            handle(.streamClosed(id, closure), side)
        }
    }

    private mutating func handle(_ event: borrowing Event, _ side: Int) {
        if side == 0 {
            left.handle(event, at: now, into: &outbox)
        } else {
            right.handle(event, at: now, into: &outbox)
        }
        let actions = outbox.actions
        var contents: [[UInt8]] = []
        for action in actions { contents.append(octets(of: action)) }
        outbox.removeAll()
        for (action, bytes) in zip(actions, contents) { carryOut(action, bytes, side) }
    }

    private func octets(of action: Action) -> [UInt8] {
        switch action {
        case .send(_, _, let range), .write(_, let range):
            let bytes = outbox.bytes(range)
            return (0..<bytes.byteCount).map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
        default:
            return []
        }
    }

    private mutating func carryOut(_ action: Action, _ bytes: [UInt8], _ side: Int) {
        fingerprint.fold(now.nanoseconds, UInt64(side))
        fingerprint.fold(bytes.span.bytes)
        switch action {
        case .bind(let socket, let local, _):
            #expect(Int(socket.rawValue) == bound[side].count)
            bound[side].append(local)
        case .listen(let local):
            listening[side].append(local)
        case .send(let socket, let target, _):
            send(bytes, from: bound[side][Int(socket.rawValue)], to: target, side)
        case .connect(let id, let local, let target):
            connect(id, from: SocketAddress(local, port: 50_000), to: target, side)
        case .write(let id, _):
            write(bytes, on: id, side)
        case .finish(let id):
            guard let stream = streams[side][id] else { return }
            let at = max(stream.freeAt, now) + pipe.delay
            schedule(at, 1 - side, .closed(stream.peer, .finished))
        case .abort(let id):
            guard let stream = streams[side].removeValue(forKey: id) else { return }
            schedule(now + pipe.delay, 1 - side, .closed(stream.peer, .reset))
        case .deliver, .secure, .protect, .program, .readTunnel, .report:
            Issue.record("an end host does not \(action)")
        }
    }

    private mutating func send(_ bytes: [UInt8], from: SocketAddress, to: SocketAddress, _ side: Int) {
        offered[side] += 1
        let isLost = random.chance(pipe.loss) || pipe.outage?.contains(now) == true
        if isLost {
            lost[side] += 1
            return
        }
        for _ in 0..<(random.chance(pipe.duplication) ? 2 : 1) {
            let delay = pipe.delay + random.interval(in: .zero...pipe.spread)
            schedule(now + delay, 1 - side, .datagram(bytes, from: from, to: to))
        }
    }

    private mutating func connect(_ id: StreamID, from: SocketAddress, to: SocketAddress, _ side: Int) {
        connectCount += 1
        let roundTrip = pipe.delay + pipe.delay
        guard listening[1 - side].contains(to), pipe.outage?.contains(now) != true else {
            streams[side][id] = Stream(peer: StreamID(0), room: pipe.room)
            let refused = pipe.outage?.contains(now) != true
            schedule(now + (refused ? roundTrip : .seconds(3)), side, .closed(id, refused ? .refused : .timedOut))
            return
        }
        let peer = StreamID(nextIncoming)
        nextIncoming += 1
        streams[side][id] = Stream(peer: peer, room: pipe.room)
        streams[1 - side][peer] = Stream(peer: id, room: pipe.room)
        schedule(now + pipe.delay, 1 - side, .opened(peer, local: to, remote: from))
        schedule(now + roundTrip, side, .opened(id, local: from, remote: to))
    }

    private mutating func write(_ bytes: [UInt8], on id: StreamID, _ side: Int) {
        guard var stream = streams[side][id] else {
            Issue.record("written to a stream that is not")
            return
        }
        if bytes.isEmpty || bytes.count > stream.told { overruns += 1 }
        stream.told -= bytes.count
        stream.held += bytes.count
        mostHeld = max(mostHeld, stream.held)
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = Array(rest.prefix(1_448))
            rest = rest.dropFirst(piece.count)
            stream.freeAt = max(stream.freeAt, now) + pipe.rate.transmissionTime(byteCount: piece.count)
            if let outage = pipe.outage, outage.contains(stream.freeAt) { stream.freeAt = outage.upperBound }
            schedule(stream.freeAt + pipe.delay, 1 - side, .bytes(stream.peer, piece, from: id))
        }
        streams[side][id] = stream
    }

    private mutating func schedule(_ at: Instant, _ side: Int, _ what: Happening) {
        queue.schedule(QueuedEvent(at: at, key: UInt64(happenings.count)))
        happenings.append((side, what))
    }
}

extension Instant {
    static func milliseconds(_ count: Int64) -> Instant { .zero + .milliseconds(count) }
    static func seconds(_ count: Int64) -> Instant { .zero + .seconds(count) }
}

/// The two ends of a flow from the left to the right.
func bothEnds(
    _ flow: UInt32, _ application: ApplicationProfile, port: UInt16 = 5_000, from start: Instant = .zero,
    until stop: Instant
) -> (left: FlowAssignment, right: FlowAssignment) {
    let source = SocketAddress(.v4(IPv4Address(bits: 0x0A01_0002)), port: 20_000 + UInt16(flow))
    let sink = SocketAddress(.v4(IPv4Address(bits: 0x0A02_0002)), port: port)
    return (
        FlowAssignment(
            flow: flow, role: .source, application: application, local: source, remote: sink, start: start, stop: stop),
        FlowAssignment(
            flow: flow, role: .sink, application: application, local: sink, remote: source, start: start, stop: stop)
    )
}

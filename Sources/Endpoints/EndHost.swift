public import Basics
public import Machine
public import Traffic
import Wire

/// The machine of a host of the topology: one end of any number of flows.
///
/// The host that drives it must say ``Event/streamWritable(_:byteCount:)`` whenever room
/// comes free behind a write; until its first such word a stream has 64 KiB of room.
public struct EndHost: ~Copyable {
    private let pinned = Pinned()
    let recordInterval: Interval
    var datagramFlows: ContiguousArray<DatagramFlow> = []
    var sockets: ContiguousArray<DatagramSocket> = []
    /// Flows of datagrams by socket and number.
    var datagramTable = IndexTable()
    var streamFlows: ContiguousArray<StreamFlow> = []
    /// Flows of streams that this host answers, by number.
    var sinkTable = IndexTable()
    var listeners: [SocketAddress] = []
    var connections = Slab<Connection?>()
    var freeConnections: ContiguousArray<Int> = []
    var connectionTable = IndexTable()
    var nextStream: UInt32 = 1
    /// One timer for each flow, in the order of the configuration.
    var deadlines = DeadlineHeap()
    var timers: ContiguousArray<FlowPlace> = []
    var filler: PayloadFiller
    /// Datagrams that belonged to no flow of this host.
    public internal(set) var strayDatagrams: UInt64 = 0
    /// Incoming streams that were aborted because they made no sense.
    public internal(set) var refusedStreams: UInt64 = 0

    /// The most datagrams sent in one event; the others wait for a deadline at the same instant.
    public static var datagramsPerEvent: Int { 512 }

    /// A host that does as the configuration says; `seed` is the run's, told apart by the host's name.
    public init(_ configuration: EndHostConfiguration, seed: UInt64) {
        recordInterval = configuration.recordInterval
        filler = PayloadFiller(random: SeededRandom(seed: seed, stream: "endpoint \(configuration.name) payload"))
        for (timer, assignment) in configuration.flows.enumerated() {
            deadlines.append()
            if assignment.application.usesStreams {
                let random = SeededRandom(seed: seed, stream: "flow \(assignment.flow)")
                timers.append(.stream(streamFlows.count))
                addStreamFlow(
                    StreamFlow(assignment, timer: timer, random: random, recordInterval: recordInterval))
            } else {
                timers.append(.datagram(datagramFlows.count))
                addDatagramFlow(assignment, timer: timer)
            }
        }
    }

    /// Takes one event, and leaves in the outbox what is to be done.
    public mutating func handle(_ event: borrowing Event, at now: Instant, into outbox: inout Outbox) {
        switch event {
        case .start:
            start(into: &outbox)
        case .datagram(let bytes, let socket, let sender):
            receive(bytes, on: socket, from: sender, at: now)
        case .streamOpened(let id, _, _):
            streamOpened(id, at: now, into: &outbox)
        case .streamBytes(let id, let bytes):
            streamReceived(id, bytes, at: now, into: &outbox)
        case .streamWritable(let id, let byteCount):
            streamWritable(id, byteCount: byteCount, at: now, into: &outbox)
        case .streamClosed(let id, let closure):
            streamClosed(id, closure, at: now, into: &outbox)
        case .command(.shutDown):
            shutDown(at: now, into: &outbox)
        case .command, .stopSession, .overlayPacket, .portChanged, .carried, .deadline:
            break
        }
        runDue(at: now, into: &outbox)
    }

    /// When the next flow has something to do.
    public var nextDeadline: Deadline? {
        deadlines.first.map { Deadline(at: $0.at, reason: "traffic") }
    }

    /// What the flows sent and received until `now`, each direction that this host has a part in.
    public func reports(at now: Instant) -> [FlowReport] {
        var reports: [FlowReport] = []
        for index in datagramFlows.indices { datagramFlows[index].appendReports(at: now, to: &reports) }
        for index in streamFlows.indices { streamFlows[index].appendReports(at: now, to: &reports) }
        reports.sort { ($0.flow, $0.direction) < ($1.flow, $1.direction) }
        return reports
    }

    private mutating func start(into outbox: inout Outbox) {
        for (index, socket) in sockets.enumerated() {
            outbox.append(.bind(SocketID(UInt32(index)), local: socket.local, port: nil))
        }
        for listener in listeners { outbox.append(.listen(listener)) }
        for flow in datagramFlows { deadlines[flow.timer] = flow.due ?? .never }
        for flow in streamFlows where flow.role == .source && flow.start < flow.stop {
            deadlines[flow.timer] = flow.start
        }
    }

    private mutating func runDue(at now: Instant, into outbox: inout Outbox) {
        var sentCount = 0
        while let next = deadlines.first, next.at <= now {
            switch timers[next.flow] {
            case .datagram(let index):
                guard sentCount < Self.datagramsPerEvent else { return }
                sentCount &+= 1
                let due = datagramFlows[index].send(at: now, filler: &filler, into: &outbox)
                deadlines[next.flow] = due ?? .never
            case .stream(let index):
                deadlines[next.flow] = .never
                advance(index, at: now, into: &outbox)
            }
        }
    }

    private mutating func shutDown(at now: Instant, into outbox: inout Outbox) {
        for timer in timers.indices { deadlines[timer] = .never }
        for index in streamFlows.indices { stop(index, at: now, into: &outbox) }
    }
}

/// Where a timer's flow lies.
enum FlowPlace: Sendable, BitwiseCopyable {
    case datagram(Int)
    case stream(Int)
}

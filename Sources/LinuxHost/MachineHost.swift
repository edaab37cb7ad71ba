public import Basics
import Dataplane
public import LinuxSystem
public import Machine
public import Telemetry
import Wire

/// Drives one machine in the network namespace of the thread that makes it.
///
/// Its sockets, its overlay interface with the routes to it and its data plane go when this value does.
public struct MachineHost<Machine: HostedMachine & ~Copyable>: ~Copyable {
    /// The machine, to be looked at.
    public internal(set) var machine: Machine
    public let configuration: HostConfiguration
    public internal(set) var counters = HostCounters()
    let report: (TelemetryRecord, Instant) -> Void
    var outbox = Outbox()
    /// The instant of the event that the machine was handed last.
    public private(set) var now: Instant

    let poll: EventPoll
    private var timer: KernelTimer
    /// What the timer waits for.
    private var armed = Instant.never
    private var hasStarted = false
    private var isStopping = false
    /// Descriptors of the caller's, and what to do when one can be read.
    private var watchers: [(descriptor: Int32, handler: (inout MachineHost) -> Void)] = []

    var ports: [PortState]
    let monitor: RouteMonitor
    var routes: RouteSocket
    /// Changes of routes that wait for the end of a batch.
    var routeChanges = NetlinkBatch()
    var overlay: TunDevice?
    var overlayPackets = OffloadedPackets()
    var overlayLimit: OverlayLimit?
    var streamRoom = StreamRoom()
    /// None, or one.
    var dataplane: Slab<AttachedDataplane>

    var sockets = Slab<BoundSocket>()
    var socketTable = IndexTable()
    /// Sockets, by place, from which something is to be sent.
    var sendingSockets: ContiguousArray<Int> = []
    var datagrams = DatagramBatch()

    var listeners = Slab<StreamListener>()
    /// What the machine has asked for by peer.
    var protections: [(peer: IPAddress, protection: StreamProtection)] = []
    /// Listeners that wait no more, because there was no room for what arrived.
    var pausedListeners: [Int] = []
    var streams: [UInt32: HostStream] = [:]
    var incomingCount: UInt32 = 0

    /// Makes what the configuration speaks of, in the namespace of the calling thread; the ports are there already.
    ///
    /// A data plane that is to be used may have been loaded before, which saves the time that it takes. Telemetry goes
    /// to `report`, with the instant that it is of.
    public init(
        _ machine: consuming Machine, _ configuration: HostConfiguration,
        dataplane loaded: consuming KernelDataplane? = nil, report: @escaping (TelemetryRecord, Instant) -> Void
    ) throws(HostError) {
        let poll = try hosted { () throws(SystemError) in try EventPoll() }
        let timer = try hosted { () throws(SystemError) in try KernelTimer(configuration.clock) }
        let subjects: RouteMonitor.Subjects = configuration.usesDataplane ? [.links, .neighbours] : .links
        // What changes from here on is heard of, so that nothing is missed between asking and hearing.
        let monitor = try hosted { () throws(SystemError) in try RouteMonitor(subjects) }
        var routes = try hosted { () throws(SystemError) in try RouteSocket() }
        let ports = try Self.ports(of: configuration, &routes)
        try hosted { () throws(SystemError) in
            try poll.add(timer.number, for: .readable, token: Token(.timer).rawValue)
            try poll.add(monitor.number, for: .readable, token: Token(.monitor).rawValue)
        }
        let overlay = try Self.makeOverlay(configuration, &routes, poll)
        let dataplane = try Self.makeDataplane(configuration, ports, loaded)
        self.machine = machine
        self.configuration = configuration
        self.report = report
        self.poll = poll
        self.timer = timer
        self.monitor = monitor
        self.routes = routes
        self.ports = ports
        self.overlay = overlay
        self.dataplane = dataplane
        now = configuration.clock.now
    }

    /// Calls `handler` whenever a descriptor of the caller's can be read; it stays open as long as this value lives.
    ///
    /// A handler takes what can be read, for it is called again as long as there is something.
    public mutating func watch(
        _ descriptor: Int32, _ handler: @escaping (inout MachineHost) -> Void
    ) throws(HostError) {
        let place = watchers.firstIndex { $0.descriptor < 0 } ?? watchers.count
        try hosted { () throws(SystemError) in
            try poll.add(descriptor, for: .readable, token: Token(.watcher, UInt32(place)).rawValue)
        }
        if place == watchers.count {
            watchers.append((descriptor, handler))
        } else {
            watchers[place] = (descriptor, handler)
        }
    }

    /// Calls no handler for a descriptor any more.
    public mutating func unwatch(_ descriptor: Int32) {
        for place in watchers.indices where watchers[place].descriptor == descriptor {
            watchers[place] = (-1, { _ in })
            try? poll.remove(descriptor)
        }
    }

    /// Has ``run(until:)`` return after the event in hand.
    public mutating func stop() {
        isStopping = true
    }

    /// Starts the machine, or goes on with it, until an instant or until ``stop()``.
    public mutating func run(until end: Instant = .never) throws(HostError) {
        isStopping = false
        if !hasStarted { try start() }
        var ready = ReadyDescriptors()
        while !isStopping {
            let present = configuration.clock.now
            guard present < end else { return }
            try wait(until: min(end, nextDeadline), present, &ready)
            for place in 0..<ready.count {
                let event = ready[place]
                try take(Token(rawValue: event.token), event.readiness)
            }
            restoreOverlay()
            if let deadline = machine.nextDeadline?.at, deadline <= configuration.clock.now {
                try handle(.deadline, at: configuration.clock.now)
            }
        }
    }

    /// Hands the machine an instruction, and carries out what comes of it; only once it has started.
    public mutating func command(_ command: Command) throws(HostError) {
        guard hasStarted else { return }
        try handle(.command(command), at: configuration.clock.now)
    }

    /// Ends the machine's session with a peer until it is started; the reason is for who runs the peer.
    public mutating func stopSession(with peer: UInt32, reason: String) throws(HostError) {
        guard hasStarted else { return }
        let octets = Array(reason.utf8)
        try handle(.stopSession(peer: peer, reason: octets.span.bytes), at: configuration.clock.now)
    }

    private mutating func start() throws(HostError) {
        hasStarted = true
        try tellNeighbours()
        try handle(.start, at: configuration.clock.now)
        for place in ports.indices where !ports[place].isUp {
            try handle(.portChanged(PortID(UInt16(place)), isUp: false), at: configuration.clock.now)
        }
    }

    private var nextDeadline: Instant {
        min(machine.nextDeadline?.at ?? .never, overlayLimit?.until ?? .never)
    }

    /// Waits for something to be ready.
    private mutating func wait(
        until deadline: Instant, _ present: Instant, _ ready: inout ReadyDescriptors
    ) throws(HostError) {
        let isDue = deadline <= present
        do throws(SystemError) {
            if !isDue, deadline != armed {
                try timer.set(deadline)
                armed = deadline
            }
            try poll.wait(atMost: isDue ? .zero : nil, into: &ready)
        } catch {
            throw .system(error)
        }
    }

    private mutating func take(_ token: Token, _ readiness: Readiness) throws(HostError) {
        let place = Int(token.number)
        switch token.kind {
        case .timer:
            // Setting it anew makes it unreadable again.
            timer.clear()
            armed = .never
        case .monitor: try takeNews()
        case .overlay: try takeOverlayPackets()
        case .datagrams: try takeDatagrams(place, readiness)
        case .listener: try takeConnections(place)
        case .stream: try takeStream(token.number, readiness)
        case .watcher:
            guard watchers.indices.contains(place) else { return }
            let handler = watchers[place].handler
            handler(&self)
        case nil: break
        }
    }

    /// Moves the machine's time on, which never goes back.
    mutating func advance(to instant: Instant) {
        now = max(now, instant)
    }

    /// Hands the machine an event that borrows nothing from this value, and carries out what it asks for.
    mutating func handle(_ event: borrowing Event, at instant: Instant) throws(HostError) {
        advance(to: instant)
        machine.handle(event, at: now, into: &outbox)
        try carryOut()
    }
}

/// What the poll tells apart: a kind, and a number among those of its kind.
struct Token {
    enum Kind: UInt64 {
        case timer, monitor, overlay, datagrams, listener, stream, watcher
    }

    let rawValue: UInt64

    init(rawValue: UInt64) {
        self.rawValue = rawValue
    }

    init(_ kind: Kind, _ number: UInt32 = 0) {
        rawValue = kind.rawValue << 32 | UInt64(number)
    }

    var kind: Kind? { Kind(rawValue: rawValue >> 32) }
    var number: UInt32 { UInt32(truncatingIfNeeded: rawValue) }
}

import Basics
import Machine
import Node
import Telemetry
import TestKit
import Wire

/// Nodes joined by pipes, in virtual time.
///
/// It does for each node what a host does: carries its actions out in order, and hands it
/// datagrams, streams and deadlines at their instants. The kernel of a site knows two
/// things: what is addressed to the site has arrived, and what matches a prefix that the
/// node has installed goes to the overlay interface.
final class World {
    private enum Happening {
        case datagram([UInt8], pipe: Int, from: Int)
        case overlay([UInt8], site: Int)
        case stream(Connection, to: Int)
        case refused(StreamID, site: Int, life: Int)
    }

    private(set) var now = Instant.zero
    var sites: [Site]
    var pipes: [Pipe]
    /// Of everything that a node asked for, in order, where it is kept.
    private(set) var fingerprint = Fingerprint()
    private let keepsFingerprint: Bool
    /// The latest first; of those due at one instant the one scheduled last.
    private var pending: [(at: Instant, happening: Happening)] = []
    private var random: SeededRandom
    private let seed: UInt64

    init(_ configurations: [NodeConfiguration], pipes: [Pipe], seed: UInt64, keepsFingerprint: Bool = false) {
        self.seed = seed
        self.keepsFingerprint = keepsFingerprint
        self.pipes = pipes
        random = SeededRandom(seed: seed, stream: "world")
        sites = configurations.map { Site($0, seed: seed, at: .zero) }
        for site in sites.indices { start(site) }
    }

    // MARK: Time

    /// Lets everything happen that is due by then.
    func run(until end: Instant) {
        while true {
            let arrival = pending.last?.at ?? .never
            let deadline = sites.map(\.deadline).min() ?? .never
            guard min(arrival, deadline) <= end else { break }
            now = max(now, min(arrival, deadline))
            if arrival <= deadline {
                happen(pending.removeLast().happening)
            } else if let site = sites.firstIndex(where: { $0.deadline == deadline }) {
                handle(.deadline, at: site)
            }
        }
        now = end
    }

    func run(for span: Interval) { run(until: now + span) }

    private func schedule(_ happening: Happening, at instant: Instant) {
        var low = 0
        var high = pending.count
        while low < high {
            let middle = (low + high) / 2
            if pending[middle].at > instant { low = middle + 1 } else { high = middle }
        }
        pending.insert((instant, happening), at: low)
    }

    // MARK: What a test does

    func start(_ site: Int) {
        sites[site].isRunning = true
        handle(.start, at: site)
    }

    /// Ends a node's process: its streams are reset, what it installed goes with it.
    ///
    /// Where the power fails there is nobody left who could reset anything.
    func kill(_ site: Int, byPowerFailure: Bool = false) {
        sites[site].isRunning = false
        sites[site].bindings = [:]
        sites[site].listener = nil
        sites[site].forwarding = []
        sites[site].upTunnels = []
        let streams = sites[site].connections.keys.sorted { $0.rawValue < $1.rawValue }
        for stream in streams where !byPowerFailure {
            guard let end = sites[site].connections[stream] else { continue }
            queue(.reset, from: end)
        }
        sites[site].connections = [:]
    }

    /// Starts a new node with another random stream in the place of one that was ended.
    func restart(_ site: Int) {
        sites[site].replaceNode(seed: seed, at: now)
        start(site)
    }

    /// Takes a port's carrier, or gives it back.
    func setPort(_ port: Int, of site: Int, isUp: Bool) {
        sites[site].portIsUp[port] = isUp
        handle(.portChanged(sites[site].configuration.ports[port].id, isUp: isUp), at: site)
    }

    func command(_ command: Command, at site: Int) { handle(.command(command), at: site) }

    /// Hands a node a packet from its overlay interface, now.
    func send(_ packet: [UInt8], from site: Int) {
        happen(.overlay(packet, site: site))
    }

    /// Sends a UDP flow of equal packets at a steady pace; each carries its number in its first octets.
    func sendFlow(
        from source: Int, to destination: Int, every interval: Interval, during span: Interval,
        ports: (source: UInt16, destination: UInt16) = (40_000, 9_000), payloadByteCount: Int = 160
    ) {
        var instant = now
        var number: UInt32 = 0
        while instant < now + span {
            let count = number
            let payload = written { $0.append(count) } + Array(repeating: 0xA5, count: payloadByteCount - 4)
            let packet = Octets.udp(
                from: sites[source].host(), to: sites[destination].host(), ports: ports, payload: payload)
            schedule(.overlay(packet, site: source), at: instant)
            instant += interval
            number += 1
        }
    }

    /// Hands an event to a node and carries out what it asks for.
    func handle(_ event: borrowing Event, at index: Int) {
        let site = sites[index]
        site.node.handle(event, at: now, into: &site.outbox)
        site.mostActions = max(site.mostActions, site.outbox.count)
        carryOut(site, index)
    }
}

// MARK: Events

extension World {
    private func happen(_ happening: Happening) {
        switch happening {
        case .overlay(let packet, let site):
            guard sites[site].isRunning else { return }
            handle(.overlayPacket(packet.span.bytes), at: site)
        case .datagram(let octets, let pipe, let source):
            let (near, far) = ends(of: pipe, from: source)
            let site = sites[far.site]
            guard site.isRunning, site.portIsUp[far.port] else { return }
            let own = SocketAddress(site.configuration.ports[far.port].address, port: 6_081)
            guard let socket = site.bindings.first(where: { $0.value == own })?.key else { return }
            let remote = SocketAddress(sites[near.site].configuration.ports[near.port].address, port: 6_081)
            handle(.datagram(octets.span.bytes, socket: socket, from: remote), at: far.site)
        case .stream(let connection, let side):
            deliver(connection, to: side)
        case .refused(let stream, let site, let life):
            guard sites[site].isRunning, sites[site].lives == life else { return }
            handle(.streamClosed(stream, .refused), at: site)
        }
    }

    private func ends(of pipe: Int, from site: Int) -> (near: Pipe.End, far: Pipe.End) {
        let ends = pipes[pipe].ends
        return ends.0.site == site ? (ends.0, ends.1) : (ends.1, ends.0)
    }

    /// Hands over what has come for one end of a stream, while there is a path.
    private func deliver(_ connection: Connection, to side: Int) {
        while let first = connection.queues[side].first, first.at <= now {
            let index = connection.site(side)
            guard hasPath(connection.sites.0, connection.sites.1) else {
                return schedule(.stream(connection, to: side), at: now + .milliseconds(50))
            }
            connection.queues[side].removeFirst()
            let name = connection.name(side)
            if case .opened = first.item, side == 1 {
                sites[index].connections[name] = Connection.End(connection: connection, side: 1)
            }
            guard sites[index].connections[name]?.connection === connection else {
                // Nobody is there: a kernel answers with a reset, and never resets a reset.
                if case .reset = first.item { continue }
                queue(.reset, from: Connection.End(connection: connection, side: side))
                continue
            }
            switch first.item {
            case .opened:
                let (local, remote) =
                    side == 0 ? (connection.local, connection.remote) : (connection.remote, connection.local)
                handle(.streamOpened(name, local: local, remote: remote), at: index)
                handle(.streamWritable(name, byteCount: 65_536), at: index)
            case .bytes(let octets):
                handle(.streamBytes(name, octets.span.bytes), at: index)
            case .finished:
                handle(.streamClosed(name, .finished), at: index)
                if connection.hasFinished[side] { sites[index].connections[name] = nil }
            case .reset:
                sites[index].connections[name] = nil
                handle(.streamClosed(name, .reset), at: index)
            }
        }
    }
}

// MARK: Actions

extension World {
    private func carryOut(_ site: Site, _ index: Int) {
        let actions = site.outbox.actions
        let octets = actions.map { site.outbox.copy(of: $0) }
        site.outbox.removeAll()
        for (action, octets) in zip(actions, octets) {
            if keepsFingerprint { fold(action, octets, index) }
            carryOut(action, octets, site, index)
        }
    }

    private func fold(_ action: Action, _ octets: [UInt8], _ index: Int) {
        fingerprint.fold(now.nanoseconds, UInt64(index))
        fingerprint.fold(Array("\(action)".utf8).span.bytes)
        fingerprint.fold(octets.span.bytes)
    }

    private func carryOut(_ action: Action, _ octets: [UInt8], _ site: Site, _ index: Int) {
        switch action {
        case .bind(let socket, let local, _):
            site.bindings[socket] = local
        case .listen(let address):
            site.listener = address
        case .send(let socket, let remote, _):
            site.sent.append(Sent(at: now, socket: socket, remote: remote, octets: octets))
            transmit(octets, from: index, socket, to: remote)
        case .deliver:
            receive(octets, at: index)
        case .connect(let stream, let source, let remote):
            connect(stream, from: index, source, to: remote)
        case .write(let stream, _):
            site.written.append((now, octets))
            guard let end = site.connections[stream] else { return }
            queue(.bytes(octets), from: end)
        case .finish(let stream):
            guard let end = site.connections[stream] else { return }
            guard !end.connection.hasFinished[end.side] else { return }
            queue(.finished, from: end)
            end.connection.hasFinished[end.side] = true
        case .abort(let stream):
            site.abortedStreams += 1
            guard let end = site.connections[stream] else { return }
            queue(.reset, from: end)
            site.connections[stream] = nil
        case .program(let change):
            site.changes.append((now, change))
            switch change {
            case .install(let prefix):
                if !site.has(prefix) { site.forwarding.append(prefix) }
            case .withdraw(let prefix):
                site.forwarding.removeAll { $0 == prefix }
            case .route, .spread, .unroute, .open, .close, .steer, .release:
                break
            }
        case .protect, .secure:
            break
        case .readTunnel(let tunnel):
            site.tunnelsRead.append((now, tunnel))
        case .report(let record):
            site.reports.append((now, record))
            guard case .tunnelState(let tunnel, let state, _) = record else { return }
            site.upTunnels.removeAll { $0 == tunnel.rawValue }
            if state != .down { site.upTunnels.append(tunnel.rawValue) }
        }
    }

    private func transmit(_ octets: [UInt8], from index: Int, _ socket: SocketID, to remote: SocketAddress) {
        guard let own = sites[index].bindings[socket],
            let pipe = pipes.firstIndex(where: { pipe in
                let (near, far) = pipe.ends.0.site == index ? pipe.ends : (pipe.ends.1, pipe.ends.0)
                return near.site == index && sites[index].configuration.ports[near.port].address == own.address
                    && sites[far.site].configuration.ports[far.port].address == remote.address
            })
        else { return }
        let port = ends(of: pipe, from: index).near.port
        let way = pipes[pipe].way(from: index)
        guard sites[index].portIsUp[port], !random.chance(way.loss) else { return }
        schedule(.datagram(octets, pipe: pipe, from: index), at: now + way.delay)
    }

    /// A packet that a node has handed to its kernel: it is for the site, or for another one.
    private func receive(_ packet: [UInt8], at index: Int) {
        let site = sites[index]
        guard let destination = Octets.destination(of: packet) else { return }
        let isOwn = destination == site.address || site.configuration.lan.contains { $0.contains(destination) }
        if isOwn {
            site.delivered.append(Arrival(at: now, octets: packet))
        } else if site.forwarding.contains(where: { $0.contains(destination) }) {
            schedule(.overlay(packet, site: index), at: now)
        }
    }

    // MARK: Streams

    /// Whether two sites both believe in a tunnel between them that works.
    private func hasPath(_ first: Int, _ second: Int) -> Bool {
        func works(_ from: Int, _ to: Int) -> Bool {
            pipes.indices.contains { index in
                guard pipes[index].joins(from, to), sites[from].isRunning else { return false }
                let (near, far) = ends(of: index, from: from)
                return sites[from].upTunnels.contains(UInt32(index)) && pipes[index].way(from: from).loss < .one
                    && sites[from].portIsUp[near.port] && sites[to].portIsUp[far.port]
            }
        }
        return works(first, second) && works(second, first)
    }

    private func connect(_ stream: StreamID, from index: Int, _ source: IPAddress, to remote: SocketAddress) {
        guard let other = sites.firstIndex(where: { $0.isRunning && $0.listener == remote }), hasPath(index, other)
        else {
            return schedule(
                .refused(stream, site: index, life: sites[index].lives), at: now + .milliseconds(1))
        }
        let name = StreamID(sites[other].nextIncoming)
        sites[other].nextIncoming += 1
        let connection = Connection(
            sites: (index, other), name: stream, answeringAs: name, local: SocketAddress(source, port: 50_000),
            remote: remote)
        sites[index].connections[stream] = Connection.End(connection: connection, side: 0)
        queue(.opened, from: Connection.End(connection: connection, side: 0))
        queue(.opened, from: Connection.End(connection: connection, side: 1), after: latency(index, other))
    }

    private func queue(_ item: Connection.Item, from end: Connection.End, after wait: Interval = .zero) {
        let other = 1 - end.side
        let (from, to) = (end.connection.site(end.side), end.connection.site(other))
        let earliest = end.connection.queues[other].last?.at ?? .zero
        let instant = max(earliest, now + latency(from, to) + wait)
        end.connection.queues[other].append((instant, item))
        schedule(.stream(end.connection, to: other), at: instant)
    }

    private func latency(_ from: Int, _ to: Int) -> Interval {
        pipes.filter { $0.joins(from, to) }.map { $0.way(from: from).delay }.min() ?? .zero
    }
}

extension Outbox {
    /// The octets that an action is about.
    borrowing func copy(of action: Action) -> [UInt8] {
        switch action {
        case .send(_, _, let range), .deliver(let range), .write(_, let range): Array(copying: bytes(range))
        case .bind, .secure, .listen, .protect, .connect, .finish, .abort, .program, .readTunnel, .report: []
        }
    }
}

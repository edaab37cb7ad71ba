import Basics
import Dataplane
import Machine
import Node
import Scenario
import TCP
import Telemetry
import Wire

/// A node, host or router of a running simulation: its kernel, and the machine on it.
///
/// Whatever happens to it ends in `settle`, which carries out what the machine asked
/// for, in order, before anything else may happen, and arranges the next wake.
struct Device: ~Copyable {
    let index: Int
    let name: String
    let kind: NodeKind
    var kernel: Kernel
    var occupant = Occupant()
    /// The one that the machine has loaded, if it has.
    var dataplane = Slab<NodeDataplane>()
    /// What the data planes of its earlier lives counted.
    var formerCounters = DataplaneCounters()
    /// The wakes that the event queue holds, each earlier than the one before it.
    private var pendingWakes: ContiguousArray<Instant> = []
    /// Folds every event that concerns this device.
    var fingerprint = Fingerprint()
    /// Increases with every restart, so that a machine's new life draws new numbers.
    var lives: UInt64 = 0
    private var blackholedPackets: UInt64 = 0

    init(index: Int, name: String, kind: NodeKind, kernel: consuming Kernel) {
        self.index = index
        self.name = name
        self.kind = kind
        self.kernel = kernel
    }

    /// The earliest wake that the event queue holds for this device.
    var nextWake: Instant { pendingWakes.last ?? .never }

    /// A frame has arrived at a port.
    @inline(__always)
    mutating func receive(_ packet: PacketID, on port: Int, _ network: inout Network) {
        if dataplane.count > 0, !passesDataplane(packet, on: port, &network) { return }
        let disposition = kernel.receive(packet, on: port, &network)
        tellDataplane()
        // What was only forwarded asks for nothing more.
        if case .done = disposition, kernel.deferred.isEmpty, !kernel.hasNewTimer { return }
        dispose(disposition, &network)
        settle(&network)
    }

    /// The instant that `arm` asked for has come, or is already past.
    mutating func wake(_ network: inout Network) {
        pendingWakes.removeLast()
        kernel.neighborTimersDue(&network)
        tellDataplane()
        while let stream = kernel.streams.timers.takeDue(at: network.now) {
            kernel.streams.streams[stream].connection.wake(at: network.now, into: &kernel.streams.output)
            drain(stream, &network)
        }
        if occupant.nextDeadline <= network.now { handle(.deadline, &network) }
        settle(&network)
    }

    mutating func portChanged(_ port: Int, isUp: Bool, _ network: inout Network) {
        guard kernel.ports[port].isUp != isUp else { return }
        kernel.ports[port].isUp = isUp
        if !isUp { kernel.forgetNeighbors(on: port, &network) }
        tellDataplane()
        handle(.portChanged(PortID(UInt16(port)), isUp: isUp), &network)
        settle(&network)
    }

    mutating func command(_ command: Command, _ network: inout Network) {
        handle(.command(command), &network)
        settle(&network)
    }

    /// Ends the machine as a kill does: sockets and routes go with it, streams are reset.
    mutating func kill(_ network: inout Network) {
        if kind == .router {
            kernel.powerOff(&network)
            return
        }
        blackholedPackets += occupant.blackholedPackets
        occupant = Occupant()
        unloadDataplane()
        kernel.forwarding.removeMachineRoutes()
        kernel.sockets.removeAll()
        kernel.streams.stopListening()
        for index in 0..<kernel.streams.streams.count where kernel.streams.streams[index].isUsed {
            kernel.streams.streams[index].connection.abort(at: network.now, into: &kernel.streams.output)
            drain(index, &network)
        }
        settle(&network)
    }

    /// Packets that this device's machines dropped in all their lives though a tunnel was up.
    var allBlackholedPackets: UInt64 { blackholedPackets + occupant.blackholedPackets }

    /// Starts the machine that has just been put in place.
    mutating func start(_ network: inout Network) {
        kernel.isRunning = true
        handle(.start, &network)
        settle(&network)
    }

    private mutating func handle(_ event: borrowing Event, _ network: inout Network) {
        occupant.handle(event, at: network.now, into: &network.outbox)
    }

    private mutating func dispose(_ disposition: Disposition, _ network: inout Network) {
        switch disposition {
        case .done:
            break
        case .overlay(let packet):
            enterOverlay(packet, &network)
        case .datagram(let packet, let socket, let remote, let payload):
            network.pool.deliver(
                packet, payload, on: socket, from: remote, to: &occupant, at: network.now, into: &network.outbox)
            // Only a node passes packets on; what a host sends in return is its own.
            if kind == .patronus {
                carryOut(passing: packet, &network)
            } else {
                network.deliver(packet)
            }
        case .stream(let index):
            drain(index, &network)
        }
    }

    private mutating func enterOverlay(_ packet: PacketID, _ network: inout Network) {
        guard occupant.isPresent else { return network.drop(packet, .nodeDown) }
        network.pool.enterOverlay(packet, of: &occupant, at: network.now, into: &network.outbox)
        carryOut(passing: packet, &network)
    }

    /// Gives a stream's items to whom they concern.
    private mutating func drain(_ index: Int, _ network: inout Network) {
        let stream = kernel.streams.streams[index].id
        var position = 0
        while position < kernel.streams.output.count {
            let item = kernel.streams.output[position]
            position += 1
            switch item {
            case .segment(let range):
                kernel.sendSegment(range, of: index, &network)
            case .bytes(let range):
                kernel.streams.output.deliver(
                    range, of: stream, to: &occupant, at: network.now, into: &network.outbox)
            case .connected:
                let (local, remote) = (kernel.streams.streams[index].local, kernel.streams.streams[index].remote)
                handle(.streamOpened(stream, local: local, remote: remote), &network)
            case .writable:
                kernel.streams.writeBacklog(of: index, at: network.now)
            case .peerFinished:
                handle(.streamClosed(stream, .finished), &network)
            case .closed(let cause):
                if let closure = StreamClosure(cause) { handle(.streamClosed(stream, closure), &network) }
            }
        }
        kernel.streams.output.removeAll()
        guard !kernel.streams.streams[index].connection.isClosed else { return kernel.streams.remove(index) }
        kernel.streams.rearm(index)
        guard let room = kernel.streams.streams[index].offeredRoom else { return }
        kernel.streams.streams[index].room = room
        handle(.streamWritable(stream, byteCount: room), &network)
    }

    /// Carries everything out until nothing is left, then arranges the next wake.
    mutating func settle(_ network: inout Network) {
        while true {
            carryOut(passing: nil, &network)
            guard let next = kernel.deferred.popFirst() else { break }
            switch next.kind {
            case .toOverlay: enterOverlay(next.packet, &network)
            case .toSelf: dispose(kernel.receiveOwn(next.packet, &network), &network)
            }
        }
        arm(&network)
    }

    private mutating func arm(_ network: inout Network) {
        kernel.hasNewTimer = false
        let deadline = max(min(kernel.nextDeadline, occupant.nextDeadline), network.now)
        guard deadline < nextWake else { return }
        pendingWakes.append(deadline)
        network.queue.schedule(QueuedEvent(at: deadline, key: EventKey.wake(index)))
    }

    /// Carries out the machine's actions in order.
    ///
    /// Packets that come of a packet which the
    /// machine was handed carry its tag on; where none does, its life ends here.
    private mutating func carryOut(passing packet: PacketID?, _ network: inout Network) {
        guard packet != nil || network.outbox.count > 0 else { return }
        let tag = packet.map { network.pool.tag($0) }
        var dropped: DropCause?
        var passed = 0
        var position = 0
        while position < network.outbox.count {
            switch network.outbox[position] {
            case .send(let socket, let remote, let range):
                if passed > 0, let tag { network.ledger.duplicated(tag) }
                passed += tag == nil ? 0 : 1
                kernel.send(range, from: socket, to: remote, tag: tag, &network)
            case .deliver(let range):
                if passed > 0, let tag { network.ledger.duplicated(tag) }
                passed += 1
                if tag == nil { network.ledger.sent(0) }
                inject(range, tag: tag ?? 0, &network)
            case .report(.dropped(let cause)):
                dropped = cause
            case .report(let record):
                network.recorder.append(record, from: index, at: network.now)
            case let action:
                carryOut(action, &network)
            }
            position += 1
        }
        network.outbox.removeAll()
        if let packet {
            finish(packet, passed: passed, dropped: dropped, &network)
        } else if let dropped {
            network.recorder.append(.dropped(dropped), from: index, at: network.now)
        }
    }

    private func finish(_ packet: PacketID, passed: Int, dropped: DropCause?, _ network: inout Network) {
        if passed > 0 { return network.pool.release(packet) }
        guard let dropped else { return network.deliver(packet) }
        network.recorder.append(.dropped(dropped), from: index, at: network.now)
        network.drop(packet, dropped)
    }

    /// An action that sends no packet of the machine's own.
    private mutating func carryOut(_ action: Action, _ network: inout Network) {
        switch action {
        case .bind(let id, let local, let port):
            kernel.sockets.bind(DatagramSocket(id: id, local: local, port: port.map { Int($0.rawValue) }))
        case .listen(let address):
            kernel.streams.listen(at: address)
        case .connect(let id, let source, let remote):
            if let index = kernel.connect(id, from: source, to: remote, &network) {
                drain(index, &network)
            } else {
                handle(.streamClosed(id, .unreachable), &network)
            }
        case .write(let id, let range):
            guard let index = kernel.streams.index(of: id) else { return }
            network.write(range, to: index, of: &kernel)
            drain(index, &network)
        case .finish(let id):
            guard let index = kernel.streams.index(of: id) else { return }
            kernel.streams.finish(index, at: network.now)
            drain(index, &network)
        case .abort(let id):
            guard let index = kernel.streams.index(of: id) else { return }
            kernel.streams.streams[index].connection.abort(at: network.now, into: &kernel.streams.output)
            drain(index, &network)
        case .program(.install(let prefix)):
            kernel.forwarding.insertOverlay(prefix)
        case .program(.withdraw(let prefix)):
            kernel.forwarding.removeOverlay(prefix)
        case .program(.route(let prefix, let port, let gateway)):
            kernel.forwarding.insertLearned(prefix, .port(Int(port.rawValue), gateway: gateway))
        case .program(.spread(let prefix, let range)):
            kernel.forwarding.insertLearned(
                prefix, over: ContiguousArray(network.outbox.routerHops(range).lazy.map { PortHop($0) }))
        case .program(.unroute(let prefix)):
            kernel.forwarding.removeLearned(prefix)
        case .readTunnel(let tunnel):
            guard let carried = carried(by: tunnel) else { return }
            handle(.carried(tunnel, received: carried.received, expected: carried.expected), &network)
        case .program(let change):
            program(change)
        // No simulated stream is signed, and nothing comes from farther than it says.
        case .send, .deliver, .report, .protect, .secure:
            break
        }
    }

    /// A packet from the overlay interface: the kernel routes it as if it had just arrived.
    private mutating func inject(_ range: ByteRange, tag: UInt32, _ network: inout Network) {
        let packet = network.frame(range, tag: tag)
        switch kernel.receiveFromOverlay(packet, &network) {
        case .done: break
        case .overlay(let packet): kernel.deferred.append(DeferredPacket(packet: packet, kind: .toOverlay))
        case .datagram, .stream: preconditionFailure("an injected packet for the kernel itself is deferred")
        }
    }
}

extension StreamClosure {
    /// What the machine is told of a connection's end; nil where it has been told already.
    init?(_ cause: ClosureCause) {
        switch cause {
        case .finished: return nil
        case .reset: self = .reset
        case .refused: self = .refused
        case .timedOut: self = .timedOut
        }
    }
}

extension Network {
    /// Copies octets of the outbox into a new packet, leaving `offset` bytes in front for headers.
    mutating func store(_ range: ByteRange, behind offset: Int, tag: UInt32) -> PacketID {
        outbox.store(range, behind: offset, in: &pool, tag: tag)
    }

    /// Hands octets of the outbox to a stream.
    mutating func write(_ range: ByteRange, to stream: Int, of kernel: inout Kernel) {
        outbox.write(range, to: stream, of: &kernel.streams, at: now)
    }

    /// A frame with room for an Ethernet header around an IP packet of the outbox.
    mutating func frame(_ range: ByteRange, tag: UInt32) -> PacketID {
        let packet = store(range, behind: Kernel.ipOffset, tag: tag)
        let version: UInt8 = range.count > 0 ? pool.load(packet, at: Kernel.ipOffset) : 0
        pool.patch(version >> 4 == 6 ? EtherType.ipv6 : EtherType.ipv4, at: 12, of: packet)
        return packet
    }
}

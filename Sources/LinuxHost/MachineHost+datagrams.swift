import Basics
import LinuxSystem
import Machine
import Wire

/// A datagram socket of the machine.
struct BoundSocket: ~Copyable {
    let id: SocketID
    let socket: DatagramSocket
    /// Whether it is bound to a port, so that a tunnel's packets go through it.
    let isOfPort: Bool
    /// What is to be sent; its octets lie in the outbox.
    var pending: ContiguousArray<OutgoingDatagram> = []

    /// Sends what waits and returns how much that was; what the kernel does not take is counted by the error's number.
    mutating func sendPending(from outbox: borrowing Outbox, _ counters: inout HostCounters) -> Int {
        let count = pending.count
        var refused = HostCounters()
        let octets = outbox.bytes(ByteRange(start: 0, count: outbox.arena.count))
        socket.send(pending.span, from: octets) { _, number in refused.countUnsent(number) }
        pending.removeAll(keepingCapacity: true)
        counters.addUnsent(refused)
        return count
    }
}

extension Slab where Element == BoundSocket {
    /// Receives what waits at one of the sockets.
    fileprivate func receive(_ place: Int, into batch: inout DatagramBatch) throws(SystemError) {
        try self[place].socket.receive(into: &batch)
    }
}

extension DatagramBatch {
    /// Hands a datagram to the machine.
    fileprivate borrowing func hand<Machine: HostedMachine & ~Copyable>(
        _ place: Int, of socket: SocketID, to machine: inout Machine, at now: Instant, into outbox: inout Outbox
    ) {
        machine.handle(.datagram(bytes(place), socket: socket, from: sender(place)), at: now, into: &outbox)
    }
}

extension MachineHost where Machine: ~Copyable {
    /// More batches than this do not keep everything else waiting.
    private var batchLimit: Int { 64 }

    mutating func bind(_ id: SocketID, _ local: SocketAddress, _ port: PortID?) throws(HostError) {
        var interface: String?
        if let port {
            let place = Int(port.rawValue)
            guard ports.indices.contains(place) else { throw .unknownPort(place) }
            interface = ports[place].name
        }
        let place = sockets.count
        let isOfPort = port != nil
        do throws(SystemError) {
            let socket = try DatagramSocket(local, interface: interface, omitsChecksum: isOfPort)
            if isOfPort { try socket.keepRefusals() }
            try poll.add(socket.number, for: .readable, token: Token(.datagrams, UInt32(place)).rawValue)
            sockets.append(BoundSocket(id: id, socket: socket, isOfPort: isOfPort))
        } catch {
            throw .system(error)
        }
        socketTable[UInt64(id.rawValue)] = UInt32(place)
    }

    mutating func secure(_ id: SocketID, hopLimit: UInt8) throws(HostError) {
        guard let place = socketTable[UInt64(id.rawValue)] else { return }
        do throws(SystemError) {
            try sockets[Int(place)].socket.secure(hopLimit: hopLimit)
        } catch {
            throw .system(error)
        }
    }

    /// Puts a datagram behind those that wait to be sent.
    mutating func prepareSending(_ range: ByteRange, from id: SocketID, to remote: SocketAddress) {
        guard let place = socketTable[UInt64(id.rawValue)] else {
            counters.unsentOtherwise += 1
            return
        }
        if sockets[Int(place)].pending.isEmpty { sendingSockets.append(Int(place)) }
        sockets[Int(place)].pending.append(OutgoingDatagram(to: remote, range))
    }

    /// Sends what waits, which is told of no more: what the kernel does not take is counted.
    mutating func sendPrepared() {
        guard !sendingSockets.isEmpty else { return }
        for place in sendingSockets {
            let count = sockets[place].sendPending(from: outbox, &counters)
            counters.sentDatagrams += UInt64(count)
        }
        sendingSockets.removeAll(keepingCapacity: true)
    }

    /// Takes what has arrived at a socket, each datagram at the instant at which the kernel got it.
    mutating func takeDatagrams(_ place: Int, _ readiness: Readiness) throws(HostError) {
        guard place < sockets.count else { return }
        if readiness.contains(.failed) { takeRefusals(place) }
        guard readiness.contains(.readable) else { return }
        let id = sockets[place].id
        for _ in 0..<batchLimit {
            do throws(SystemError) {
                try sockets.receive(place, into: &datagrams)
            } catch {
                throw .system(error)
            }
            guard datagrams.count > 0 else { return }
            let present = configuration.clock.now
            let lead = MonotonicClock.leadOfRealTime()
            counters.receivedDatagrams += UInt64(datagrams.count)
            for index in 0..<datagrams.count {
                let arrival = datagrams.arrival(index).map { configuration.clock.instant(ofRealTime: $0, lead: lead) }
                advance(to: min(arrival ?? present, present))
                datagrams.hand(index, of: id, to: &machine, at: now, into: &outbox)
            }
            try carryOut()
            guard datagrams.isFull else { return }
        }
    }

    /// Routers have said what became of datagrams.
    private mutating func takeRefusals(_ place: Int) {
        while let refusal = sockets[place].socket.nextRefusal() {
            if let mtu = refusal.pathMTU { limitOverlay(to: Int(mtu), isIPv4: refusal.remote.address.isIPv4) }
        }
    }
}

extension HostCounters {
    fileprivate mutating func addUnsent(_ other: HostCounters) {
        unsentForRoom += other.unsentForRoom
        unsentForSize += other.unsentForSize
        unsentForRoute += other.unsentForRoute
        unsentOtherwise += other.unsentOtherwise
    }

    /// Counts a datagram that was not sent, by the error's number.
    fileprivate mutating func countUnsent(_ number: Int32) {
        switch number {
        case let number where ErrorNumber.noRoom.contains(number): unsentForRoom += 1
        case ErrorNumber.tooBig: unsentForSize += 1
        case let number where ErrorNumber.unreachable.contains(number): unsentForRoute += 1
        default: unsentOtherwise += 1
        }
    }
}

import Basics
import Machine
import Steering
import TCP
import Telemetry
import Tunnel
import Wire

/// A TCP connection of this kernel, and the machine's name for it.
struct Stream: ~Copyable {
    var connection: Connection
    let id: StreamID
    let local: SocketAddress
    let remote: SocketAddress
    let tag: UInt32
    var isUsed = true
    /// Whether it came from outside and its handshake is not complete.
    var isOpening = false
    /// The neighbour that its segments go to, where they leave by a port, and of which forwarding table that is true.
    var neighbor: Int?
    var routeGeneration: UInt32 = 0
    /// How much the machine may still write before it is told of more room.
    var room = 64 * 1_024
    /// What the machine wrote and the send buffer could not take, and how much of that it has taken since.
    private var backlog: [UInt8] = []
    private var backlogTaken = 0
    /// The machine has said that nothing more comes, behind a backlog.
    private var finishesAfterBacklog = false

    init(_ connection: consuming Connection, id: StreamID, local: SocketAddress, remote: SocketAddress, tag: UInt32) {
        self.connection = connection
        self.id = id
        self.local = local
        self.remote = remote
        self.tag = tag
    }

    /// More of what was written is unsent than this, and the machine has to wait.
    static let unsentLimit = 64 * 1_024
    static let roomStep = 128 * 1_024
    /// Room that is smaller may be too small for what the machine wants to write in one piece.
    static let leastRoom = 2_048

    /// How much room to offer the machine; nil where it has to wait, or has not used what it was offered.
    var offeredRoom: Int? {
        guard room < Self.leastRoom, backlog.isEmpty else { return nil }
        let free = min(connection.writableByteCount, Self.roomStep)
        guard free >= Self.leastRoom else { return nil }
        return connection.unsentByteCount < Self.unsentLimit ? free : nil
    }

    /// Takes what the machine writes; what does not fit waits in the backlog.
    mutating func write(_ bytes: RawSpan, at now: Instant, into output: inout Output) {
        room -= bytes.byteCount
        let taken = backlog.isEmpty ? connection.write(bytes, at: now, into: &output) : 0
        guard taken < bytes.byteCount else { return }
        bytes.from(taken).withUnsafeBytes { backlog.append(contentsOf: $0) }
    }

    /// The send buffer has room again.
    mutating func writeBacklog(at now: Instant, into output: inout Output) {
        guard !backlog.isEmpty else { return }
        let waiting = backlog
        backlogTaken += connection.write(waiting.span.bytes.from(backlogTaken), at: now, into: &output)
        guard backlogTaken == backlog.count else { return }
        backlog = []
        backlogTaken = 0
        if finishesAfterBacklog { connection.finish(at: now, into: &output) }
    }

    /// Nothing more will be written; what waits goes out first.
    mutating func finish(at now: Instant, into output: inout Output) {
        guard backlog.isEmpty else {
            finishesAfterBacklog = true
            return
        }
        connection.finish(at: now, into: &output)
    }
}

/// The TCP connections and listeners of one kernel.
struct StreamTable: ~Copyable {
    var streams = Slab<Stream>()
    var timers = DeadlineHeap()
    /// What the connection that was called last wants done.
    var output = Output()
    private var free: ContiguousArray<UInt32> = []
    private var byTuple = IndexTable()
    private var byID = IndexTable()
    private var listeners: ContiguousArray<SocketAddress> = []
    private var nextIncoming: UInt32 = 0
    private var openingCount = 0

    /// More incoming connections than this do not wait for their handshake's end (RFC 4987 §2).
    private static let backlogLimit = 4_096

    var hasFullBacklog: Bool { openingCount >= Self.backlogLimit }

    /// Adds a connection that has come from outside.
    mutating func insertIncoming(_ stream: consuming Stream) -> Int {
        let index = insert(stream)
        streams[index].isOpening = true
        openingCount += 1
        return index
    }

    mutating func listen(at address: SocketAddress) {
        listeners.append(address)
    }

    func isListening(at address: SocketAddress) -> Bool {
        let any: IPAddress = address.address.isIPv4 ? .v4(.any) : .v6(.any)
        return listeners.contains(address) || listeners.contains(SocketAddress(any, port: address.port))
    }

    func index(of id: StreamID) -> Int? { byID[UInt64(id.rawValue)].map { Int($0) } }

    func index(local: SocketAddress, remote: SocketAddress) -> Int? {
        byTuple[Self.key(local, remote)].map { Int($0) }
    }

    mutating func newIncomingID() -> StreamID {
        nextIncoming &+= 1
        return StreamID(1 << 31 | nextIncoming & 0x7FFF_FFFF)
    }

    mutating func insert(_ stream: consuming Stream) -> Int {
        let id = stream.id
        let tuple = Self.key(stream.local, stream.remote)
        let index: Int
        if let slot = free.popLast() {
            index = Int(slot)
            streams[index] = stream
        } else {
            index = streams.count
            streams.append(stream)
        }
        byID[UInt64(id.rawValue)] = UInt32(index)
        byTuple[tuple] = UInt32(index)
        return index
    }

    mutating func remove(_ index: Int) {
        guard streams[index].isUsed else { return }
        streams[index].isUsed = false
        leaveBacklog(index)
        timers.set(index, at: nil)
        byID[UInt64(streams[index].id.rawValue)] = nil
        byTuple[Self.key(streams[index].local, streams[index].remote)] = nil
        free.append(UInt32(index))
    }

    /// Looks after a connection to which something has happened.
    mutating func rearm(_ index: Int) {
        if streams[index].connection.state != .synchronizeReceived { leaveBacklog(index) }
        timers.set(index, at: streams[index].connection.nextDeadline)
    }

    private mutating func leaveBacklog(_ index: Int) {
        guard streams[index].isOpening else { return }
        streams[index].isOpening = false
        openingCount -= 1
    }

    mutating func write(_ bytes: RawSpan, to index: Int, at now: Instant) {
        streams[index].write(bytes, at: now, into: &output)
    }

    mutating func finish(_ index: Int, at now: Instant) {
        streams[index].finish(at: now, into: &output)
    }

    mutating func writeBacklog(of index: Int, at now: Instant) {
        streams[index].writeBacklog(at: now, into: &output)
    }

    mutating func stopListening() {
        listeners.removeAll()
    }

    private static func key(_ local: SocketAddress, _ remote: SocketAddress) -> UInt64 {
        FiveTuple(protocolNumber: ProtocolNumber.tcp, from: local, to: remote).key.rawValue
    }
}

extension Kernel {
    mutating func receiveTCP(_ local: LocalPacket, _ network: inout Network) -> Disposition {
        guard network.pool.isIntactSegment(local), let header = network.pool.tcpHeader(local) else {
            network.drop(local.packet, .badChecksum)
            return .done
        }
        let here = SocketAddress(local.destination, port: header.destinationPort)
        let there = SocketAddress(local.source, port: header.sourcePort)
        guard let index = streams.index(local: here, remote: there) else {
            return receiveFirst(header, local, here, there, &network)
        }
        if streams.streams[index].connection.yields(to: header) {
            streams.remove(index)
            return receiveFirst(header, local, here, there, &network)
        }
        network.pool.deliver(
            local, header, to: &streams.streams[index].connection, at: network.now, into: &streams.output)
        network.deliver(local.packet)
        return .stream(index)
    }

    /// A segment that belongs to no connection: a new one for a listener, or a reset (RFC 9293 §3.10.7.1).
    private mutating func receiveFirst(
        _ header: TCPHeader, _ local: LocalPacket, _ here: SocketAddress, _ there: SocketAddress,
        _ network: inout Network
    ) -> Disposition {
        let payloadCount = local.payload.count - header.headerLength
        guard header.flags.contains(.synchronize), !header.flags.contains(.acknowledge),
            !header.flags.contains(.reset), streams.isListening(at: here)
        else {
            network.drop(local.packet, .noSocket)
            streams.output.removeAll()
            Connection.appendReset(
                answering: header, payloadByteCount: payloadCount, local: here, remote: there, into: &streams.output)
            sendSegments(from: here.address, to: there.address, tag: 0, &network)
            return .done
        }
        guard !streams.hasFullBacklog else {
            network.drop(local.packet, .bufferFull)
            return .done
        }
        network.deliver(local.packet)
        let connection = Connection(
            accepting: header, at: here, from: there, configuration: configuration(toward: there.address),
            initialSequence: UInt32(truncatingIfNeeded: random.next()), at: network.now, into: &streams.output)
        let stream = Stream(
            connection, id: streams.newIncomingID(), local: here, remote: there,
            tag: tag(from: here, to: there, &network))
        return .stream(streams.insertIncoming(stream))
    }

    /// Opens a stream for the machine; nil where there is no route.
    mutating func connect(
        _ id: StreamID, from address: IPAddress, to remote: SocketAddress, _ network: inout Network
    ) -> Int? {
        guard let hop = nextHop(to: remote.address) else { return nil }
        var source = address
        if source == .v4(.any) || source == .v6(.any) {
            guard let found = sourceAddress(for: hop, to: remote.address) else { return nil }
            source = found
        }
        let local = SocketAddress(source, port: ephemeralPort(from: source, to: remote))
        let connection = Connection(
            connectingFrom: local, to: remote, configuration: configuration(toward: remote.address),
            initialSequence: UInt32(truncatingIfNeeded: random.next()), at: network.now, into: &streams.output)
        return streams.insert(
            Stream(
                connection, id: id, local: local, remote: remote,
                tag: tag(from: local, to: remote, &network)))
    }

    private mutating func tag(from local: SocketAddress, to remote: SocketAddress, _ network: inout Network) -> UInt32 {
        network.ledger.tag(
            for: FiveTuple(protocolNumber: ProtocolNumber.tcp, from: local, to: remote).key)
    }

    /// A port of the dynamic range (RFC 6335) that no connection to the same peer uses.
    private mutating func ephemeralPort(from address: IPAddress, to remote: SocketAddress) -> UInt16 {
        let first = UInt16(truncatingIfNeeded: random.below(16_384))
        for step in 0..<16_384 as Range<UInt16> {
            let port = 49_152 + (first &+ step) % 16_384
            if streams.index(local: SocketAddress(address, port: port), remote: remote) == nil { return port }
        }
        return 49_152 + first
    }

    private func configuration(toward remote: IPAddress) -> Connection.Configuration {
        var configuration = Connection.Configuration()
        configuration.pathMTU = mtu(toward: remote)
        return configuration
    }

    private func mtu(toward remote: IPAddress) -> Int {
        switch nextHop(to: remote) {
        case .port(let port, _): ports[port].mtu
        case .spread(let group): mtu(ofGroup: group)
        case .overlay: overlayMTU
        case .local, nil: 1_500
        }
    }

    /// A router has said that a packet of ours was too big: the stream that sent it learns so (RFC 1191 §6.4).
    mutating func pathMTUReported(_ mtu: Int, _ local: LocalPacket, _ network: inout Network) -> Disposition {
        let tuple = network.pool.quotedFlow(local)
        network.deliver(local.packet)
        if let tuple, tuple.protocolNumber == ProtocolNumber.udp { tunnelMTUReported(mtu, tuple, &network) }
        guard let tuple, tuple.protocolNumber == ProtocolNumber.tcp,
            let index = streams.index(
                local: SocketAddress(tuple.source, port: tuple.sourcePort),
                remote: SocketAddress(tuple.destination, port: tuple.destinationPort))
        else { return .done }
        streams.streams[index].connection.pathMTUChanged(to: mtu, at: network.now, into: &streams.output)
        return .stream(index)
    }

    /// A tunnel's packet was too big: the overlay takes smaller ones for ten minutes.
    private mutating func tunnelMTUReported(_ mtu: Int, _ tuple: FiveTuple, _ network: inout Network) {
        guard let socket = sockets.index(at: tuple.source, port: tuple.sourcePort), sockets[socket].port != nil else {
            return
        }
        let overhead = tuple.source.isIPv4 ? Tunnel.overheadOverIPv4 : Tunnel.overheadOverIPv6
        // Nobody's honest path is narrower than what every IPv4 host must take (RFC 791).
        reportedOverlayMTU = (max(mtu, 576) - overhead, network.now + .seconds(600))
        reportedTunnelMTU = max(mtu, 576)
    }

    /// Sends all segments that wait in the output, which belong to a stream or answer for none.
    mutating func sendSegments(from source: IPAddress, to destination: IPAddress, tag: UInt32, _ network: inout Network)
    {
        for index in 0..<streams.output.count {
            guard case .segment(let range) = streams.output[index] else { continue }
            sendSegment(range, from: source, to: destination, tag: tag, &network)
        }
        streams.output.removeAll()
    }

    /// Sends a segment of a stream that waits in the output.
    mutating func sendSegment(_ range: ByteRange, of stream: Int, _ network: inout Network) {
        let source = streams.streams[stream].local.address
        let destination = streams.streams[stream].remote.address
        let tag = streams.streams[stream].tag
        if streams.streams[stream].routeGeneration != forwarding.generation {
            streams.streams[stream].routeGeneration = forwarding.generation
            streams.streams[stream].neighbor = neighbor(toward: destination)
        }
        guard let neighbor = streams.streams[stream].neighbor else {
            return sendSegment(range, from: source, to: destination, tag: tag, &network)
        }
        network.ledger.sent(tag)
        output(packet(of: range, from: source, to: destination, tag: tag, &network), via: neighbor, &network)
    }

    /// The neighbour that all packets to an address are given to; nil where there is no one such.
    private mutating func neighbor(toward destination: IPAddress) -> Int? {
        guard case .port(let port, let gateway) = nextHop(to: destination) else { return nil }
        return neighbors.number(of: gateway ?? destination, on: port)
    }

    private mutating func sendSegment(
        _ range: ByteRange, from source: IPAddress, to destination: IPAddress, tag: UInt32, _ network: inout Network
    ) {
        network.ledger.sent(tag)
        guard let hop = nextHop(to: destination) else { return network.ledger.dropped(tag, .noRoute) }
        output(
            packet(of: range, from: source, to: destination, tag: tag, &network), to: destination, by: hop, &network)
    }

    /// A segment that waits in the output, as a packet without its Ethernet header.
    private mutating func packet(
        of range: ByteRange, from source: IPAddress, to destination: IPAddress, tag: UInt32, _ network: inout Network
    ) -> PacketID {
        let count = Int(range.count)
        let offset = Self.ipOffset + (source.isIPv4 ? IPv4Header.minimumByteCount : IPv6Header.minimumByteCount)
        let packet = network.pool.allocate(byteCount: offset + count, tag: tag)
        streams.output.arena.copy(range, to: packet, at: offset, in: &network.pool)
        network.pool.writeIPHeader(
            packet, protocolNumber: ProtocolNumber.tcp, from: source, to: destination, payloadByteCount: count,
            identification: nextIdentification())
        return packet
    }
}

extension FiveTuple {
    /// The flow of the packet that an ICMP error quotes, which may be cut short behind its ports.
    init?(quoted bytes: RawSpan) {
        guard bytes.byteCount >= 24 else { return nil }
        func load<T: FixedWidthInteger & BitwiseCopyable>(_ offset: Int, as type: T.Type) -> T {
            T(bigEndian: bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: T.self))
        }
        let isIPv4 = load(0, as: UInt8.self) >> 4 == 4
        let ports = isIPv4 ? Int(load(0, as: UInt8.self) & 15) * 4 : IPv6Header.minimumByteCount
        guard ports >= IPv4Header.minimumByteCount, bytes.byteCount >= ports + 4 else { return nil }
        let source: IPAddress
        let destination: IPAddress
        if isIPv4 {
            source = .v4(IPv4Address(bits: load(12, as: UInt32.self)))
            destination = .v4(IPv4Address(bits: load(16, as: UInt32.self)))
        } else {
            source = .v6(IPv6Address(high: load(8, as: UInt64.self), low: load(16, as: UInt64.self)))
            destination = .v6(IPv6Address(high: load(24, as: UInt64.self), low: load(32, as: UInt64.self)))
        }
        self.init(
            protocolNumber: load(isIPv4 ? 9 : 6, as: UInt8.self),
            from: SocketAddress(source, port: load(ports, as: UInt16.self)),
            to: SocketAddress(destination, port: load(ports + 2, as: UInt16.self)))
    }
}

import Basics
import Machine
import Traffic
import Wire

/// What a host is taken to accept on a stream before it has said so.
private let initialRoom = 64 * 1024

/// The most octets written in one event.
private let writeLimit = 1024 * 1024

extension EndHost {
    mutating func addStreamFlow(_ flow: StreamFlow) {
        if flow.role == .sink {
            sinkTable[UInt64(flow.number)] = UInt32(streamFlows.count)
            if !listeners.contains(flow.local) { listeners.append(flow.local) }
        }
        streamFlows.append(flow)
    }

    /// Opens a stream of a flow.
    mutating func open(lane: Int, of flow: Int, half: Connection.Half, into outbox: inout Outbox) {
        let id = StreamID(nextStream)
        nextStream = nextStream == 0x7FFF_FFFF ? 1 : nextStream + 1
        let place = insert(Connection(id: id, flow: flow, lane: lane, half: half))
        while streamFlows[flow].lanes.count <= lane { streamFlows[flow].lanes.append(nil) }
        streamFlows[flow].lanes[lane] = place
        outbox.append(.connect(id, from: streamFlows[flow].local.address, to: streamFlows[flow].remote))
    }

    mutating func streamOpened(_ id: StreamID, at now: Instant, into outbox: inout Outbox) {
        guard id.isIncoming else {
            guard let place = place(of: id) else { return }
            connections[place]?.isOpen = true
            connections[place]?.room = initialRoom
            pump(place, at: now, into: &outbox)
            laneOpened(place, at: now, into: &outbox)
            return
        }
        guard !listeners.isEmpty, place(of: id) == nil else { return }
        var connection = Connection(id: id, half: .undecided)
        connection.isOpen = true
        connection.room = initialRoom
        insert(connection)
    }

    mutating func streamReceived(_ id: StreamID, _ bytes: RawSpan, at now: Instant, into outbox: inout Outbox) {
        guard let place = place(of: id), bytes.byteCount > 0, let half = connections[place]?.half else { return }
        switch half {
        case .undecided:
            switch bytes.unsafeLoad(as: UInt8.self) {
            case UInt8(FilePreamble.magic >> 24):
                received(bytes, by: FileReceiver(), on: place, at: now, into: &outbox)
            case UInt8(ascii: "G"):
                received(bytes, by: ExchangeServer(), on: place, at: now, into: &outbox)
            default:
                refuse(place, into: &outbox)
            }
        case .fileReceiver(let receiver):
            received(bytes, by: receiver, on: place, at: now, into: &outbox)
        case .exchangeServer(let server):
            received(bytes, by: server, on: place, at: now, into: &outbox)
        case .exchangeClient(let client, let request):
            received(bytes, by: client, request: request, on: place, at: now, into: &outbox)
        case .fileSender, .ended:
            // Nobody answers an upload, and what comes after the end interests nobody.
            break
        }
    }

    mutating func streamWritable(_ id: StreamID, byteCount: Int, at now: Instant, into outbox: inout Outbox) {
        guard let place = place(of: id), connections[place]?.isOpen == true else { return }
        connections[place]?.room = max(0, byteCount)
        pump(place, at: now, into: &outbox)
    }

    mutating func streamClosed(
        _ id: StreamID, _ closure: StreamClosure, at now: Instant, into outbox: inout Outbox
    ) {
        guard let place = place(of: id), let half = connections[place]?.half else { return }
        guard closure == .finished else {
            let connection = remove(place)
            lostLane(of: connection, from: place, at: now, into: &outbox)
            return
        }
        connections[place]?.isPeerFinished = true
        switch half {
        case .fileSender:
            // An end that has heard enough; the next write tells whether it still listens.
            break
        case .exchangeServer(let server) where server.isAnswering:
            break
        case .fileReceiver(let receiver):
            fileEnded(receiver, on: place, at: now)
            finish(place, into: &outbox)
        case .ended:
            fileAcknowledged(on: place)
            remove(place)
        case .undecided, .exchangeServer:
            finish(place, into: &outbox)
        case .exchangeClient:
            let connection = connections[place]
            finish(place, into: &outbox)
            lostLane(of: connection, from: place, at: now, into: &outbox)
        }
    }

    /// Writes what there is to be written and room for.
    mutating func pump(_ place: Int, at now: Instant, into outbox: inout Outbox) {
        guard let connection = connections[place], connection.isOpen, let flow = connection.flow else { return }
        let room = min(connection.room, writeLimit)
        let offset = outbox.arena.count
        var isOver = false
        switch connection.half {
        case .fileSender(var sender):
            _ = sender.write(upTo: room, filler: &filler, into: &outbox.arena)
            connections[place]?.half = .fileSender(sender)
            isOver = sender.isComplete
        case .exchangeServer(var server):
            _ = server.write(upTo: room, filler: &filler, into: &outbox.arena)
            connections[place]?.half = .exchangeServer(server)
            isOver = connection.isPeerFinished && !server.isAnswering
        case .exchangeClient(let client, let request?):
            guard ask(for: request, of: flow, room: room, into: &outbox) else { return }
            connections[place]?.half = .exchangeClient(client, request: nil)
        case .undecided, .fileReceiver, .exchangeClient, .ended:
            return
        }
        let written = outbox.arena.count - offset
        if written > 0 {
            outbox.append(.write(connection.id, ByteRange(start: offset, count: written)))
            connections[place]?.room = connection.room - written
            streamFlows[flow].sendMeter.send(streamByteCount: written, at: now)
        }
        if isOver { finish(place, into: &outbox) }
    }

    /// Says the last word; the place is free once the other end has said its own.
    mutating func finish(_ place: Int, into outbox: inout Outbox) {
        guard let connection = connections[place] else { return }
        if case .ended = connection.half {} else { outbox.append(.finish(connection.id)) }
        connections[place]?.half = .ended
        guard connection.isPeerFinished else { return }
        fileAcknowledged(on: place)
        remove(place)
    }

    mutating func abort(_ place: Int, into outbox: inout Outbox) {
        guard let connection = remove(place) else { return }
        outbox.append(.abort(connection.id))
    }

    mutating func refuse(_ place: Int, into outbox: inout Outbox) {
        refusedStreams &+= 1
        abort(place, into: &outbox)
    }

    func place(of id: StreamID) -> Int? {
        connectionTable[UInt64(id.rawValue)].map { Int($0) }
    }

    @discardableResult
    private mutating func insert(_ connection: Connection) -> Int {
        let place: Int
        if let free = freeConnections.popLast() {
            place = free
            connections[free] = connection
        } else {
            place = connections.count
            connections.append(connection)
        }
        connectionTable[UInt64(connection.id.rawValue)] = UInt32(place)
        return place
    }

    @discardableResult
    mutating func remove(_ place: Int) -> Connection? {
        guard let connection = connections[place] else { return nil }
        connections[place] = nil
        freeConnections.append(place)
        connectionTable[UInt64(connection.id.rawValue)] = nil
        return connection
    }
}

import Basics
import LinuxSystem
import Machine
import Wire

extension MachineHost where Machine: ~Copyable {
    /// More than this is not taken from one stream or listener while others wait.
    private var turnLimit: Int { 8 }

    private var streamOptions: StreamSocket.Options {
        var options = StreamSocket.Options()
        options.unsentLimit = HostStream.unsentLimit
        // A node's streams carry BGP, whose messages are to leave at once; a host's are measured as hosts' are.
        options.sendsAtOnce = configuration.overlay != nil
        options.congestionControl = configuration.congestionControl
        return options
    }

    mutating func listen(at address: SocketAddress) throws(HostError) {
        let place = listeners.count
        do throws(SystemError) {
            var listener = try StreamListener(at: address, streamOptions)
            for (peer, protection) in protections where peer.isIPv4 == address.address.isIPv4 {
                try listener.protect(peer, protection)
            }
            try poll.add(listener.number, for: .readable, token: Token(.listener, UInt32(place)).rawValue)
            listeners.append(listener)
        } catch {
            throw .system(error)
        }
    }

    /// Protects what is opened to or from a peer from now on.
    mutating func protect(_ peer: IPAddress, key: ByteRange, leastHopLimit: UInt8) {
        var protection = StreamProtection()
        protection.digestKey = outboxOctets(key)
        if leastHopLimit > 0 {
            protection.leastHopLimit = leastHopLimit
            protection.hopLimit = 255
        }
        protections.append((peer, protection))
    }

    private func outboxOctets(_ range: ByteRange) -> [UInt8] {
        let octets = outbox.bytes(range)
        return octets.byteOffsets.map { octets.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
    }

    mutating func connect(_ id: StreamID, from source: IPAddress, to remote: SocketAddress) {
        do throws(SystemError) {
            var options = streamOptions
            if let found = protections.first(where: { $0.peer == remote.address }) {
                options.protection = found.protection
            }
            let socket = try StreamSocket(from: source, to: remote, options)
            let stream = HostStream(id, socket, to: remote, isOpening: true)
            streams[id.rawValue] = stream
            arrangeWaiting(stream, isNew: true)
        } catch {
            answer(.streamClosed(id, StreamClosure(error.number ?? 0, whileOpening: true)))
        }
    }

    mutating func write(_ range: ByteRange, to id: StreamID) {
        guard let stream = streams[id.rawValue] else { return }
        stream.write(outbox.bytes(range))
        arrangeWaiting(stream)
    }

    mutating func finish(_ id: StreamID) {
        guard let stream = streams[id.rawValue] else { return }
        stream.finish()
        if stream.isOver { remove(stream) } else { arrangeWaiting(stream) }
    }

    mutating func abort(_ id: StreamID) {
        guard let stream = streams[id.rawValue] else { return }
        if let socket = stream.socket.take() { socket.abort() }
        remove(stream)
    }

    /// Connections have arrived at a listener.
    mutating func takeConnections(_ place: Int) throws(HostError) {
        guard place < listeners.count else { return }
        for _ in 0..<turnLimit {
            let stream: HostStream
            do throws(SystemError) {
                guard let arrival = try listeners[place].accept() else { return }
                incomingCount = incomingCount &+ 1 & 0x7FFF_FFFF
                let remote = arrival.remote
                stream = HostStream(
                    StreamID(1 << 31 | incomingCount), arrival.taken(), to: remote, isOpening: false)
            } catch {
                // There is no room for more: those that are there have to end first.
                counters.refusedStreams += 1
                pause(place)
                return
            }
            streams[stream.id.rawValue] = stream
            arrangeWaiting(stream, isNew: true)
            try opened(stream)
        }
    }

    private mutating func pause(_ listener: Int) {
        pausedListeners.append(listener)
        try? poll.change(listeners[listener].number, for: [], token: Token(.listener, UInt32(listener)).rawValue)
    }

    private mutating func opened(_ stream: HostStream) throws(HostError) {
        let any: IPAddress = stream.remote.address.isIPv4 ? .v4(.any) : .v6(.any)
        let local = stream.socket?.local ?? SocketAddress(any, port: 0)
        try handle(.streamOpened(stream.id, local: local, remote: stream.remote), at: configuration.clock.now)
    }

    /// Something has happened to a stream.
    mutating func takeStream(_ number: UInt32, _ readiness: Readiness) throws(HostError) {
        guard let stream = streams[number] else { return }
        if stream.isOpening {
            let failure = stream.socket?.failure() ?? 0
            guard failure == 0 else { return try close(stream, StreamClosure(failure, whileOpening: true)) }
            guard readiness.contains(.writable) else { return }
            stream.isOpening = false
            try opened(stream)
        }
        if !readiness.isDisjoint(with: [.readable, .failed, .hungUp]) {
            if stream.isPeerFinished {
                // Nothing is read any more, so that what went wrong has to be asked for.
                let failure = stream.socket?.failure() ?? 0
                if failure != 0 || readiness.contains(.failed) {
                    return try close(stream, StreamClosure(failure, whileOpening: false))
                }
            } else {
                try read(stream)
            }
        }
        guard streams[number] === stream else { return }
        if readiness.contains(.writable), let room = stream.becameWritable() {
            try handle(.streamWritable(stream.id, byteCount: room), at: configuration.clock.now)
        }
        guard streams[number] === stream else { return }
        if stream.isOver { remove(stream) } else { arrangeWaiting(stream) }
    }

    private mutating func read(_ stream: HostStream) throws(HostError) {
        for _ in 0..<turnLimit {
            switch streamRoom.read(from: stream) {
            case .nothing: return
            case .octets(let count):
                advance(to: configuration.clock.now)
                streamRoom.hand(count, of: stream.id, to: &machine, at: now, into: &outbox)
                try carryOut()
                guard streams[stream.id.rawValue] === stream else { return }
            case .end:
                stream.isPeerFinished = true
                try handle(.streamClosed(stream.id, .finished), at: configuration.clock.now)
                return
            case .failed(let number):
                return try close(stream, StreamClosure(number, whileOpening: false))
            }
        }
    }

    /// Ends a stream that came to an end by itself, and tells the machine.
    private mutating func close(_ stream: HostStream, _ closure: StreamClosure) throws(HostError) {
        remove(stream)
        try handle(.streamClosed(stream.id, closure), at: configuration.clock.now)
    }

    private mutating func remove(_ stream: HostStream) {
        if streams[stream.id.rawValue] === stream { streams[stream.id.rawValue] = nil }
        // Closing it ends the waiting for it.
        stream.socket = nil
        for place in pausedListeners {
            try? poll.change(
                listeners[place].number, for: .readable, token: Token(.listener, UInt32(place)).rawValue)
        }
        pausedListeners.removeAll()
    }

    /// Has the poll wait for what the stream now waits for.
    private mutating func arrangeWaiting(_ stream: HostStream, isNew: Bool = false) {
        let wanted = stream.wanted
        guard isNew || wanted != stream.awaited, let number = stream.socket?.number else { return }
        let token = Token(.stream, stream.id.rawValue).rawValue
        // Only a want of memory makes this fail; the stream then stands still, as behind a dead network.
        if isNew {
            try? poll.add(number, for: wanted, token: token)
        } else {
            try? poll.change(number, for: wanted, token: token)
        }
        stream.awaited = wanted
    }
}

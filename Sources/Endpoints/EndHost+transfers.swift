import Basics
import Machine
import Traffic
import Wire

/// How long a source waits before it opens a stream again that has failed.
private let retryDelay: Interval = .seconds(1)

// The flows of streams: what wakes them, what their streams' ends mean for them.
extension EndHost {
    /// Lets a source go on: its start, a think time or a retry has come, or its stop.
    mutating func advance(_ flow: Int, at now: Instant, into outbox: inout Outbox) {
        guard now < streamFlows[flow].stop else { return stop(flow, at: now, into: &outbox) }
        switch streamFlows[flow].driver {
        case .file(let profile):
            deadlines[streamFlows[flow].timer] = streamFlows[flow].stop
            guard streamFlows[flow].lanes.allSatisfy({ $0 == nil }) else { return }
            let sender = FileSender(
                profile, flow: streamFlows[flow].number, startedAt: streamFlows[flow].start)
            open(lane: 0, of: flow, half: .fileSender(sender), into: &outbox)
        case .web(let profile, var session):
            // Taken out for the time, so that the session exists once.
            streamFlows[flow].driver = .done
            let waitsUntil = browse(flow, &session, at: now, into: &outbox)
            streamFlows[flow].driver = .web(profile, session)
            deadlines[streamFlows[flow].timer] = min(waitsUntil, streamFlows[flow].stop)
        case .sink, .done:
            break
        }
    }

    /// Gives up what a source is doing.
    mutating func stop(_ flow: Int, at now: Instant, into outbox: inout Outbox) {
        guard streamFlows[flow].role == .source else { return }
        if streamFlows[flow].meter.isInTransfer { streamFlows[flow].meter.endTransfer(at: now) }
        let isFile = if case .fileTransfer = streamFlows[flow].application { true } else { false }
        for lane in streamFlows[flow].lanes.indices {
            guard let place = streamFlows[flow].lanes[lane] else { continue }
            streamFlows[flow].lanes[lane] = nil
            if isFile, connections[place]?.isOpen == true {
                finish(place, into: &outbox)
            } else {
                abort(place, into: &outbox)
            }
        }
        streamFlows[flow].driver = .done
    }

    mutating func laneOpened(_ place: Int, at now: Instant, into outbox: inout Outbox) {
        guard let connection = connections[place], let flow = connection.flow else { return }
        guard case .web(let profile, var session) = streamFlows[flow].driver else { return }
        session.opened(lane: connection.lane)
        streamFlows[flow].driver = .web(profile, session)
        advance(flow, at: now, into: &outbox)
    }

    /// A stream is gone before its time.
    mutating func lostLane(
        of connection: Connection?, from place: Int, at now: Instant, into outbox: inout Outbox
    ) {
        guard let connection, holdsLane(connection, at: place), let flow = connection.flow else { return }
        streamFlows[flow].lanes[connection.lane] = nil
        switch streamFlows[flow].driver {
        case .file:
            deadlines[streamFlows[flow].timer] = min(now + retryDelay, streamFlows[flow].stop)
        case .web(let profile, var session):
            session.failed(lane: connection.lane, at: now)
            streamFlows[flow].driver = .web(profile, session)
            advance(flow, at: now, into: &outbox)
        case .sink, .done:
            break
        }
    }

    /// Whether a flow still counts on that stream.
    func holdsLane(_ connection: Connection, at place: Int) -> Bool {
        guard !connection.id.isIncoming, let flow = connection.flow else { return false }
        return streamFlows[flow].lanes[connection.lane] == place
    }

    /// Counts octets of a stream once its flow is known; false where that is none of this host's.
    private mutating func count(_ byteCount: Int, on place: Int, named number: UInt32?, at now: Instant) -> Bool {
        let uncounted = (connections[place]?.uncountedByteCount ?? 0) &+ byteCount
        guard let number else {
            connections[place]?.uncountedByteCount = uncounted
            return true
        }
        guard let flow = sink(number, of: place) else { return false }
        connections[place]?.flow = flow
        connections[place]?.uncountedByteCount = 0
        streamFlows[flow].meter.receive(streamByteCount: uncounted, at: now)
        return true
    }

    /// The place of the flow that a stream has named, which is the one that it named last as a rule.
    private func sink(_ number: UInt32, of place: Int) -> Int? {
        if let flow = connections[place]?.flow, streamFlows[flow].number == number { return flow }
        return sinkTable[UInt64(number)].map { Int($0) }
    }
}

// File transfers
extension EndHost {
    mutating func received(
        _ bytes: RawSpan, by receiver: FileReceiver, on place: Int, at now: Instant, into outbox: inout Outbox
    ) {
        var receiver = receiver
        let wasComplete = receiver.isComplete
        let wasKnown = receiver.preamble != nil
        guard receiver.receive(bytes) else { return refuse(place, into: &outbox) }
        if !wasKnown, let preamble = receiver.preamble, let flow = sinkTable[UInt64(preamble.flow)],
            !streamFlows[Int(flow)].meter.isInTransfer
        {
            let begin = min(max(preamble.startedAt, streamFlows[Int(flow)].start), now)
            streamFlows[Int(flow)].meter.beginTransfer(at: begin)
        }
        guard count(bytes.byteCount, on: place, named: receiver.preamble?.flow, at: now) else {
            return refuse(place, into: &outbox)
        }
        connections[place]?.half = .fileReceiver(receiver)
        if !wasComplete, receiver.isComplete { fileEnded(receiver, on: place, at: now) }
    }

    /// A file's last octet has come, or its stream's end.
    mutating func fileEnded(_ receiver: FileReceiver, on place: Int, at now: Instant) {
        guard let preamble = receiver.preamble, let flow = connections[place]?.flow,
            streamFlows[flow].meter.isInTransfer
        else { return }
        let duration = preamble.startedAt < now ? now - preamble.startedAt : .zero
        streamFlows[flow].meter.endTransfer(completionTime: receiver.isComplete ? duration : nil, at: now)
    }

    /// The other end has read a file to its end and said so; until then it might have to be sent again.
    mutating func fileAcknowledged(on place: Int) {
        guard let connection = connections[place], holdsLane(connection, at: place), let flow = connection.flow,
            case .file = streamFlows[flow].driver
        else { return }
        streamFlows[flow].driver = .done
        streamFlows[flow].lanes[connection.lane] = nil
        deadlines[streamFlows[flow].timer] = .never
    }
}

// Exchanges
extension EndHost {
    mutating func received(
        _ bytes: RawSpan, by server: ExchangeServer, on place: Int, at now: Instant, into outbox: inout Outbox
    ) {
        var server = server
        guard server.receive(bytes), count(bytes.byteCount, on: place, named: server.flow, at: now) else {
            return refuse(place, into: &outbox)
        }
        connections[place]?.half = .exchangeServer(server)
        pump(place, at: now, into: &outbox)
    }

    mutating func received(
        _ bytes: RawSpan, by client: ExchangeClient, request: UInt64?, on place: Int, at now: Instant,
        into outbox: inout Outbox
    ) {
        guard let connection = connections[place], let flow = connection.flow else { return }
        var client = client
        let progress = client.receive(bytes)
        streamFlows[flow].meter.receive(streamByteCount: bytes.byteCount, at: now)
        connections[place]?.half = .exchangeClient(client, request: request)
        switch progress {
        case .unfinished:
            break
        case .wrong:
            abort(place, into: &outbox)
            lostLane(of: connection, from: place, at: now, into: &outbox)
        case .complete:
            guard case .web(let profile, var session) = streamFlows[flow].driver else { return }
            session.responded(lane: connection.lane)
            streamFlows[flow].driver = .web(profile, session)
            advance(flow, at: now, into: &outbox)
        }
    }

    /// Writes a request, if there is room for all of it.
    mutating func ask(for byteCount: UInt64, of flow: Int, room: Int, into outbox: inout Outbox) -> Bool {
        guard case .web(let profile) = streamFlows[flow].application, room >= profile.requestByteCount + 256 else {
            return false
        }
        _ = Exchange.appendRequest(
            flow: streamFlows[flow].number, responseByteCount: byteCount, byteCount: profile.requestByteCount,
            to: &outbox.arena)
        return true
    }

    /// Carries a reader's steps out until it waits, and says until when.
    private mutating func browse(
        _ flow: Int, _ session: inout WebSession, at now: Instant, into outbox: inout Outbox
    ) -> Instant {
        while true {
            switch session.step(at: now) {
            case .open(let lane):
                open(lane: lane, of: flow, half: .exchangeClient(ExchangeClient(), request: nil), into: &outbox)
            case .request(let lane, let byteCount):
                guard let place = streamFlows[flow].lanes[lane] else { break }
                var client = ExchangeClient()
                client.ask(byteCount: byteCount)
                connections[place]?.half = .exchangeClient(client, request: byteCount)
                pump(place, at: now, into: &outbox)
            case .close(let lane):
                guard let place = streamFlows[flow].lanes[lane] else { break }
                streamFlows[flow].lanes[lane] = nil
                if connections[place]?.isOpen == true {
                    finish(place, into: &outbox)
                } else {
                    abort(place, into: &outbox)
                }
            case .begun:
                streamFlows[flow].meter.beginTransfer(at: now)
            case .completed(let duration):
                streamFlows[flow].meter.endTransfer(completionTime: duration, at: now)
            case .wait(let instant):
                return instant
            case .idle:
                return .never
            }
        }
    }
}

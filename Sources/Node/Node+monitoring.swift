import BGP
import Basics
import Machine
import Wire

// Collectors get what the speaker gets, just before it does, and what it answers (BMP,
// RFC 7854). They are reached like any other address: by the host's own routes, so that
// one on a link, on a LAN or across the overlay will do. Whether one is there or not, its
// feed follows the sessions, for their OPENs are told to whoever comes later.

extension Node {
    /// How the connections to the collectors stand, in the order of the configuration.
    public var collectorStatuses: [CollectorStatus] { collectors.map(\.status) }

    static func collectors(_ configuration: NodeConfiguration, _ speaker: inout Speaker) -> ContiguousArray<
        CollectorStream
    > {
        guard !configuration.collectors.isEmpty else { return [] }
        speaker.reportsBestRoutes = configuration.collectors.contains(where: \.tellsBestRoutes)
        return ContiguousArray(
            configuration.collectors.map { collector in
                CollectorStream(
                    collector,
                    feed: MonitoringFeed(
                        speaker.configuration, name: configuration.name, tellsBestRoutes: collector.tellsBestRoutes,
                        epoch: configuration.epoch))
            })
    }

    mutating func startMonitoring(into outbox: inout Outbox) {
        for place in collectors.indices { callCollector(place, into: &outbox) }
    }

    private mutating func callCollector(_ place: Int, into outbox: inout Outbox) {
        let stream = streams.number()
        let remote = collectors[place].collector.address
        collectors[place].stream = stream
        outbox.append(.connect(stream, from: remote.address.isIPv4 ? .v4(.any) : .v6(.any), to: remote))
    }

    /// The collector that a stream leads to; nil where it is a BGP session's.
    func collector(at stream: StreamID) -> Int? { collectors.firstIndex { $0.stream == stream } }

    // MARK: Their connections

    mutating func collectorOpened(_ place: Int, at now: Instant, into outbox: inout Outbox) {
        collectors[place].opened()
        armStatistics(of: place, at: now)
        let start = outbox.arena.count
        collectors[place].feed.begin(at: now, to: &outbox.arena)
        write(from: start, to: place, at: now, into: &outbox)
        catchUp(place, at: now, into: &outbox)
    }

    mutating func collectorWritable(_ place: Int, byteCount: Int, at now: Instant, into outbox: inout Outbox) {
        guard collectors[place].openStream != nil else { return }
        collectors[place].room = byteCount
        catchUp(place, at: now, into: &outbox)
    }

    mutating func collectorClosed(
        _ place: Int, _ closure: StreamClosure, at now: Instant, into outbox: inout Outbox
    ) {
        // One that says nothing more may also read nothing more, and what waits for it would wait for ever.
        if closure == .finished, let stream = collectors[place].stream { outbox.append(.abort(stream)) }
        lose(place, at: now)
    }

    /// Calls a collector again, or tells one that is there how much has come about.
    mutating func wakeCollector(_ place: Int, at now: Instant, into outbox: inout Outbox) {
        guard collectors[place].openStream != nil else { return callCollector(place, into: &outbox) }
        guard !collectors[place].isBehind else {
            armStatistics(of: place, at: now)
            return catchUp(place, at: now, into: &outbox)
        }
        let start = outbox.arena.count
        collectors[place].feed.tellStatistics(of: speaker, at: now, to: &outbox.arena)
        armStatistics(of: place, at: now)
        write(from: start, to: place, at: now, into: &outbox)
    }

    mutating func endMonitoring(into outbox: inout Outbox) {
        for place in collectors.indices {
            timers.set(timer(forCollector: place), at: nil)
            if let stream = collectors[place].openStream {
                let start = outbox.arena.count
                collectors[place].feed.end(to: &outbox.arena)
                outbox.append(.write(stream, ByteRange(start: start, count: outbox.arena.count - start)))
                outbox.append(.finish(stream))
            } else if let stream = collectors[place].stream {
                outbox.append(.abort(stream))
            }
            collectors[place].closed()
        }
    }

    // MARK: What they are told

    /// Takes a connection of the speaker's, before it does.
    mutating func monitor(
        connection: ConnectionID, of peer: Int, local: SocketAddress, remote: SocketAddress
    ) {
        for place in collectors.indices {
            collectors[place].feed.connected(peer: peer, connection: connection, local: local, remote: remote)
        }
    }

    /// Takes octets for the speaker, before it does.
    mutating func monitor(
        _ bytes: RawSpan, on connection: ConnectionID, at now: Instant, into outbox: inout Outbox
    ) {
        for place in collectors.indices {
            let start = outbox.arena.count
            collectors[place].feed.received(bytes, on: connection, at: now, to: &outbox.arena)
            write(from: start, to: place, at: now, into: &outbox)
        }
    }

    /// Takes the end of a connection, before the speaker does.
    mutating func monitor(endOf connection: ConnectionID) {
        for place in collectors.indices { collectors[place].feed.closed(connection) }
    }

    /// Takes what the speaker wants done, before it is.
    mutating func monitorSpeaker(at now: Instant, into outbox: inout Outbox) {
        for place in collectors.indices {
            let start = outbox.arena.count
            collectors[place].feed.observe(routing, of: speaker, at: now, to: &outbox.arena)
            write(from: start, to: place, at: now, into: &outbox)
        }
    }

    /// Tells as much of what stood when the connection came about as the host takes.
    private mutating func catchUp(_ place: Int, at now: Instant, into outbox: inout Outbox) {
        guard collectors[place].isBehind else { return }
        let start = outbox.arena.count
        let room = collectors[place].room
        var rest = CollectorStream.workLimit
        while room - (outbox.arena.count - start) >= CollectorStream.leastRoom {
            guard rest > 0 else {
                // Prefixes of which there is nothing to tell take no room.
                timers.set(timer(forCollector: place), at: now)
                break
            }
            rest -= 1
            guard let prefix = collectors[place].nextUntold(in: speaker) else {
                collectors[place].feed.tellEndOfRoutes(at: now, to: &outbox.arena)
                collectors[place].caughtUp()
                break
            }
            collectors[place].feed.tellRoutes(to: prefix, in: speaker, at: now, to: &outbox.arena)
        }
        write(from: start, to: place, at: now, into: &outbox)
    }

    /// Has what stands in the arena from there on written to a collector, if one is there to read it.
    private mutating func write(from start: Int, to place: Int, at now: Instant, into outbox: inout Outbox) {
        let count = outbox.arena.count - start
        guard count > 0, let stream = collectors[place].openStream else { return }
        outbox.append(.write(stream, ByteRange(start: start, count: count)))
        collectors[place].room -= count
        guard collectors[place].room < -CollectorStream.waitingLimit else { return }
        // To begin anew costs the tables once; to let it wait would cost all that ever changes.
        outbox.append(.abort(stream))
        collectors[place].status.overrunCount += 1
        lose(place, at: now)
    }

    private mutating func lose(_ place: Int, at now: Instant) {
        collectors[place].closed()
        timers.set(timer(forCollector: place), at: now + collectors[place].collector.retryInterval)
    }

    private mutating func armStatistics(of place: Int, at now: Instant) {
        timers.set(timer(forCollector: place), at: collectors[place].collector.statisticsInterval.map { now + $0 })
    }

    func timer(forCollector place: Int) -> Int { timer(forNeighbor: neighborLiveness.count) + place }
}

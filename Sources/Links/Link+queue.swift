public import Basics
import Telemetry

extension Link {
    /// What waits for the transmitter; the packet in transmission and those on the way do not count.
    public func waiting(at now: Instant) -> (packets: Int, bytes: UInt64) {
        if let activeQueue { return (activeQueue.count, activeQueue.byteCount) }
        var packets = 0
        var bytes: UInt64 = 0
        func count(_ ring: Ring<Flight>) {
            var index = ring.count - 1
            while index >= 0, ring[index].start > now {
                packets += 1
                bytes += UInt64(ring[index].packet.byteCount)
                index -= 1
            }
        }
        count(travelling)
        count(leaving)
        return (packets, bytes)
    }

    /// Builds the empty queue that the profile asks for.
    mutating func makeQueue() {
        switch profile.discipline {
        case .dropTail: activeQueue = nil
        case .coDel: activeQueue = ActiveQueue(isFair: false, perturbation: 0)
        case .fairQueueCoDel: activeQueue = ActiveQueue(isFair: true, perturbation: queueRandom.next())
        }
        decision = .never
    }

    @inline(never)
    mutating func offerToActiveQueue(_ packet: QueuedPacket, at now: Instant) -> Offer {
        if decision <= now { serve(until: now) }
        let start = decision == .never ? transmitter.nextStart(ready: now) : decision
        let isFair = profile.discipline == .fairQueueCoDel
        guard start <= now || isFair || hasRoom(for: packet) else { return refuse(.queueFull) }
        activeQueue?.append(WaitingPacket(packet: packet, sequence: sequence, since: now))
        decision = start
        serve(until: now)
        if isFair { trim(at: now) }
        return .accepted
    }

    /// Gives the transmitter what it has time for, each packet at the instant at which it is free.
    mutating func serve(until now: Instant) {
        while decision <= now, decision < .never {
            let start = decision
            let before = fallen.count
            let waiting = activeQueue?.popNext(at: start, dropped: &fallen)
            if before == 0 { fallenSince = start }
            if let waiting {
                let departure = transmitter.send(byteCount: waiting.packet.byteCount)
                launch(
                    Flight(
                        packet: waiting.packet, sequence: waiting.sequence, start: start, departure: departure,
                        due: departure))
            }
            decision = activeQueue?.count == 0 ? .never : transmitter.nextStart(ready: .zero)
        }
        refreshDue()
    }

    private func hasRoom(for packet: QueuedPacket) -> Bool {
        let (packets, bytes) = (activeQueue?.count ?? 0, activeQueue?.byteCount ?? 0)
        return !isOver(packets: packets + 1, bytes: bytes + UInt64(packet.byteCount))
    }

    private func isOver(packets: Int, bytes: UInt64) -> Bool {
        switch profile.queue {
        case .packets(let most): packets > Int(most)
        case .bytes(let most): bytes > most
        case .time(let longest):
            if let rate = profile.trace?.meanRate ?? profile.rate {
                bytes > UInt64(rate.byteCount(in: longest))
            } else {
                false
            }
        }
    }

    private mutating func trim(at now: Instant) {
        let before = fallen.count
        while let (packets, bytes) = activeQueue.map({ ($0.count, $0.byteCount) }), packets > 0,
            isOver(packets: packets, bytes: bytes)
        {
            activeQueue?.dropFromFattest(into: &fallen)
        }
        guard fallen.count > before else { return }
        if before == 0 { fallenSince = now }
        if activeQueue?.count == 0 { decision = .never }
        refreshDue()
    }
}

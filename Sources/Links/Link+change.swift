public import Basics
import Telemetry

extension Link {
    /// Changes what is configured while packets wait and fly.
    ///
    /// What has started to be sent keeps its arrival and its fate; what waits is sent by the new rate and meets the
    /// new impairments, in the old order, and overtakes nothing even where the delay has become shorter. A lower
    /// queue limit drops nothing that waits already. A new trace starts `now`.
    public mutating func change(to newProfile: LinkProfile, at now: Instant) {
        if decision <= now { serve(until: now) }
        let hasNewDiscipline = newProfile.discipline != profile.discipline
        let hasNewService =
            newProfile.trace != profile.trace || (newProfile.trace == nil && newProfile.rate != profile.rate)
        profile = newProfile
        impairments.change(to: newProfile)
        var unsent = recallUnsent(at: now)
        if let first = unsent.first { impairments.rewind(to: first) }
        if hasNewDiscipline { drainActiveQueue(into: &unsent) }
        let isRebooked = hasNewService || hasNewDiscipline
        if isRebooked {
            let busyUntil = max(travelling.last?.departure ?? .zero, leaving.last?.departure ?? .zero)
            transmitter.restart(newProfile, from: max(now, busyUntil), at: now)
        }
        if hasNewDiscipline { makeQueue() }
        backlog = Backlog(limit: newProfile.queue)
        if activeQueue == nil {
            for flight in unsent { relaunch(flight, isRebooked: isRebooked, at: now) }
        } else {
            for flight in unsent {
                let since = min(flight.start, now)
                activeQueue?.append(WaitingPacket(packet: flight.packet, sequence: flight.sequence, since: since))
            }
            if isRebooked { decision = activeQueue?.count == 0 ? .never : transmitter.nextStart(ready: now) }
            serve(until: now)
        }
        refreshDue()
    }

    /// Takes the link up or down.
    ///
    /// Going down drops everything inside, which `next(at:)` then reports, and whatever is offered until it is up.
    public mutating func setUp(_ up: Bool, at now: Instant) {
        guard up != isUp else { return }
        isUp = up
        guard !up else { return }
        if fallen.isEmpty { fallenSince = now }
        while let flight = travelling.popFirst() {
            fallen.append(Fallen(token: flight.packet.token, cause: .linkDown))
        }
        while let flight = leaving.popFirst() {
            fallen.append(Fallen(token: flight.packet.token, cause: .linkDown))
        }
        for waiting in activeQueue?.removeAll() ?? [] {
            fallen.append(Fallen(token: waiting.packet.token, cause: .linkDown))
        }
        decision = .never
        lastArrival = .zero
        backlog.removeAll()
        transmitter.restart(profile, from: now, at: now)
        refreshDue()
    }

    /// Takes back what is booked but has not started, in the order in which it was offered.
    private mutating func recallUnsent(at now: Instant) -> [Flight] {
        var unsent: [Flight] = []
        while let last = travelling.last, last.start > now {
            unsent.append(last)
            _ = travelling.popLast()
        }
        while let last = leaving.last, last.start > now {
            unsent.append(last)
            _ = leaving.popLast()
        }
        lastArrival = travelling.last?.due ?? .zero
        sortBySequence(&unsent)
        return unsent
    }

    private mutating func drainActiveQueue(into unsent: inout [Flight]) {
        for waiting in activeQueue?.removeAll() ?? [] {
            let since = waiting.since
            unsent.append(
                Flight(packet: waiting.packet, sequence: waiting.sequence, start: since, departure: since, due: since))
        }
        sortBySequence(&unsent)
    }

    /// The numbers wrap, and those inside lie close together.
    private func sortBySequence(_ flights: inout [Flight]) {
        flights.sort { Int32(bitPattern: $0.sequence &- $1.sequence) < 0 }
    }

    private mutating func relaunch(_ flight: Flight, isRebooked: Bool, at now: Instant) {
        var flight = flight
        if isRebooked {
            flight.start = transmitter.nextStart(ready: now)
            flight.departure = transmitter.send(byteCount: flight.packet.byteCount)
        }
        if flight.start > now { backlog.note(flight.packet, until: flight.start) }
        launch(flight)
    }
}

import Basics
import Dataplane
import LinuxSystem
import Machine
import Telemetry
import Wire

extension MachineHost where Machine: ~Copyable {
    /// Carries everything out that the machine has asked for, in order, with what it asks for meanwhile.
    mutating func carryOut() throws(HostError) {
        var position = 0
        while position < outbox.count {
            switch outbox[position] {
            case .send(let socket, let remote, let range): prepareSending(range, from: socket, to: remote)
            case .deliver(let range): deliver(range)
            case .report(let record): report(record, now)
            case let action:
                // A flow's first packet leaves before the data plane sends the others.
                sendPrepared()
                try carryOut(action)
            }
            position += 1
        }
        sendPrepared()
        changeRoutes()
        outbox.removeAll()
    }

    private mutating func carryOut(_ action: Action) throws(HostError) {
        switch action {
        case .bind(let id, let local, let port): try bind(id, local, port)
        case .secure(let id, let hopLimit): try secure(id, hopLimit: hopLimit)
        case .listen(let address): try listen(at: address)
        case .protect(let peer, let key, let leastHopLimit): protect(peer, key: key, leastHopLimit: leastHopLimit)
        case .connect(let id, let source, let remote): connect(id, from: source, to: remote)
        case .write(let id, let range): write(range, to: id)
        case .finish(let id): finish(id)
        case .abort(let id): abort(id)
        case .program(let change): try program(change)
        case .readTunnel(let tunnel): readTunnel(tunnel)
        case .send, .deliver, .report: break
        }
    }

    /// Hands the machine what answers an action, whose own actions follow those that wait.
    mutating func answer(_ event: borrowing Event) {
        machine.handle(event, at: now, into: &outbox)
    }
}

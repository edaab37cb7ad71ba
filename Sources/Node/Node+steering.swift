import Basics
import Machine
import Steering
import Telemetry
import Tunnel
import Wire

extension Node {
    func candidate(for end: TunnelEnd) -> Steering.PathCandidate {
        Steering.PathCandidate(
            tunnel: end.id, site: UInt32(end.peer), localPort: configuration.ports[end.port].name,
            remotePort: end.remotePort)
    }

    /// The tunnel that a packet to a peer takes.
    mutating func selectPath(
        for head: PacketHead, toward peer: Int, at now: Instant, into outbox: inout Outbox
    ) -> TunnelID? {
        let path = steering.select(head, site: UInt32(peer), at: now, into: &steeringChanges)
        if !steeringChanges.isEmpty { reportChanges(into: &outbox) }
        return path
    }

    /// Tells steering what a tunnel is like now; `isMeasured` where there is a new sample.
    mutating func updateSteering(_ place: Int, isMeasured: Bool, at now: Instant, into outbox: inout Outbox) {
        steering.update(
            tunnels[place].end.id, isUp: tunnels[place].isUp,
            sample: isMeasured ? sendingSample(of: place) : nil, at: now, into: &steeringChanges)
        if !steeringChanges.isEmpty { reportChanges(into: &outbox) }
        takeBackMovedFlows(at: now, into: &outbox)
        armSteering()
    }

    /// A tunnel's sample with latency, jitter and loss of the direction that this node steers, as the other end
    /// reports them; the other direction is steered by the other end.
    private func sendingSample(of place: Int) -> PathSample {
        var sample = tunnels[place].tunnel.sample
        guard let report = tunnels[place].tunnel.peerReport else { return sample }
        sample.jitter = report.jitter
        sample.latency = report.latency ?? Interval(nanoseconds: -1)
        // One packet lost of a path's first twenty says nothing yet, and must not move traffic.
        if report.received > 0, report.expected > report.received {
            let lost = report.expected - report.received
            sample.lossSent = Ratio(UInt64(lost), of: UInt64(max(report.expected, packetsThatTell(of: place))))
        }
        return sample
    }

    /// How many packets a window of a tunnel's loss holds at least, once it is full.
    private func packetsThatTell(of place: Int) -> UInt32 {
        let tunnel = tunnels[place].tunnel.configuration
        let probes = tunnel.window.nanoseconds * 10 / tunnel.probeInterval.nanoseconds
        return min(tunnel.lossResolution, UInt32(clamping: probes))
    }

    mutating func wakeSteering(at now: Instant, into outbox: inout Outbox) {
        steering.wake(at: now, into: &steeringChanges)
        reportChanges(into: &outbox)
        takeBackMovedFlows(at: now, into: &outbox)
        armSteering()
    }

    mutating func armSteering() {
        timers.set(Timer.steering, at: steering.nextDeadline)
    }

    private mutating func reportChanges(into outbox: inout Outbox) {
        for change in steeringChanges { outbox.append(.report(change)) }
        steeringChanges.removeAll(keepingCapacity: true)
    }
}

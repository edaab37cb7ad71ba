import BFD
import Basics
import Machine
import Telemetry
import Tunnel
import Wire

/// One tunnel as its node runs it: the encapsulation, the BFD session inside, the verdict.
///
/// It cannot be copied, so that looking at one field never moves all of it.
struct TunnelRuntime: ~Copyable {
    let end: TunnelEnd
    let socket: SocketID
    let remote: SocketAddress
    /// What BFD and the port say together.
    var isUp = false
    /// How many restarts of the other end are known to routing.
    var restartsNoted: UInt64 = 0
    /// What the data plane had received from it, and should have, when it was last asked.
    var carried: (received: UInt64, expected: UInt64) = (0, 0)
    var liveness: BFD.Session
    var tunnel: Tunnel

    init(
        _ end: TunnelEnd, _ configuration: NodeConfiguration, place: Int, random: inout SeededRandom, at now: Instant
    ) {
        self.end = end
        socket = SocketID(UInt32(end.port))
        remote = SocketAddress(end.remoteAddress, port: GenevePort.number)
        tunnel = Tunnel(
            TunnelConfiguration(
                number: end.id.rawValue, probeInterval: configuration.probeInterval,
                detectMultiplier: Int(configuration.detectMultiplier), clocksShared: configuration.clocksShared),
            random: random.fork(), at: now)
        liveness = BFD.Session(
            BFD.Session.Configuration(
                desiredMinTx: configuration.probeInterval, requiredMinRx: configuration.probeInterval,
                detectMultiplier: configuration.detectMultiplier, localDiscriminator: UInt32(place + 1)),
            random: random.fork(), at: now)
    }

    // A node has hundreds of tunnels, and hears from each ten times a second: what it needs of one is never in the
    // cache, and is fetched at once as soon as it is known which one it is.

    mutating func prepareTunnel() {
        unsafe withUnsafePointer(to: &tunnel) { unsafe prefetch($0, byteCount: Tunnel.busyByteCount) }
    }

    mutating func prepareLiveness() {
        unsafe withUnsafePointer(to: &liveness) {
            unsafe prefetch($0, byteCount: MemoryLayout<BFD.Session>.size)
        }
    }
}

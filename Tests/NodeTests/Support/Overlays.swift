import Basics
import Machine
import Node
import Steering
import Telemetry
import Wire

/// Small overlays for tests.
///
/// Site `n` (from 0) has the overlay address 10.255.0.n+1, the LANs 10.n+1.0.0/16 and
/// fd00:n+1::/48, and ports `wan-a` and `wan-b`; the tunnel of number `i` runs over the
/// pipe of index `i`.
enum Overlays {
    static let voice = Steering.SLAClass(
        name: "voice", latency: .milliseconds(150), jitter: .milliseconds(30), loss: Ratio(0.01))

    /// Calls hold to their class and want `wan-a`; everything else goes by the built-in class.
    static func steering(failbackDelay: Interval = .seconds(5)) -> Steering.Configuration {
        var steering = Steering.Configuration(policies: [
            Steering.Policy(
                name: "voice", match: Steering.Match(application: .voip), slaClass: voice, prefer: ["wan-a"],
                priority: 200)
        ])
        steering.rules.failbackDelay = failbackDelay
        return steering
    }

    static func overlayAddress(_ site: Int) -> IPv4Address { IPv4Address(10, 255, 0, UInt8(site + 1)) }
    static func lan4(_ site: Int) -> IPPrefix { .v4(IPv4Prefix(IPv4Address(10, UInt8(site + 1), 0, 0), length: 16)) }
    static func lan6(_ site: Int) -> IPPrefix {
        .v6(IPv6Prefix(IPv6Address(high: 0xFD00_0000_0000_0000 | UInt64(site + 1) << 32, low: 0), length: 48))
    }

    static func portAddress(_ site: Int, _ port: Int) -> IPAddress {
        .v4(IPv4Address(198, 51, UInt8(100 + port), UInt8(site + 1)))
    }

    /// Nodes joined by those pipes; two are peers where a pipe joins them.
    static func configurations(
        _ count: Int, pipes: [Pipe], steering: Steering.Configuration, change: (Int, inout NodeConfiguration) -> Void
    ) -> [NodeConfiguration] {
        (0..<count).map { site in
            let others = (0..<count).filter { other in pipes.contains { $0.joins(site, other) } }
            var configuration = NodeConfiguration(
                name: "site-\(site)", autonomousSystem: 65_001 + UInt32(site), overlayAddress: overlayAddress(site),
                lan: [lan4(site), lan6(site)],
                ports: (0..<2).map {
                    WANPort(id: PortID(UInt16($0)), name: ["wan-a", "wan-b"][$0], address: portAddress(site, $0))
                },
                peers: others.map {
                    OverlayPeer(
                        name: "site-\($0)", autonomousSystem: 65_001 + UInt32($0), overlayAddress: overlayAddress($0))
                },
                tunnels: pipes.enumerated().compactMap { number, pipe in
                    guard pipe.ends.0.site == site || pipe.ends.1.site == site else { return nil }
                    let (near, far) = pipe.ends.0.site == site ? pipe.ends : (pipe.ends.1, pipe.ends.0)
                    guard let peer = others.firstIndex(of: far.site) else { return nil }
                    return TunnelEnd(
                        id: TunnelID(UInt32(number)), peer: peer, port: near.port,
                        remoteAddress: portAddress(far.site, far.port), remotePort: ["wan-a", "wan-b"][far.port])
                }, steering: steering)
            change(site, &configuration)
            return configuration
        }
    }

    /// Two sites, and a tunnel from each port of one to the same port of the other.
    static func pair(
        seed: UInt64 = 1, delays: [Interval] = [.milliseconds(15), .milliseconds(39)],
        failbackDelay: Interval = .seconds(5), keepsFingerprint: Bool = false,
        change: (Int, inout NodeConfiguration) -> Void = { _, _ in }
    ) -> World {
        let pipes = delays.enumerated().map {
            Pipe(Pipe.End(site: 0, port: $0.offset), Pipe.End(site: 1, port: $0.offset), delay: $0.element)
        }
        return World(
            configurations(2, pipes: pipes, steering: steering(failbackDelay: failbackDelay), change: change),
            pipes: pipes, seed: seed, keepsFingerprint: keepsFingerprint)
    }

    /// A hub (site 0) and spokes, each joined to it by one tunnel.
    static func star(
        spokes: Int = 2, seed: UInt64 = 1, change: (Int, inout NodeConfiguration) -> Void = { _, _ in }
    ) -> World {
        let pipes = (1...spokes).map {
            Pipe(Pipe.End(site: 0, port: 0), Pipe.End(site: $0, port: 0), delay: .milliseconds(10))
        }
        return World(
            configurations(spokes + 1, pipes: pipes, steering: steering(), change: change), pipes: pipes, seed: seed)
    }

    /// A pair whose sessions all stand.
    static func settledPair(seed: UInt64 = 1, failbackDelay: Interval = .seconds(5)) -> World {
        let world = pair(seed: seed, failbackDelay: failbackDelay)
        world.run(until: .zero + .seconds(12))
        return world
    }
}

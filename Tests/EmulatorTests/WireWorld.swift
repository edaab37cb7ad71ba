import Basics
import Emulator
import Glibc
import Links
import LinuxSystem
import Scenario
import Telemetry
import Wire

/// What this machine lets the tests of wires do.
enum WireAbility {
    /// Whether namespaces and TAPs can be made, which takes privileges and a kernel that has both.
    static let isThere: Bool = {
        guard geteuid() == 0 else { return false }
        do throws(SystemError) {
            _ = try TapDevice(named: "eth0", in: NetworkNamespace())
            return true
        } catch {
            return false
        }
    }()

    static let reason = "needs to be root on a kernel with network namespaces and TUN/TAP"
}

/// Two namespaces and links between them, each with a subnet of its own.
struct WireWorld: ~Copyable {
    let left: NetworkNamespace
    let right: NetworkNamespace
    let wire: UserspaceWire
    let clock: MonotonicClock
    var leftRoutes: RouteSocket
    var rightRoutes: RouteSocket

    static let seed: UInt64 = 7

    /// Makes a world whose links are named `wan-0`, `wan-1`, … and starts its wire, unless told not to.
    init(
        _ profiles: [(forward: LinkProfile, reverse: LinkProfile)], isCaptured: Bool = false, isStarted: Bool = true,
        takesJoinedSegments: Bool = false
    ) throws {
        let left = try Self.namespace()
        let right = try Self.namespace()
        var leftRoutes = try RouteSocket(in: left)
        var rightRoutes = try RouteSocket(in: right)
        let clock = MonotonicClock.startingNow()
        let wire = try UserspaceWire(clock: clock, seed: Self.seed)
        for (number, profile) in profiles.enumerated() {
            let (near, far) = (Self.hardware(number, .forward), Self.hardware(number, .reverse))
            let first = try TapDevice(
                named: "wan-\(number)", in: left, address: near, takesJoinedSegments: takesJoinedSegments)
            let second = try TapDevice(
                named: "wan-\(number)", in: right, address: far, takesJoinedSegments: takesJoinedSegments)
            try Self.configure(&leftRoutes, first.interface, number, .forward)
            try Self.configure(&rightRoutes, second.interface, number, .reverse)
            let link = WireLink(
                "wan-\(number)", forward: profile.forward, reverse: profile.reverse, isCaptured: isCaptured)
            _ = try wire.add(link, between: first, and: second)
        }
        if isStarted { try wire.start() }
        self.left = left
        self.right = right
        self.leftRoutes = leftRoutes
        self.rightRoutes = rightRoutes
        self.clock = clock
        self.wire = wire
    }

    /// A namespace in which nothing is sent that no test asked for.
    private static func namespace() throws(SystemError) -> NetworkNamespace {
        let namespace = try NetworkNamespace()
        for name in ["all", "default"] { try namespace.setParameter("ipv6/conf/\(name)/disable_ipv6", to: "1") }
        return namespace
    }

    /// A world of one link that is the same in both directions.
    init(_ profile: LinkProfile, isCaptured: Bool = false) throws {
        try self.init([(profile, profile)], isCaptured: isCaptured)
    }

    /// The address of the end that a direction comes from.
    static func address(_ link: Int, _ direction: LinkDirection) -> IPv4Address {
        IPv4Address(10, 0, UInt8(link), direction == .forward ? 1 : 2)
    }

    static func hardware(_ link: Int, _ direction: LinkDirection) -> MACAddress {
        MACAddress(locallyAdministered: UInt32(2 * link + (direction == .forward ? 1 : 2)))
    }

    private static func configure(
        _ routes: inout RouteSocket, _ interface: InterfaceIndex, _ link: Int, _ direction: LinkDirection
    ) throws(SystemError) {
        try routes.change {
            $0.changeLink(.index(interface), LinkChange(isUp: true))
            $0.addAddress(InterfaceAddress(.v4(address(link, direction)), prefixLength: 24, on: interface))
            $0.addNeighbour(
                Neighbour(
                    .v4(address(link, direction.opposite)), at: hardware(link, direction.opposite), on: interface))
        }
    }

    /// A socket at the end that a direction comes from.
    func socket(_ direction: LinkDirection) throws -> ProbeSocket {
        direction == .forward ? try ProbeSocket(in: left) : try ProbeSocket(in: right)
    }

    /// Sends datagrams over a link, so many microseconds apart, and returns what arrived.
    func probe(
        _ count: Int, _ direction: LinkDirection = .forward, link: Int = 0, size: Int = 100, apart: UInt32 = 0,
        quiet: Int32 = 300
    ) throws -> [ProbeSocket.Arrival] {
        let sender = try socket(direction)
        let receiver = try socket(direction.opposite)
        for sequence in 0..<count {
            sender.send(UInt32(sequence), size: size, to: Self.address(link, direction.opposite), clock)
            if apart > 0 { usleep(apart) }
        }
        return receiver.arrivals(expecting: .max, quiet: quiet, clock)
    }
}

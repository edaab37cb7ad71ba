import Basics
import Machine
import Steering
import TCP
import Telemetry
import Wire

// A simulated kernel: what Linux does for a node, a host or a router between the
// links and the machine. Frames come in by `receive`, packets of the kernel's own
// sockets go out by `Kernel+UDP` and `Kernel+TCP`; both end in `output`, which
// resolves the neighbour and puts the frame on a link. What concerns the machine
// is returned as a `Disposition`, so that only the device calls the machine.

/// What is left to do with a packet after the kernel has looked at it.
enum Disposition {
    case done
    /// An IP packet without its Ethernet header, for the overlay interface.
    case overlay(PacketID)
    /// The payload of a datagram for a socket of the machine.
    case datagram(PacketID, socket: SocketID, from: SocketAddress, payload: Range<Int>)
    /// A stream has items waiting in the output.
    case stream(Int)
}

/// A packet that waits until the machine's actions have all been carried out.
struct DeferredPacket: BitwiseCopyable {
    enum Kind: BitwiseCopyable {
        case toOverlay
        case toSelf
    }

    let packet: PacketID
    let kind: Kind
}

struct Kernel: ~Copyable {
    private let pinned = Pinned()
    /// Bytes in front of an IP packet in a frame.
    static let ipOffset = EthernetHeader.byteCount
    /// Stands for the overlay interface where a packet's port is asked for.
    static let overlayInterface = -1
    /// Stands for the kernel itself as the source of a packet that it sends to itself.
    static let loopback = -2

    let device: Int
    /// The largest packet that the overlay interface takes where nothing smaller is known of the way.
    let overlayMTU: Int
    /// What a router has said that tunnels can carry, and until when that is believed (RFC 1191 §6.3).
    var reportedOverlayMTU: (size: Int, until: Instant)?
    /// What this kernel's own packets carry as their source on the overlay interface.
    var overlayAddress: IPAddress?
    var ports: ContiguousArray<Port>
    var forwarding = ForwardingTable()
    var cache: DestinationCache
    var neighbors = NeighborTable()
    /// Neighbours of which something new is known, for a data plane; none are noted where there is none.
    var changedNeighbors: ContiguousArray<Int> = []
    var hasDataplane = false
    /// The longest outer packet that a router has said it takes, until the data plane has been told.
    var reportedTunnelMTU: Int?
    var sockets = SocketTable()
    var streams: StreamTable
    var deferred = Ring<DeferredPacket>()
    var errorLimiter = ErrorLimiter()
    var isRunning = true
    /// Whether a timer was set since the device last arranged its wake.
    var hasNewTimer = false
    var identification: UInt16 = 0
    var random: SeededRandom

    init(device: Int, ports: ContiguousArray<Port>, overlayMTU: Int, random: SeededRandom) {
        self.device = device
        self.ports = ports
        self.overlayMTU = overlayMTU
        self.random = random
        streams = StreamTable()
        cache = DestinationCache(portCount: ports.count)
        for (index, port) in ports.enumerated() {
            if let address = port.address4 {
                forwarding.insert(IPPrefix(host: .v4(address)), .local)
                if let gateway = port.gateway4 {
                    forwarding.insert(IPPrefix(host: .v4(gateway)), .port(index, gateway: nil))
                }
            }
            if let address = port.address6 {
                forwarding.insert(IPPrefix(host: .v6(address)), .local)
                if let gateway = port.gateway6 {
                    forwarding.insert(IPPrefix(host: .v6(gateway)), .port(index, gateway: nil))
                }
            }
        }
    }

    /// When a neighbour or a stream wants to be looked at.
    var nextDeadline: Instant {
        min(neighbors.timers.next ?? .never, streams.timers.next ?? .never)
    }

    /// Whether something is known that the data plane has not been told.
    @inline(__always)
    var hasNewsForDataplane: Bool { reportedTunnelMTU != nil || !changedNeighbors.isEmpty }

    /// A frame has arrived at a port.
    mutating func receive(_ packet: PacketID, on port: Int, _ network: inout Network) -> Disposition {
        guard isRunning, ports[port].isUp else {
            network.drop(packet, isRunning ? .portDown : .nodeDown)
            return .done
        }
        guard let head = network.pool.frameHead(packet) else {
            network.drop(packet, .malformed)
            return .done
        }
        guard head.hardware == ports[port].hardware.bits || head.hardware >> 40 & 1 == 1 else {
            network.drop(packet, .notForUs)
            return .done
        }
        switch head.etherType {
        case EtherType.ipv4: return receiveIPv4(packet, head, on: port, &network)
        case EtherType.ipv6: return receiveIPv6(packet, on: port, &network)
        case EtherType.arp: receiveARP(packet, on: port, &network)
        default: network.drop(packet, .unsupported)
        }
        return .done
    }

    /// A packet that the machine handed to the kernel by the overlay interface.
    mutating func receiveFromOverlay(_ packet: PacketID, _ network: inout Network) -> Disposition {
        receiveIP(packet, on: Self.overlayInterface, &network)
    }

    /// A packet that the kernel sent to itself, or one from the overlay whose turn has come.
    mutating func receiveOwn(_ packet: PacketID, _ network: inout Network) -> Disposition {
        receiveIP(packet, on: Self.loopback, &network)
    }

    private mutating func receiveIP(_ packet: PacketID, on port: Int, _ network: inout Network) -> Disposition {
        guard isRunning else {
            network.drop(packet, .nodeDown)
            return .done
        }
        guard let head = network.pool.frameHead(packet) else {
            network.drop(packet, .malformed)
            return .done
        }
        if head.etherType == EtherType.ipv6 { return receiveIPv6(packet, on: port, &network) }
        return receiveIPv4(packet, head, on: port, &network)
    }

    /// Sends a packet, whose Ethernet header is still to be written, along a route.
    mutating func output(
        _ packet: PacketID, to destination: IPAddress, by nextHop: NextHop, _ network: inout Network
    ) {
        switch nextHop {
        case .local:
            deferred.append(DeferredPacket(packet: packet, kind: .toSelf))
        case .overlay:
            network.pool.trimFront(Self.ipOffset, of: packet)
            deferred.append(DeferredPacket(packet: packet, kind: .toOverlay))
        case .port(let port, let gateway):
            output(packet, via: neighbors.number(of: gateway ?? destination, on: port), &network)
        case .spread(let group):
            let hop = hop(of: group, for: packet, network)
            output(packet, via: neighbors.number(of: hop.gateway, on: hop.port), &network)
        }
    }

    /// Puts a packet on the link to a neighbour, or lets it wait until the neighbour has answered.
    mutating func output(_ packet: PacketID, via neighbor: Int, _ network: inout Network) {
        let port = neighbors.neighbors[neighbor].port
        guard ports[port].isUp else { return network.drop(packet, .portDown) }
        switch neighbors.neighbors[neighbor].state {
        case .reachable, .probing:
            network.pool.writeEthernet(
                packet, to: neighbors.neighbors[neighbor].hardware, from: ports[port].hardware)
            network.transmit(packet, on: ports[port].direction)
        case .incomplete:
            wait(packet, for: neighbor, &network)
        case .failed:
            neighbors[neighbor].state = .incomplete
            neighbors[neighbor].attempts = 1
            wait(packet, for: neighbor, &network)
            solicit(neighbor, &network)
        }
    }

    private mutating func wait(_ packet: PacketID, for neighbor: Int, _ network: inout Network) {
        guard neighbors[neighbor].waiting.count < NeighborTable.waitingLimit else {
            return network.drop(packet, .noNeighbor)
        }
        neighbors[neighbor].waiting.append(packet)
    }

    /// The largest packet that the overlay interface takes now.
    func overlayMTU(at now: Instant) -> Int {
        guard let reported = reportedOverlayMTU, now < reported.until else { return overlayMTU }
        return min(overlayMTU, reported.size)
    }

    /// The route to an address, by longest prefix.
    func nextHop(to address: IPAddress) -> NextHop? {
        switch address {
        case .v4(let address): forwarding.nextHop(to: address)
        case .v6(let address): forwarding.nextHop(to: address)
        }
    }

    /// The address that this kernel sends from along a route.
    func sourceAddress(for nextHop: NextHop, to destination: IPAddress) -> IPAddress? {
        if nextHop == .overlay { return overlayAddress?.isIPv4 == destination.isIPv4 ? overlayAddress : nil }
        let port: Int
        switch nextHop {
        case .port(let number, _): port = number
        case .spread(let group): port = hop(of: group, flowHash: 0).port
        case .local, .overlay: return nil
        }
        if destination.isIPv4 { return ports[port].address4.map { .v4($0) } }
        return ports[port].address6.map { .v6($0) }
    }
}

/// Keeps a kernel from answering a flood with a flood: a thousand ICMP errors a second, bursts of fifty.
struct ErrorLimiter {
    private var tokens = 50
    private var filledAt = Instant.zero

    mutating func allows(at now: Instant) -> Bool {
        let earned = (now - filledAt).nanoseconds / 1_000_000
        if earned > 0 {
            tokens = Int(min(50, Int64(tokens) + earned))
            filledAt += .milliseconds(earned)
        }
        guard tokens > 0 else { return false }
        tokens -= 1
        return true
    }
}

import BPF
import Basics
import Dataplane
import Machine
import Telemetry
import Wire

/// What the data plane says of a frame that has arrived at a port.
enum DataplaneOutcome {
    /// The kernel takes it, perhaps without the tunnel's headers that it came in.
    case pass
    case drop(DropCause)
    case transmit(port: Int)
}

/// A simulated node's data plane: the compiled XDP program in the interpreter, and what the host writes into its maps.
struct NodeDataplane: ~Copyable {
    private var hosted: HostedDataplane<InterpretedMaps>
    private let program: Int
    /// How often the program dropped a frame for each of `tellingCauses`, as far as it is known.
    private var causesSeen: ContiguousArray<UInt64>

    /// Why a frame was dropped where the flood guard is not to blame.
    private static let tellingCauses: [(cause: DataplaneCause, drop: DropCause)] = [
        (.denied, .denied), (.tunnelDuplicate, .duplicate), (.tunnelLate, .duplicate), (.noRoom, .tooBig),
        (.noPort, .portDown),
    ]

    /// How much the maps hold of which a node needs less than a machine might.
    private static let sizes: [(DataplaneMap, Int)] = [
        (.flows, 8_192), (.steering, 8_192), (.routes4, 1_024), (.routes6, 1_024), (.rules4, 1_024), (.rules6, 1_024),
    ]

    /// A data plane without ports; flows of other nodes do not change what `random` draws.
    init(_ object: BPFObject, random: consuming SeededRandom) {
        do {
            let machine = try XDPMachine(object, random: random.fork())
            guard let program = machine.program(DataplaneProgram.entryPoint) else {
                preconditionFailure("the program has its entry point")
            }
            self.program = program
            hosted = try HostedDataplane(InterpretedMaps(machine), random: random)
        } catch {
            preconditionFailure("the project's own program does not load: \(error)")
        }
        causesSeen = ContiguousArray(repeating: 0, count: Self.tellingCauses.count)
    }

    /// The compiled program with maps of a size for simulated nodes.
    static func object() -> BPFObject {
        do {
            var object = try BPFObject(parsing: DataplaneProgram.octets)
            try object.set(DataplaneSwitches.variable, to: DataplaneSwitches().octets)
            for (map, count) in Self.sizes { try object.resize(map.rawValue, to: count) }
            return object
        } catch {
            preconditionFailure("the project's own program cannot be read: \(error)")
        }
    }

    /// The program's number of a port; 0 is none.
    private static func number(_ port: Int) -> DataplanePort { DataplanePort(UInt32(port + 1)) }

    /// Runs the program on a frame that has arrived at a port.
    mutating func run(_ packet: PacketID, on port: Int, _ pool: inout PacketPool, at now: Instant) -> DataplaneOutcome {
        let result = pool.withBuffer(of: packet) { buffer, frame in
            hosted.control.maps.machine.run(
                program, on: buffer, frame: frame, ingress: Self.number(port).rawValue, at: now)
        }
        pool.setFrame(of: packet, to: result.frame)
        switch result.verdict {
        case .pass:
            return .pass
        case .transmit:
            return .transmit(port: port)
        case .redirect:
            guard case .device(_, _, let interface) = result.target, interface > 0 else { return .drop(.portDown) }
            return .transmit(port: Int(interface) - 1)
        case .drop:
            return .drop(causeOfDrop())
        case .aborted:
            return .drop(.unsupported)
        }
    }

    /// The program only says that it drops; its counters say why.
    private mutating func causeOfDrop() -> DropCause {
        for place in Self.tellingCauses.indices {
            let count = packets(Self.tellingCauses[place].cause)
            guard count != causesSeen[place] else { continue }
            causesSeen[place] = count
            return Self.tellingCauses[place].drop
        }
        return .policed
    }

    private mutating func packets(_ cause: DataplaneCause) -> UInt64 {
        guard let counter = try? hosted.control.counter(of: cause) else { preconditionFailure("counters can be read") }
        return counter.packets
    }

    /// What the program has counted.
    mutating func counters() -> DataplaneCounters {
        guard let counters = try? hosted.control.counters() else { preconditionFailure("counters can be read") }
        return counters
    }

    /// What came out of a tunnel, of how many packets; nil where it is not open.
    mutating func carried(by tunnel: TunnelID) -> (received: UInt64, expected: UInt64)? {
        guard let carried = try? hosted.control.carried(by: tunnel) else { return nil }
        return carried
    }

    private mutating func tell(
        _ change: (inout HostedDataplane<InterpretedMaps>) throws(DataplaneError) -> Void
    ) {
        do throws(DataplaneError) {
            try change(&hosted)
        } catch {
            preconditionFailure("a change is refused: \(error)")
        }
    }
}

// MARK: What the host tells it

extension NodeDataplane {
    /// Makes a port known; what arrives from a site's own network is not policed.
    mutating func addPort(_ port: Int, hardware: MACAddress, isWAN: Bool) {
        tell { plane throws(DataplaneError) in
            try plane.addPort(Self.number(port), hardware: hardware, isWAN: isWAN)
        }
    }

    /// Packets for an address go out of a port to the address itself.
    mutating func addRoute(to address: IPAddress, on port: Int) {
        tell { plane throws(DataplaneError) in
            try plane.addRoute(to: IPPrefix(host: address), on: Self.number(port))
        }
    }

    /// A neighbour has said where it is, or is no longer there.
    mutating func setNeighbor(_ neighbor: Neighbor, port: Port) {
        let isKnown = neighbor.state == .reachable || neighbor.state == .probing
        let way = DataplaneNeighbor(neighbor.hardware, from: port.hardware, maximumPacketByteCount: port.mtu)
        tell { plane throws(DataplaneError) in
            try plane.setNeighbor(neighbor.address, on: Self.number(neighbor.port), to: isKnown ? way : nil)
        }
    }

    /// Lets packets of steered flows into a tunnel.
    mutating func open(
        _ id: TunnelID, from local: IPAddress, to remote: IPAddress, over port: Int, through gateway: IPAddress?,
        mtu: Int
    ) {
        tell { plane throws(DataplaneError) in
            try plane.open(id, from: local, to: remote, over: Self.number(port), through: gateway, mtu: mtu)
        }
    }

    mutating func close(_ id: TunnelID) {
        tell { plane throws(DataplaneError) in try plane.close(id) }
    }

    /// Has longer outer packets go to the kernel, which tells their senders.
    mutating func limitTunnels(to mtu: Int) {
        tell { plane throws(DataplaneError) in try plane.limitTunnels(to: mtu) }
    }

    mutating func steer(_ flow: FiveTuple, into tunnel: TunnelID) {
        tell { plane throws(DataplaneError) in try plane.steer(flow, into: tunnel) }
    }

    mutating func release(_ flow: FiveTuple) {
        tell { plane throws(DataplaneError) in try plane.release(flow) }
    }
}

import Basics
import Dataplane
import Telemetry
import Wire

/// Ports, addresses and changes of one run, drawn by chance, few enough that packets meet them often.
struct RandomWorld {
    /// Ports by the interface's index; the last one is none.
    static let ports: [(index: UInt32, role: DataplanePortRole)] = [
        (10, .lan), (11, .wan), (12, [.lan, .wan]), (13, [.lan, .trusted]), (14, [.wan, .trusted]), (15, []),
    ]

    /// The Ethernet address of a port.
    static func address(of port: UInt32) -> UInt64 { 0x0200_0000_0000 | UInt64(port) }

    let hosts: [IPAddress]
    let ends: [(local: IPAddress, remote: IPAddress)]

    init(_ random: inout SeededRandom) {
        hosts = (0..<20).map { place in
            place < 12
                ? .v4(IPv4Address(bits: 0x0A00_0000 | UInt32(random.below(4)) << 16 | UInt32(random.below(40)) + 1))
                : .v6(IPv6Address(high: 0x2001_0DB8_0000_0000 | random.below(4), low: random.below(20) + 1))
        }
        ends = (0..<8).map { place in
            place < 5
                ? (.v4(IPv4Address(bits: 0xC000_0201)), .v4(IPv4Address(bits: 0xC000_0210 + UInt32(place))))
                : (
                    .v6(IPv6Address(high: 0x2001_0DB8_00FF_0000, low: 1)),
                    .v6(IPv6Address(high: 0x2001_0DB8_00FF_0000, low: 16 + UInt64(place)))
                )
        }
    }

    func host(_ random: inout SeededRandom) -> IPAddress { hosts[Int(random.below(UInt64(hosts.count)))] }

    private func port(_ random: inout SeededRandom) -> DataplanePort {
        DataplanePort(Self.ports[Int(random.below(6))].index)
    }

    private func prefix(_ random: inout SeededRandom) -> IPPrefix {
        switch host(&random) {
        case .v4(let address): .v4(IPv4Prefix(address, length: Int(random.below(25)) + 8))
        case .v6(let address): .v6(IPv6Prefix(address, length: Int(random.below(97)) + 32))
        }
    }

    func tunnel(_ place: Int, _ random: inout SeededRandom) -> DataplaneTunnel {
        let (local, remote) = ends[place]
        var tunnel = DataplaneTunnel(
            from: local, to: remote, on: DataplanePort(UInt32(11 + random.below(2))), nextHop: remote,
            firstSequence: UInt32(truncatingIfNeeded: random.next()))
        tunnel.isSpread = random.below(3) == 0
        tunnel.omitsChecksum = random.below(3) == 0
        tunnel.hopLimit = UInt8(random.below(255) + 1)
        tunnel.maximumPacketByteCount = random.below(4) == 0 ? 200 : 1_500
        return tunnel
    }

    func tuple(_ random: inout SeededRandom) -> FiveTuple {
        FiveTuple(
            source: host(&random), destination: host(&random), protocolNumber: random.below(2) == 0 ? 6 : 17,
            sourcePort: UInt16(1_000 + random.below(4)), destinationPort: UInt16(80 + random.below(3)))
    }

    private func limit(_ random: inout SeededRandom) -> FloodLimit {
        random.below(3) == 0 ? .none : FloodLimit(1 + random.below(100), burst: random.below(60))
    }

    private func classLimits(_ random: inout SeededRandom) -> FloodClassLimits {
        FloodClassLimits(
            source: limit(&random), destination: limit(&random), unanswered: limit(&random),
            pressedSource: limit(&random), pressedDestination: limit(&random))
    }

    private func limits(_ random: inout SeededRandom) -> FloodGuardLimits {
        var limits = FloodGuardLimits()
        limits.synchronize = classLimits(&random)
        limits.icmp = classLimits(&random)
        limits.udp = classLimits(&random)
        limits.tcp = classLimits(&random)
        limits.other = classLimits(&random)
        limits.knock = limit(&random)
        limits.newFlows = random.below(2) == 0 ? .none : FloodLimit(200, burst: 50)
        limits.knockEarliest = .milliseconds(Int64(random.below(700)))
        return limits
    }

    /// What a run starts with.
    func beginning(_ random: inout SeededRandom) -> [DataplaneChange] {
        var changes: [DataplaneChange] = Self.ports.map {
            .setPort(DataplanePort($0.index), role: $0.role, address: MACAddress(bits: Self.address(of: $0.index)))
        }
        changes.append(.setSeed(random.next()))
        changes.append(.setSampling(DataplaneSampling(flows: UInt32(random.below(4)), drops: UInt32(random.below(9)))))
        for place in 0..<7 { changes.append(.setTunnel(TunnelID(UInt32(place + 1)), tunnel(place, &random))) }
        for _ in 0..<60 { changes.append(change(&random)) }
        for host in hosts + ends.map(\.remote) where random.below(8) > 0 {
            for port in 10...15 as ClosedRange<UInt32> {
                changes.append(.setNeighbor(host, on: DataplanePort(port), neighbor(port, &random)))
            }
        }
        return changes
    }

    private func neighbor(_ port: UInt32, _ random: inout SeededRandom) -> DataplaneNeighbor {
        DataplaneNeighbor(
            MACAddress(bits: random.next() & 0xFEFF_FFFF_FFFF), from: MACAddress(bits: Self.address(of: port)),
            maximumPacketByteCount: random.below(5) == 0 ? 100 : 1_500)
    }

    /// One change, as a host might make it at any time.
    func change(_ random: inout SeededRandom) -> DataplaneChange {
        let place = Int(random.below(8))
        switch random.below(20) {
        case 0: return .list(prefix(&random), random.below(3) == 0 ? .allow : .deny)
        case 1, 2: return .unlist(prefix(&random), random.below(2) == 0 ? .allow : .deny)
        case 3: return .setRoute(prefix(&random), .pass)
        case 4, 5: return .setRoute(prefix(&random), .tunnel(TunnelID(UInt32(place + 1))))
        case 6, 7: return .setRoute(prefix(&random), .port(port(&random)))
        case 8: return .setRoute(prefix(&random), .gateway(port(&random), host(&random)))
        case 9: return .removeRoute(prefix(&random))
        case 10: return .removeNeighbor(host(&random), on: port(&random))
        case 11: return .setTunnel(TunnelID(UInt32(place + 1)), tunnel(place, &random))
        case 12: return random.below(4) == 0 ? .removeTunnel(TunnelID(UInt32(place + 1))) : .forget(tuple(&random))
        case 13...16: return .steer(tuple(&random), random.below(5) == 0 ? .pass : .tunnel(TunnelID(UInt32(place + 1))))
        case 17: return .unsteer(tuple(&random))
        default: return .setLimits(limits(&random))
        }
    }
}

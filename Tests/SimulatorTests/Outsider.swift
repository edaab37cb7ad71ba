import Basics
import Scenario
import Simulator
import Tunnel
import Wire

/// Frames that somebody else puts on links.
enum Outsider {
    struct Captured {
        let link: Int
        let direction: LinkDirection
        let octets: [UInt8]
    }

    /// A solicitation or advertisement for the device at the second end of a link (RFC 4861 §4.3, §4.4).
    static func neighborDiscovery(
        _ type: UInt8, from source: IPv6Address, to destination: IPv6Address, hopLimit: UInt8, onLink link: Int
    ) -> [UInt8] {
        var message: [UInt8] = [type, 0, 0, 0, 0, 0, 0, 0]
        for half in [destination.high, destination.low] {
            message += (0..<8).map { UInt8(truncatingIfNeeded: half >> (56 - 8 * UInt64($0))) }
        }
        var sum = Checksum()
        sum.addPseudoHeader(
            source: .v6(source), destination: .v6(destination), protocolNumber: ProtocolNumber.icmpv6,
            byteCount: message.count)
        sum.add(message.span.bytes)
        message[2] = UInt8(sum.value >> 8)
        message[3] = UInt8(sum.value & 255)
        var arena = ByteArena(capacity: 128)
        EthernetHeader(
            destination: hardware(link, .reverse), source: hardware(link, .forward), etherType: EtherType.ipv6
        ).append(to: &arena)
        IPv6Header(
            source: source, destination: destination, protocolNumber: ProtocolNumber.icmpv6,
            payloadByteCount: message.count, hopLimit: hopLimit
        ).append(to: &arena)
        arena.append(message.span.bytes)
        return arena.bytes(ByteRange(start: 0, count: arena.count)).withUnsafeBytes { Array($0) }
    }

    /// The tunnels' datagrams that pass some links within a time, with the way that each went.
    static func capture(_ scenario: Scenario, links: [Int], from start: Interval, to end: Interval) -> [Captured] {
        var scenario = scenario
        scenario.record.capturedLinks = links
        var simulation = Simulation(scenario)
        simulation.run(until: .zero + start)
        simulation.drainCapture { _ in }
        simulation.run(until: .zero + end)
        var found: [Captured] = []
        simulation.drainCapture { buffer in
            for frame in buffer.frames {
                let octets = buffer.bytes(frame).withUnsafeBytes { Array($0) }
                guard octets.count > payloadOffset, octets[23] == ProtocolNumber.udp,
                    UInt16(octets[36]) << 8 | UInt16(octets[37]) == GeneveHeader.port
                else { continue }
                let isForward = Array(octets[0..<6]) == octetsOf(hardware(frame.linkIndex, .reverse))
                found.append(
                    Captured(link: frame.linkIndex, direction: isForward ? .forward : .reverse, octets: octets))
            }
        }
        return found
    }

    /// A copy with some octets changed behind the UDP header, without UDP checksum, and perhaps cut short.
    static func damaged(_ octets: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
        var octets = octets
        octets[40] = 0
        octets[41] = 0
        for _ in 0...random.below(3) {
            let place = payloadOffset + Int(random.below(UInt64(octets.count - payloadOffset)))
            octets[place] = UInt8(truncatingIfNeeded: random.next())
        }
        // One in five is damaged anywhere, and one in five ends early.
        if random.chance(Ratio(0.2)) {
            octets[Int(random.below(UInt64(octets.count)))] = UInt8(truncatingIfNeeded: random.next())
        }
        if random.chance(Ratio(0.2)) {
            octets.removeLast(Int(random.below(UInt64(octets.count))))
        }
        return octets
    }

    static func noise(upTo count: Int, _ random: inout SeededRandom) -> [UInt8] {
        (0..<Int(random.below(UInt64(count)))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }

    /// Behind Ethernet, IPv4 and UDP.
    private static let payloadOffset = 42

    /// The address of the port that sends in a direction of a link.
    private static func hardware(_ link: Int, _ direction: LinkDirection) -> MACAddress {
        MACAddress(locallyAdministered: UInt32(2 * link + (direction == .forward ? 1 : 2)))
    }

    private static func octetsOf(_ address: MACAddress) -> [UInt8] {
        (0..<6).map { UInt8(truncatingIfNeeded: address.bits >> (40 - 8 * UInt64($0))) }
    }
}

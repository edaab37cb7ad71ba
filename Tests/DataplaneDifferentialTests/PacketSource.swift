import Basics
import Wire

/// Frames by chance: of every kind that the program tells apart, whole, damaged and cut.
struct PacketSource {
    let world: RandomWorld
    /// The next sequence number of each tunnel's peer.
    private var sequences: [UInt32]
    /// How many more packets of a flood there are, what they are, and what some of them were.
    private var flood = 0
    private var floodNumber: UInt8 = 6
    private var kept: [[UInt8]] = []

    init(_ world: RandomWorld, _ random: inout SeededRandom) {
        self.world = world
        sequences = (0..<8).map { _ in UInt32(truncatingIfNeeded: random.next()) }
    }

    /// A frame, and the port that it comes in by.
    mutating func next(at now: Instant, _ random: inout SeededRandom) -> (octets: [UInt8], port: UInt32) {
        if flood == 0, random.below(600) == 0 {
            flood = Int(random.below(400))
            floodNumber = [6, 6, 17, 1, 99][Int(random.below(5))]
        }
        let isFlood = flood > 0
        if isFlood { flood -= 1 }
        let isTunnelled = !isFlood && random.below(3) == 0
        let port = isTunnelled ? UInt32(11 + random.below(2)) : RandomWorld.ports[Int(random.below(6))].index
        let packet =
            isFlood ? flooding(&random) : isTunnelled ? tunnelled(at: now, &random) : plain(&random)
        let bits = RandomWorld.address(of: random.below(20) == 0 ? 77 : port)
        let address = (0..<6).map { UInt8(truncatingIfNeeded: bits >> (40 - 8 * $0)) }
        let tags = random.below(12) == 0 ? Int(random.below(4)) : 0
        var frame = FrameWriter.ethernet(packet, to: address, tags: tags)
        damage(&frame, &random)
        return (frame, port)
    }

    /// Leaves most frames whole.
    private func damage(_ frame: inout [UInt8], _ random: inout SeededRandom) {
        switch random.below(20) {
        case 0, 1:
            for _ in 0...random.below(3) {
                let place = Int(random.below(UInt64(min(frame.count, 110))))
                frame[place] =
                    random.below(2) == 0 ? frame[place] ^ 1 << UInt8(random.below(8)) : UInt8(random.below(256))
            }
        case 2: frame.removeLast(Int(random.below(UInt64(frame.count - 13))))
        case 3: frame += [UInt8](repeating: 0xEE, count: Int(random.below(40)))
        default: break
        }
        while frame.count < 14 { frame.append(0) }
    }

    private func octets(_ address: IPAddress) -> [UInt8] {
        switch address {
        case .v4(let address): FrameWriter.four(address.bits)
        case .v6(let address):
            [address.high, address.low].flatMap { word in
                (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) }
            }
        }
    }

    private func packet(
        _ source: IPAddress, _ destination: IPAddress, _ number: UInt8, _ body: [UInt8], _ random: inout SeededRandom
    ) -> [UInt8] {
        let hopLimit = random.below(10) == 0 ? UInt8(random.below(3)) : random.below(20) == 0 ? 255 : 64
        let service = UInt8(random.below(256))
        // Ends of two families make a packet that is no honest one's.
        if case .v4 = source {
            let to = Array((octets(destination) + [0, 0, 0, 0]).prefix(4))
            return FrameWriter.ipv4(
                octets(source), to, number, body, hopLimit: hopLimit, service: service,
                fragment: random.below(40) == 0 ? Int(random.below(0x4000)) : 0x4000,
                options: random.below(40) == 0 ? [UInt8](repeating: 1, count: 4 * Int(random.below(11))) : [])
        }
        let to = Array((octets(destination) + [UInt8](repeating: 1, count: 16)).prefix(16))
        guard random.below(12) == 0 else {
            return FrameWriter.ipv6(octets(source), to, number, body, hopLimit: hopLimit, service: service)
        }
        let kinds: [UInt8] = [0, 43, 44, 60]
        var (next, chain) = (number, body)
        for _ in 0...random.below(7) {
            let length = random.below(5) == 0 ? UInt8(random.below(3)) : 0
            chain = [next, length] + [UInt8](repeating: 0, count: 6 + 8 * Int(length)) + chain
            next = kinds[Int(random.below(4))]
        }
        return FrameWriter.ipv6(octets(source), to, next, chain, hopLimit: hopLimit, service: service)
    }

    private func ends(_ random: inout SeededRandom) -> (IPAddress, IPAddress) {
        let source = world.host(&random)
        var destination = world.host(&random)
        if source.isIPv4 != destination.isIPv4, random.below(30) > 0 { destination = world.host(&random) }
        if random.below(60) == 0 {
            destination =
                source.isIPv4 ? .v4(IPv4Address(bits: 0xE000_0005)) : .v6(IPv6Address(high: 0xFF02 << 48, low: 1))
        }
        return (source, destination)
    }

    private func plain(_ random: inout SeededRandom) -> [UInt8] {
        let (source, destination) = ends(&random)
        let forth = random.below(2) == 0
        let (near, far) = (1_000 + Int(random.below(4)), 80 + Int(random.below(3)))
        let ports = forth ? (near, far) : (far, near)
        let payload = [UInt8](
            repeating: 3, count: random.below(8) == 0 ? Int(random.below(1_400)) : Int(random.below(90)))
        switch random.below(20) {
        case 0...7:
            let flags: [UInt8] = [2, 18, 16, 16, 24, 17, 4, 20, UInt8(random.below(256))]
            let segment = FrameWriter.tcp(
                random.below(30) == 0 ? 179 : ports.0, ports.1, flags: flags[Int(random.below(9))],
                sequence: UInt32(random.below(4)), acknowledgment: UInt32(random.below(5)))
            return packet(source, destination, 6, segment + payload, &random)
        case 8...14:
            let special = [3_784, 3_785, 4_784, 6_081]
            let to = random.below(10) == 0 ? special[Int(random.below(4))] : ports.1
            let datagram = FrameWriter.udp(ports.0, to, payload, checksum: random.below(4) == 0 ? 0 : 0x4321)
            return packet(source, destination, 17, datagram, &random)
        case 15, 16:
            let types: [UInt8] = [0, 8, 128, 129, 3, 11, 133, 135, 137, UInt8(random.below(256))]
            let message = [types[Int(random.below(10))], 0, 9, 9] + FrameWriter.two(Int(random.below(4))) + [0, 1]
            return packet(source, destination, source.isIPv4 ? 1 : 58, message + payload, &random)
        case 17: return packet(source, destination, UInt8(random.below(256)), payload, &random)
        case 18: return (0..<Int(random.below(200))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        default: return [UInt8](repeating: 0x45, count: Int(random.below(60)))
        }
    }

    /// From sources that nobody has seen, or some that send much, to one destination; now and then one comes again.
    private mutating func flooding(_ random: inout SeededRandom) -> [UInt8] {
        if !kept.isEmpty, random.below(4) == 0 { return kept[Int(random.below(UInt64(kept.count)))] }
        let host = UInt32(random.below(random.below(2) == 0 ? 4 : 100_000))
        let from = Int(random.below(65_536))
        let body: [UInt8]
        switch floodNumber {
        case 6: body = FrameWriter.tcp(from, 80, flags: 2, sequence: UInt32(random.below(3)), acknowledgment: 0)
        case 17: body = FrameWriter.udp(from, 80, [])
        case 1: body = [8, 0, 9, 9] + FrameWriter.two(from) + [0, 1]
        default: body = [1, 2, 3]
        }
        let source = IPAddress.v4(IPv4Address(bits: 0x0B00_0000 | host))
        let packet = packet(source, world.hosts[0], floodNumber, body, &random)
        if kept.count < 16 { kept.append(packet) } else { kept[Int(random.below(16))] = packet }
        return packet
    }

    /// In a tunnel, with a sequence number that mostly is the next.
    private mutating func tunnelled(at now: Instant, _ random: inout SeededRandom) -> [UInt8] {
        let place = Int(random.below(8))
        switch random.below(16) {
        case 0: sequences[place] &-= UInt32(random.below(3))
        case 1: sequences[place] &-= UInt32(random.below(200))
        case 2: sequences[place] &+= UInt32(random.below(100))
        case 3 where random.below(8) == 0: sequences[place] &+= UInt32(truncatingIfNeeded: random.next())
        default: sequences[place] &+= 1
        }
        let inner = random.below(16) == 0 ? [UInt8](repeating: 0x45, count: Int(random.below(30))) : plain(&random)
        let delay = UInt64(random.below(40_000))
        let tunnel = FrameWriter.tunnel(
            inner, number: UInt32(random.below(12) == 0 ? 99 : place + 1), sequence: sequences[place],
            timestamp: UInt32(truncatingIfNeeded: now.nanoseconds / 1_000 &- delay),
            flags: random.below(8) == 0 ? UInt8(random.below(8)) : 4,
            first: random.below(16) == 0 ? UInt8(random.below(256)) : 0)
        let datagram = FrameWriter.udp(Int(random.below(65_536)), 6_081, tunnel, checksum: Int(random.below(2)))
        let (local, remote) = world.ends[random.below(20) == 0 ? Int(random.below(8)) : place]
        let isBack = random.below(30) == 0
        return packet(isBack ? local : remote, isBack ? remote : local, 17, datagram, &random)
    }
}

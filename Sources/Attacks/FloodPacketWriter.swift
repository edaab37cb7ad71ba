import Basics
import Wire

/// Writes one IP packet of a flood after the other.
struct FloodPacketWriter: Sendable, BitwiseCopyable {
    private let kind: FloodKind
    private let target: IPAddress
    private let targetPort: UInt16
    /// What an IP packet has room for behind its header and the transport's.
    private let payloadRoom: Int
    private var random: SeededRandom

    /// Larger datagrams would leave a flood fewer packets for the same bits.
    private static let largestDatagram = 1_024
    /// What `ping` sends.
    private static let echoPayload = 56

    init(_ configuration: FloodConfiguration, random: SeededRandom) {
        kind = configuration.kind
        target = configuration.target
        targetPort = configuration.targetPort
        let header = target.isIPv4 ? IPv4Header.minimumByteCount : IPv6Header.minimumByteCount
        payloadRoom = max(0, configuration.largestPacket - header - UDPHeader.byteCount)
        self.random = random
    }

    mutating func append(from source: IPAddress, to arena: inout ByteArena) {
        switch kind {
        case .synFlood:
            appendSegment(from: source, to: &arena)
        case .udpFlood:
            let ports = drawPort(from: 1_024, below: 65_536) << 16 | drawPort(from: 1, below: 65_536)
            let count = 1 + Int(random.below(UInt64(max(1, min(Self.largestDatagram, payloadRoom)))))
            appendDatagram(from: source, ports: ports, payloadByteCount: min(count, payloadRoom), to: &arena)
        case .icmpFlood:
            appendEcho(from: source, to: &arena)
        case .dnsAmplification:
            appendAnswer(from: source, to: &arena)
        }
    }

    /// A SYN as a stack sends it that knows no more than the maximum segment size (RFC 9293 §3.7.1).
    private mutating func appendSegment(from source: IPAddress, to arena: inout ByteArena) {
        let port = UInt16(truncatingIfNeeded: drawPort(from: 1_024, below: 65_536))
        let word = random.next()
        var header = TCPHeader(
            sourcePort: port, destinationPort: targetPort, sequence: UInt32(truncatingIfNeeded: word),
            acknowledgment: 0, flags: .synchronize, window: UInt16(truncatingIfNeeded: word >> 32) | 0x2000)
        header.maximumSegmentSize = target.isIPv4 ? 1_460 : 1_440
        let count = TCPHeader.minimumByteCount + header.optionByteCount
        appendHeader(from: source, protocolNumber: ProtocolNumber.tcp, payloadByteCount: count, to: &arena)
        let start = arena.count
        header.append(to: &arena)
        complete(from: start, checksumAt: 16, source, ProtocolNumber.tcp, &arena)
    }

    private mutating func appendDatagram(
        from source: IPAddress, ports: UInt32, payloadByteCount: Int, to arena: inout ByteArena
    ) {
        appendHeader(
            from: source, protocolNumber: ProtocolNumber.udp,
            payloadByteCount: UDPHeader.byteCount + payloadByteCount, to: &arena)
        let start = arena.count
        appendUDPHeader(ports, payloadByteCount, to: &arena)
        appendRandom(payloadByteCount, to: &arena)
        complete(from: start, checksumAt: 6, source, ProtocolNumber.udp, &arena)
    }

    private mutating func appendEcho(from source: IPAddress, to arena: inout ByteArena) {
        let protocolNumber = target.isIPv4 ? ProtocolNumber.icmp : ProtocolNumber.icmpv6
        let count = min(Self.echoPayload, payloadRoom)
        appendHeader(
            from: source, protocolNumber: protocolNumber, payloadByteCount: ICMPHeader.byteCount + count, to: &arena)
        let start = arena.count
        let type = target.isIPv4 ? ICMPv4.echoRequest : ICMPv6.echoRequest
        ICMPHeader(type: type, code: 0, rest: UInt32(truncatingIfNeeded: random.next())).append(to: &arena)
        appendRandom(count, to: &arena)
        complete(from: start, checksumAt: 2, source, protocolNumber, &arena)
    }

    /// A resolver's answer of three to five TXT records (RFC 1035 §4.1), as long as one packet allows.
    private mutating func appendAnswer(from source: IPAddress, to arena: inout ByteArena) {
        let fixed = 12 + Self.question.count + 4
        let record = 12 + 1 + 255
        let count = min(3 + Int(random.below(3)), max(0, payloadRoom - fixed) / record)
        let payload = fixed + count * record
        appendHeader(
            from: source, protocolNumber: ProtocolNumber.udp, payloadByteCount: UDPHeader.byteCount + payload,
            to: &arena)
        let start = arena.count
        appendUDPHeader(53 << 16 | drawPort(from: 1_024, below: 65_536), payload, to: &arena)
        // Identifier; a response, recursion desired and available; one question and the answers.
        arena.append(UInt16(truncatingIfNeeded: random.next()))
        arena.append(0x8180 as UInt16)
        arena.append(1 as UInt16)
        arena.append(UInt16(truncatingIfNeeded: count))
        arena.append(0 as UInt32)
        for index in 0..<Self.question.count { arena.append(Self.question[index]) }
        arena.append(0x0010_0001 as UInt32)
        for _ in 0..<count {
            // The question's name again, TXT, IN, an hour, 256 octets: a string of 255.
            arena.append(0xC00C as UInt16)
            arena.append(0x0010_0001 as UInt32)
            arena.append(3_600 as UInt32)
            arena.append(256 as UInt16)
            arena.append(255 as UInt8)
            appendRandom(255, to: &arena)
        }
        complete(from: start, checksumAt: 6, source, ProtocolNumber.udp, &arena)
    }

    /// `example.com` as DNS writes it.
    private static var question: InlineArray<13, UInt8> { [7, 101, 120, 97, 109, 112, 108, 101, 3, 99, 111, 109, 0] }

    // MARK: Parts

    private mutating func appendHeader(
        from source: IPAddress, protocolNumber: UInt8, payloadByteCount: Int, to arena: inout ByteArena
    ) {
        let word = random.next()
        // As many hops away as hosts of the internet are.
        let hopLimit = 64 - UInt8(truncatingIfNeeded: word % 24)
        switch (source, target) {
        case (.v4(let source), .v4(let target)):
            IPv4Header(
                source: source, destination: target, protocolNumber: protocolNumber,
                payloadByteCount: payloadByteCount, timeToLive: hopLimit,
                identification: UInt16(truncatingIfNeeded: word >> 32)
            ).append(to: &arena)
        case (.v6(let source), .v6(let target)):
            IPv6Header(
                source: source, destination: target, protocolNumber: protocolNumber,
                payloadByteCount: payloadByteCount, hopLimit: hopLimit
            ).append(to: &arena)
        case (.v4, .v6), (.v6, .v4):
            preconditionFailure("a packet's addresses are of two families")
        }
    }

    private func appendUDPHeader(_ ports: UInt32, _ payloadByteCount: Int, to arena: inout ByteArena) {
        UDPHeader(
            sourcePort: UInt16(truncatingIfNeeded: ports >> 16), destinationPort: UInt16(truncatingIfNeeded: ports),
            payloadByteCount: payloadByteCount
        ).append(to: &arena)
    }

    /// Writes the checksum of the transport's octets, which reach from `start` to the arena's end.
    private func complete(
        from start: Int, checksumAt offset: Int, _ source: IPAddress, _ protocolNumber: UInt8,
        _ arena: inout ByteArena
    ) {
        let range = ByteRange(start: start, count: arena.count - start)
        var sum = Checksum()
        if protocolNumber != ProtocolNumber.icmp {
            sum.addPseudoHeader(
                source: source, destination: target, protocolNumber: protocolNumber, byteCount: Int(range.count))
        }
        sum.add(arena.bytes(range))
        // A UDP checksum of 0 would say that there is none (RFC 768); for the others both zeros are right.
        let value = sum.value
        arena.patch(value == 0 && protocolNumber == ProtocolNumber.udp ? 0xFFFF : value, at: start + offset)
    }

    private mutating func drawPort(from first: UInt32, below end: UInt32) -> UInt32 {
        first + UInt32(truncatingIfNeeded: random.below(UInt64(end - first)))
    }

    private mutating func appendRandom(_ count: Int, to arena: inout ByteArena) {
        for _ in 0..<count / 8 { arena.append(random.next()) }
        guard count % 8 > 0 else { return }
        var rest = random.next()
        for _ in 0..<count % 8 {
            arena.append(UInt8(truncatingIfNeeded: rest))
            rest >>= 8
        }
    }
}

// Hostile traffic as it looks on a wire, packet by packet.
//
// Way in: a ``FloodConfiguration`` says what is sent, at whom, how fast and how long. Way
// out: a ``FloodGenerator`` names the instant of its next packet and writes that packet's
// octets, a whole IP packet of either family with right checksums. It knows no socket and
// no route: whoever drives it puts the packets on a link as a raw socket would.
//
// Packets are evenly paced, each late by a random share of the gap, at most a quarter of it.
// Addresses, ports and numbers are drawn for each packet, as tools for such floods do it, so
// that only what the packets have in common tells them from other traffic.
//
// Sources: RFC 4987 (SYN flooding), RFC 768, RFC 792 and RFC 4443 (echo), RFC 1035 (DNS
// messages), RFC 5358 (reflection by open resolvers), RFC 2827 (spoofed sources), IANA's
// registries of special-purpose addresses (RFC 6890).

public import Basics
public import Wire

/// What a flood is made of.
public enum FloodKind: String, CaseIterable, Sendable, BitwiseCopyable {
    /// TCP segments that open connections and never go on (RFC 4987).
    case synFlood
    /// Datagrams of any size to any port.
    case udpFlood
    /// Echo requests.
    case icmpFlood
    /// Answers of DNS resolvers to questions that the victim never asked (RFC 5358).
    case dnsAmplification
}

/// How fast a flood is sent.
public enum FloodRate: Equatable, Sendable, BitwiseCopyable {
    case packets(PacketRate)
    /// Of IP packets, headers included.
    case bits(BitRate)
}

/// One flood at one address.
public struct FloodConfiguration: Equatable, Sendable {
    public var kind: FloodKind
    public var target: IPAddress
    /// Where a SYN flood knocks; the others take any port.
    public var targetPort: UInt16
    public var rate: FloodRate
    public var start: Instant
    /// Nothing is sent from here on.
    public var stop: Instant
    /// How many different addresses the packets claim to come from; nil draws one for each packet.
    public var sourceCount: UInt32?
    /// The largest IP packet that the attacker's link takes.
    public var largestPacket: Int

    public init(
        _ kind: FloodKind, at target: IPAddress, port targetPort: UInt16 = 443, rate: FloodRate, start: Instant,
        stop: Instant, sourceCount: UInt32? = nil, largestPacket: Int = 1_500
    ) {
        self.kind = kind
        self.target = target
        self.targetPort = targetPort
        self.rate = rate
        self.start = start
        self.stop = stop
        self.sourceCount = sourceCount
        self.largestPacket = largestPacket
    }
}

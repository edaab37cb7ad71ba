import Basics
import Telemetry
import Tunnel
import Wire

/// One datagram of each form, made by two tunnels of number 7 with a shared clock, 30 ms apart.
struct SampleDatagrams {
    var ipv4: [UInt8] = []
    var ipv6: [UInt8] = []
    var firstProbe: [UInt8] = []
    var answeringProbe: [UInt8] = []
    var carryingProbe: [UInt8] = []

    static let configuration = TunnelConfiguration(number: 7, clocksShared: true)

    static var all: SampleDatagrams {
        var samples = SampleDatagrams()
        let start = Instant(nanoseconds: 10_000_000_000)
        var near = Tunnel(configuration, random: SeededRandom(seed: 1), at: start)
        var far = Tunnel(configuration, random: SeededRandom(seed: 2), at: start)
        var arena = ByteArena(capacity: 1024)
        let first = innerIPv4
        var range = near.seal(innerPacket: first.span.bytes, at: start + .milliseconds(1), into: &arena)
        samples.ipv4 = octets(arena.bytes(range))
        let second = innerIPv6
        range = near.seal(innerPacket: second.span.bytes, flags: .duplicate, at: start + .milliseconds(2), into: &arena)
        samples.ipv6 = octets(arena.bytes(range))
        let probeAt = near.nextDeadline
        guard let probe = near.wake(at: probeAt, into: &arena) else { return samples }
        samples.firstProbe = octets(arena.bytes(probe))
        for datagram in [samples.ipv4, samples.ipv6, samples.firstProbe] {
            _ = far.open(datagram.span.bytes, at: probeAt + .milliseconds(30))
        }
        guard let answer = far.wake(at: probeAt + .milliseconds(120), into: &arena) else { return samples }
        samples.answeringProbe = octets(arena.bytes(answer))
        let carrying = far.probe(carrying: attachment.span.bytes, at: probeAt + .milliseconds(130), into: &arena)
        samples.carryingProbe = octets(arena.bytes(carrying))
        return samples
    }

    /// What the carrying probe carries.
    static let attachment: [UInt8] = Array(1...24)

    /// A tunnel that has heard none of them.
    static func receiver() -> Tunnel { Tunnel(configuration, random: SeededRandom(seed: 3), at: .zero) }

    /// No next header, from 10.1.0.2 to 10.2.0.2.
    private static var innerIPv4: [UInt8] {
        var arena = ByteArena(capacity: 64)
        IPv4Header(
            source: IPv4Address(10, 1, 0, 2), destination: IPv4Address(10, 2, 0, 2), protocolNumber: 59,
            payloadByteCount: 0
        ).append(to: &arena)
        return octets(arena.bytes(ByteRange(start: 0, count: arena.count)))
    }

    /// No next header, from 2001:db8:1::2 to 2001:db8:2::2.
    private static var innerIPv6: [UInt8] {
        var arena = ByteArena(capacity: 64)
        IPv6Header(
            source: IPv6Address(high: 0x2001_0DB8_0001_0000, low: 2),
            destination: IPv6Address(high: 0x2001_0DB8_0002_0000, low: 2), protocolNumber: 59, payloadByteCount: 0
        ).append(to: &arena)
        return octets(arena.bytes(ByteRange(start: 0, count: arena.count)))
    }
}

import Basics
import Telemetry
import TestKit
import Testing
import Tunnel
import Wire

@Suite struct WireFormatTests {
    private static let headerFields: [(Int, String)] = [
        (1, "version 0, four words of options"), (1, "flags: 0x80 is control"), (2, "protocol type"),
        (3, "tunnel number"), (1, "reserved"), (2, "option class"), (1, "option type: path"),
        (1, "three words of data"), (4, "path sequence"), (4, "timestamp, us"), (1, "path flags"), (1, "reserved"),
        (2, "header checksum"),
    ]
    private static let probeFields: [(Int, String)] = [
        (1, "probe version"), (1, "probe flags: 1 echo, 2 report, 4 latency, 8 attachment"), (2, "probe checksum"),
        (4, "session"), (4, "probe sequence"), (4, "echoed session"), (8, "timestamp, ns"), (8, "echoed timestamp, ns"),
        (8, "hold, ns"), (4, "highest path sequence"), (4, "expected"), (4, "received"), (4, "jitter, ns"),
        (8, "latency, ns"),
    ]

    @Test func `the octets of each form are as documented`() throws {
        let packet = SampleDatagrams.all
        var text = ""
        for (name, datagram, fields) in [
            ("an IPv4 packet", packet.ipv4, Self.headerFields + [(20, "inner packet")]),
            ("an IPv6 packet, sent on another tunnel too", packet.ipv6, Self.headerFields + [(40, "inner packet")]),
            ("the first probe, with nothing to echo", packet.firstProbe, Self.headerFields + Self.probeFields),
            ("a probe with echo and report", packet.answeringProbe, Self.headerFields + Self.probeFields),
            (
                "the same with an attachment", packet.carryingProbe,
                Self.headerFields + Self.probeFields + [(24, "attachment")]
            ),
        ] {
            text += "# \(name)\n"
            var rest = datagram[...]
            for (count, field) in fields {
                let hex = rest.prefix(count).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                text += hex + "  # \(field)\n"
                rest = rest.dropFirst(count)
            }
            try #require(rest.isEmpty)
        }
        try expectGolden(text, named: "datagrams.txt")
    }

    @Test func `the overhead is that of the outer headers, GENEVE and the path option`() {
        #expect(Tunnel.overheadOverIPv4 == 20 + 8 + 8 + 16)
        #expect(Tunnel.overheadOverIPv6 == 40 + 8 + 8 + 16)
    }

    @Test func `what is sealed opens to the same packet, whatever its size`() {
        forEachSeed { random in
            var pair = (0..<2).map { _ in
                Tunnel(TunnelConfiguration(number: 0xABCDEF), random: random.fork(), at: .zero)
            }
            var arena = ByteArena(capacity: 64)
            var now = Instant(nanoseconds: random.next() >> 8)
            for _ in 0..<50 {
                let version: UInt8 = random.chance(Ratio(0.5)) ? 4 : 6
                let inner = innerPacket(byteCount: 1 + Int(random.below(1500)), version: version)
                now += .microseconds(Int64(random.below(1000)))
                let range = pair[0].seal(innerPacket: inner.span.bytes, at: now, into: &arena)
                try #require(Int(range.count) == 24 + inner.count)
                let datagram = octets(arena.bytes(range))
                try #require(Tunnel.peek(datagram.span.bytes) == 0xABCDEF)
                let opened = pair[1].open(datagram.span.bytes, at: now)
                try #require(opened == .packet(24..<datagram.count))
                try #require(Array(datagram[24...]) == inner)
            }
        }
    }

    @Test func `a probe payload is read as it was written`() {
        forEachSeed(500) { random in
            var probe = ProbePayload(
                sessionID: UInt32(truncatingIfNeeded: random.next()),
                sequence: UInt32(truncatingIfNeeded: random.next()),
                timestamp: random.next())
            if random.chance(Ratio(0.7)) {
                probe.echo = ProbePayload.Echo(
                    sessionID: UInt32(truncatingIfNeeded: random.next()), timestamp: random.next(),
                    hold: Interval(nanoseconds: Int64(random.next() >> 1)))
                if random.chance(Ratio(0.7)) {
                    probe.report = PathReport(
                        highestSequence: UInt32(truncatingIfNeeded: random.next()),
                        expected: UInt32(truncatingIfNeeded: random.next()),
                        received: UInt32(truncatingIfNeeded: random.next()),
                        jitter: Interval(nanoseconds: Int64(random.next() >> 32)),
                        latency: random.chance(Ratio(0.5)) ? Interval(nanoseconds: Int64(random.next() >> 1)) : nil)
                }
            }
            var arena = ByteArena(capacity: 64)
            probe.append(to: &arena)
            let written = arena.count
            try #require(written == ProbePayload.byteCount)
            let read = try ProbePayload(parsing: arena.bytes(ByteRange(start: 0, count: written)))
            try #require(read == probe)
        }
    }

    @Test func `what a probe carries comes out as it went in`() throws {
        let carrying = SampleDatagrams.all.carryingProbe
        var tunnel = SampleDatagrams.receiver()
        let opened = tunnel.open(carrying.span.bytes, at: .zero)
        guard case .probe(let range?) = opened else {
            Issue.record("\(opened)")
            return
        }
        #expect(Array(carrying[range]) == SampleDatagrams.attachment)
        #expect(tunnel.counters.probesReceived == 1)
        let plain = tunnel.open(SampleDatagrams.all.answeringProbe.span.bytes, at: .zero)
        #expect(plain == .probe(attachment: nil))
    }

    @Test func `one flipped bit in header or probe is refused`() {
        let samples = SampleDatagrams.all
        for (datagram, guarded) in [
            (samples.ipv4, 24), (samples.ipv6, 24), (samples.firstProbe, 88), (samples.answeringProbe, 88),
            (samples.carryingProbe, 112),
        ] {
            for bit in 0..<guarded * 8 {
                var damaged = datagram
                damaged[bit / 8] ^= 0x80 >> UInt8(bit % 8)
                var tunnel = SampleDatagrams.receiver()
                let opened = tunnel.open(damaged.span.bytes, at: .zero)
                guard case .refused = opened else {
                    Issue.record("bit \(bit) was not noticed: \(opened)")
                    return
                }
                #expect(tunnel.counters.refused == 1 && tunnel.lastReceivedAt == nil)
            }
        }
    }

    @Test func `a refusal names its cause`() {
        let ipv4 = SampleDatagrams.all.ipv4
        var version = ipv4
        version[0] |= 0x40
        var checksum = ipv4
        checksum[23] ^= 1
        var nibble = ipv4
        nibble[24] = 0x65
        let cases: [([UInt8], DropCause)] = [
            ([], .malformed), (Array(ipv4[..<23]), .malformed), (Array(ipv4[..<24]), .badChecksum),
            (ipv4 + [0], .badChecksum), (version, .badTunnelHeader), (checksum, .badChecksum), (nibble, .malformed),
            (datagram(protocolType: 0x6558), .badTunnelHeader), (datagram(isControl: true), .badTunnelHeader),
            (datagram(protocolType: EtherType.localExperimental), .badTunnelHeader),
            (datagram(protocolType: EtherType.localExperimental, isControl: true), .malformed),
            (datagram(number: 8), .notForUs), (datagram(inner: []), .malformed),
        ]
        for (index, (bytes, cause)) in cases.enumerated() {
            var tunnel = SampleDatagrams.receiver()
            let opened = tunnel.open(bytes.span.bytes, at: .zero)
            #expect(opened == .refused(cause), "case \(index)")
        }
    }

    @Test func `an unknown option is skipped, one that must be understood is refused`() throws {
        let ignorable: [UInt8] = [0x01, 0x02, 0x7F, 0x01, 0xDE, 0xAD, 0xBE, 0xEF]
        let critical: [UInt8] = [0x01, 0x02, 0x80, 0x01, 0xDE, 0xAD, 0xBE, 0xEF]
        let endless: [UInt8] = [0x01, 0x02, 0x7F, 0x1F]
        let inner = innerPacket(byteCount: 20)
        let cases: [([UInt8], Opened)] = [
            (ignorable, .packet(32..<52)), (critical, .refused(.badTunnelHeader)), (endless, .refused(.malformed)),
        ]
        for (options, expected) in cases {
            for isBehind in [false, true] {
                var tunnel = SampleDatagrams.receiver()
                let datagram = datagram(extraOptions: options, isBehind: isBehind, inner: inner)
                let opened = tunnel.open(datagram.span.bytes, at: .zero)
                try #require(opened == expected)
                // The checksum is over the other options too.
                var damaged = datagram
                damaged[isBehind ? 25 : 9] ^= 4
                let refused = tunnel.open(damaged.span.bytes, at: .zero)
                guard case .refused = refused else {
                    Issue.record("damage was not noticed: \(refused)")
                    return
                }
            }
        }
    }

    @Test func `random and damaged octets never trap, and nothing random is believed`() {
        let samples = SampleDatagrams.all
        let valid = [samples.ipv4, samples.ipv6, samples.firstProbe, samples.answeringProbe]
        forEachSeed(200) { random in
            var tunnel = SampleDatagrams.receiver()
            var arena = ByteArena(capacity: 256)
            for _ in 0..<200 {
                let now = Instant(nanoseconds: random.next() >> UInt64(random.below(60)))
                var bytes = valid[Int(random.below(4))]
                if random.chance(Ratio(0.3)) {
                    bytes = (0..<Int(random.below(120))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                    if bytes.count > 8 { bytes.replaceSubrange(0..<8, with: [4, 0, 8, 0, 0, 0, 7, 0]) }
                }
                for _ in 0..<random.below(4) where !bytes.isEmpty {
                    bytes[Int(random.below(UInt64(bytes.count)))] = UInt8(truncatingIfNeeded: random.next())
                }
                if random.chance(Ratio(0.2)) { bytes.removeLast(Int(random.below(UInt64(bytes.count + 1)))) }
                if random.chance(Ratio(0.5)), bytes.count >= 24 { mendChecksums(&bytes) }
                let opened = tunnel.open(bytes.span.bytes, at: now)
                if case .packet(let range) = opened { try #require(range.upperBound == bytes.count) }
                arena.removeAll()
                _ = tunnel.wake(at: now, into: &arena)
                let sample = tunnel.sample
                try #require(sample.jitter >= .zero && sample.roundTrip >= .zero)
                _ = Tunnel.peek(bytes.span.bytes)
                _ = try? ProbePayload(parsing: bytes.span.bytes)
                _ = try? GeneveHeader(parsing: bytes.span.bytes)
            }
        }
    }
}

/// A datagram for tunnel 7 with what a test wants to be odd about it.
func datagram(
    number: UInt32 = 7, protocolType: UInt16 = EtherType.ipv4, isControl: Bool = false, sequence: UInt32 = 1,
    timestamp: UInt32 = 0, flags: PathFlags = [], inner: [UInt8] = innerPacket(byteCount: 20)
) -> [UInt8] {
    var arena = ByteArena(capacity: 256)
    let header = TunnelHeader(
        tunnelNumber: number, protocolType: protocolType, isControl: isControl,
        path: PathOption(sequence: sequence, timestamp: timestamp, flags: flags))
    header.append(to: &arena, payloadByteCount: inner.count)
    arena.append(inner.span.bytes)
    return octets(arena.bytes(ByteRange(start: 0, count: arena.count)))
}

/// The same with another option before or behind the path option, and the checksum right.
func datagram(extraOptions: [UInt8], isBehind: Bool, inner: [UInt8]) -> [UInt8] {
    let plain = datagram(inner: inner)
    var bytes = Array(plain[..<8]) + (isBehind ? plain[8..<24] + extraOptions : extraOptions + plain[8..<24]) + inner
    bytes[0] = UInt8(4 + extraOptions.count / 4)
    let field = isBehind ? 22 : 22 + extraOptions.count
    mendHeaderChecksum(&bytes, at: field, payloadOffset: 24 + extraOptions.count)
    return bytes
}

func mendHeaderChecksum(_ bytes: inout [UInt8], at field: Int, payloadOffset: Int) {
    bytes[field] = 0
    bytes[field + 1] = 0
    var sum = Checksum()
    sum.add(Array(bytes[..<payloadOffset]).span.bytes)
    sum.add(UInt32(bytes.count - payloadOffset))
    bytes[field] = UInt8(sum.value >> 8)
    bytes[field + 1] = UInt8(truncatingIfNeeded: sum.value)
}

/// Makes both checksums of a damaged datagram right, where they stand in the plain form.
func mendChecksums(_ bytes: inout [UInt8]) {
    let options = Int(bytes[0] & 0x3F) * 4
    mendHeaderChecksum(&bytes, at: 22, payloadOffset: min(bytes.count, 8 + options))
    guard bytes.count >= 88 else { return }
    bytes[26] = 0
    bytes[27] = 0
    var sum = Checksum()
    sum.add(Array(bytes[24..<88]).span.bytes)
    bytes[26] = UInt8(sum.value >> 8)
    bytes[27] = UInt8(truncatingIfNeeded: sum.value)
}

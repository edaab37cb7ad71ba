import Basics
import TestKit
import Testing
import Wire

/// Every parser of the module against random octets and against valid messages that were tampered with.
@Suite struct ParserFuzzTests {
    /// Reads `octets` with every parser; a value that comes out must hold what it promises.
    private func readAll(_ octets: [UInt8]) throws {
        let bytes = octets.span.bytes
        if let header = try? IPv4Header(parsing: bytes) {
            try #require(20...60 ~= header.headerLength && header.headerLength...octets.count ~= header.totalLength)
        }
        if let header = try? IPv6Header(parsing: bytes) {
            try #require(header.headerLength >= 40 && header.headerLength...octets.count ~= header.totalLength)
            try #require(header.flowLabel < 1 << 20)
        }
        if let header = try? TCPHeader(parsing: bytes) {
            try #require(20...min(60, octets.count) ~= header.headerLength && 0...4 ~= header.sackBlockCount)
        }
        if let header = try? UDPHeader(parsing: bytes) { try #require(8...octets.count ~= header.length) }
        if let packet = try? ARPPacket(parsing: bytes) {
            try #require(written { packet.append(to: &$0) } == Array(octets.prefix(28)))
        }
        if let header = try? EthernetHeader(parsing: bytes) {
            try #require(written { header.append(to: &$0) } == Array(octets.prefix(14)))
        }
        if let header = try? ICMPHeader(parsing: bytes) {
            try #require(written { header.append(to: &$0) } == Array(octets.prefix(8)))
        }
        _ = UDPHeader.isIntact(bytes, from: .v4(.any), to: .v4(.broadcast))
    }

    private static let valid: [[UInt8]] = [
        "4600 001c 0001 0000 0102 34c7 0a00 0001 e000 0016 9404 0000 11223344",
        "6000 0000 0018 0040 2001 0db8 0000 0000 0000 0000 0000 0001 2001 0db8 0000 0000 0000 0000 0000 0002"
            + "2c00 050200000100 1100 0001 12345678 0001 0002 0008 0000",
        "c5a2 01bb 5a1f0001 00000000 a0 02 faf0 1234 0000 020405b4 0402 080a 00112233 00000000 01 030307",
        "0001 0002 00000003 00000004 f0 10 0005 0000 0000 0101 0522" + String(repeating: "00000001", count: 9),
        "1388 1389 000a 0000 abcd",
        "0001 0800 06 04 0002 020000000001 0a000001 020000000002 0a000002",
        "0800 e5c4 1234 0007",
    ].map { [UInt8](hex: $0) }

    @Test func `random octets give an error or a value that holds what it promises`() {
        forEachSeed(5_000) { random in
            var octets = random.octets(Int(random.below(100)))
            // The first octet opens the door to the length checks behind it.
            if !octets.isEmpty, random.chance(Ratio(0.5)) { octets[0] = [0x45, 0x4F, 0x60][Int(random.below(3))] }
            try readAll(octets)
        }
    }

    @Test func `tampered messages give an error or a value that holds what it promises`() {
        forEachSeed(10_000) { random in
            try readAll(random.mutated(Self.valid[Int(random.below(UInt64(Self.valid.count)))]))
        }
    }

    @Test func `headers without a checksum in the way survive tampering too`() {
        forEachSeed(5_000) { random in
            var octets = random.mutated(Self.valid[0])
            guard octets.count >= 20, octets[0] & 15 >= 5, Int(octets[0] & 15) * 4 <= octets.count else { return }
            var sum = Checksum()
            octets.replaceSubrange(10..<12, with: [0, 0])
            sum.add(Array(octets[..<(Int(octets[0] & 15) * 4)]).span.bytes)
            octets.replaceSubrange(10..<12, with: [UInt8(sum.value >> 8), UInt8(sum.value & 255)])
            try readAll(octets)
        }
    }
}

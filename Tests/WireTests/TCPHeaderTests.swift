import Basics
import TestKit
import Testing
import Wire

@Suite struct TCPHeaderTests {
    private func draw(_ random: inout SeededRandom) -> TCPHeader {
        var header = TCPHeader(
            sourcePort: UInt16(random.below(65_536)), destinationPort: UInt16(random.below(65_536)),
            sequence: UInt32(truncatingIfNeeded: random.next()),
            acknowledgment: UInt32(truncatingIfNeeded: random.next()),
            flags: TCPFlags(rawValue: UInt8(random.below(256))), window: UInt16(random.below(65_536)))
        header.urgentPointer = UInt16(random.below(65_536))
        if random.chance(Ratio(0.5)) { header.maximumSegmentSize = UInt16(random.below(65_536)) }
        if random.chance(Ratio(0.5)) { header.windowScale = UInt8(random.below(256)) }
        header.sackPermitted = random.chance(Ratio(0.5))
        if random.chance(Ratio(0.5)) {
            header.timestamps = (UInt32(truncatingIfNeeded: random.next()), UInt32(truncatingIfNeeded: random.next()))
        }
        let room = (40 - header.optionByteCount - 4) / 8
        header.sackBlockCount = max(0, min(room, Int(random.below(5))))
        for index in 0..<header.sackBlockCount {
            header.sackBlocks[index] = SACKBlock(start: UInt32(random.next() >> 32), end: UInt32(random.next() >> 32))
        }
        return header
    }

    @Test func `a header with any of its options reads back as it was written`() {
        forEachSeed(2_000) { random in
            let header = draw(&random)
            let octets = written { header.append(to: &$0) }
            try #require(octets.count == 20 + header.optionByteCount && octets.count % 4 == 0)
            let parsed = try (octets + [1, 2, 3]).reading(TCPHeader.init(parsing:))
            try #require(parsed == header)
            try #require(parsed.headerLength == octets.count && parsed.checksum == 0)
            let cut = Int(random.below(UInt64(octets.count)))
            try #require(throws: WireError.self) { try octets[..<cut].reading(TCPHeader.init(parsing:)) }
        }
    }

    @Test func `a SYN of Linux is read option by option`() throws {
        let octets = [UInt8](
            hex: "c5a2 01bb 5a1f0001 00000000 a0 02 faf0 1234 0000 020405b4 0402 080a 00112233 00000000 01 030307")
        let header = try TCPHeader(parsing: octets.span.bytes)
        #expect(header.sourcePort == 50_594 && header.destinationPort == 443 && header.sequence == 0x5A1F_0001)
        #expect(header.flags == .synchronize && header.window == 64_240 && header.checksum == 0x1234)
        #expect(header.maximumSegmentSize == 1_460 && header.windowScale == 7 && header.sackPermitted)
        #expect(header.timestamps?.value == 0x0011_2233 && header.timestamps?.echo == 0)
        #expect(header.headerLength == 40 && header.sackBlockCount == 0)
    }

    @Test func `the octets written are these`() {
        var header = TCPHeader(
            sourcePort: 1, destinationPort: 2, sequence: 3, acknowledgment: 4, flags: [.acknowledge, .push], window: 5)
        header.timestamps = (6, 7)
        header.sackBlockCount = 1
        header.sackBlocks[0] = SACKBlock(start: 8, end: 9)
        #expect(
            written { header.append(to: &$0) }
                == [UInt8](
                    hex: """
                        0001 0002 00000003 00000004 b0 18 0005 0000 0000
                        0101080a 00000006 00000007 0101050a 00000008 00000009
                        """))
    }

    /// A header of 24 bytes with these four octets of options.
    private func withOptions(_ hex: String) -> [UInt8] {
        let options = [UInt8](hex: hex)
        return [UInt8](hex: "0001 0002 00000003 00000004") + [UInt8(5 + options.count / 4) << 4, 0x10]
            + [UInt8](hex: "0005 0000 0000") + options
    }

    @Test func `unknown and odd options are skipped`() throws {
        let unknown = try withOptions("fe04 abcd 01010101 00ffffff").reading(TCPHeader.init(parsing:))
        #expect(unknown.headerLength == 32 && unknown.maximumSegmentSize == nil)
        // A known kind with a length that it never has says nothing.
        let odd = try withOptions("0203 05 0303 07 01 01").reading(TCPHeader.init(parsing:))
        #expect(odd.maximumSegmentSize == nil && odd.windowScale == 7)
        let oddBlocks = try withOptions("0506 00000001 0502").reading(TCPHeader.init(parsing:))
        #expect(oddBlocks.sackBlockCount == 0)
        // Nothing behind the end of the list is read (RFC 9293 §3.1).
        let ended = try withOptions("00 02 04 05").reading(TCPHeader.init(parsing:))
        #expect(ended.maximumSegmentSize == nil)
    }

    @Test func `octets too few for a header are refused`() {
        for count in 0..<20 {
            #expect(throws: WireError.truncated(needed: 20, available: count)) {
                try [UInt8](repeating: 0x50, count: count).reading(TCPHeader.init(parsing:))
            }
        }
    }

    @Test func `timestamps alone are read wherever their padding stands`() throws {
        for text in ["0101 080a 00000007 00000009", "080a 00000007 00000009 0101", "080a 00000007 00000009 0000"] {
            let timestamps = try #require(try withOptions(text).reading(TCPHeader.init(parsing:)).timestamps)
            #expect(timestamps.value == 7 && timestamps.echo == 9)
        }
    }

    @Test func `a malformed option list is refused`() {
        #expect(throws: WireError.badLength(0)) { try withOptions("0200 05b4").reading(TCPHeader.init(parsing:)) }
        #expect(throws: WireError.badLength(1)) { try withOptions("fe01 0000").reading(TCPHeader.init(parsing:)) }
        #expect(throws: WireError.truncated(needed: 1, available: 0)) {
            try withOptions("010101 02").reading(TCPHeader.init(parsing:))
        }
        #expect(throws: WireError.truncated(needed: 4, available: 0)) {
            try withOptions("01 01 080a 00000001").reading(TCPHeader.init(parsing:))
        }
        #expect(throws: WireError.truncated(needed: 3, available: 2)) {
            try withOptions("fe05 0000").reading(TCPHeader.init(parsing:))
        }
    }

    @Test func `a data offset under the least or past the end is refused`() {
        var octets = withOptions("01010101")
        octets[12] = 0x40
        #expect(throws: WireError.badLength(16)) { try TCPHeader(parsing: octets.span.bytes) }
        octets[12] = 0x70
        #expect(throws: WireError.badLength(28)) { try TCPHeader(parsing: octets.span.bytes) }
    }
}

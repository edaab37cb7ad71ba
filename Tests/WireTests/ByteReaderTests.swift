import Basics
import TestKit
import Testing
import Wire

@Suite struct ByteReaderTests {
    @Test func `fields come out big-endian, and what is missing is named`() throws {
        let octets = [UInt8](hex: "01 0203 04050607 08090a0b0c0d0e0f aabbccdd")
        var reader = ByteReader(octets.span.bytes)
        let byte: UInt8 = try reader.read()
        let half: UInt16 = try reader.read()
        let word: UInt32 = try reader.read()
        let long: UInt64 = try reader.read()
        #expect(byte == 1 && half == 0x0203 && word == 0x0405_0607 && long == 0x0809_0A0B_0C0D_0E0F)
        try reader.skip(1)
        let taken = [UInt8](copying: try reader.take(2))
        #expect(taken == [0xBB, 0xCC])
        let left = reader.remaining
        #expect(left == 1)
        var errors: [WireError] = []
        do throws(WireError) { _ = try reader.read(UInt16.self) } catch { errors.append(error) }
        do throws(WireError) { try reader.skip(2) } catch { errors.append(error) }
        do throws(WireError) { _ = try reader.take(3).byteCount } catch { errors.append(error) }
        #expect(errors == [2, 2, 3].map { .truncated(needed: $0, available: 1) })
        let last: UInt8 = try reader.read()
        #expect(last == 0xDD)
    }
}

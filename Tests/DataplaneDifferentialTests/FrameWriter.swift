import Basics

/// Octets of frames, written field by field: a test of the program must not rest on the codecs that others test.
enum FrameWriter {
    static func two(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 255), UInt8(value & 255)] }

    static func four(_ value: UInt32) -> [UInt8] { two(Int(value >> 16)) + two(Int(value & 0xFFFF)) }

    static func sum(_ octets: [UInt8]) -> Int {
        var sum = 0
        for place in stride(from: 0, to: octets.count, by: 2) {
            sum += Int(octets[place]) << 8 | (place + 1 < octets.count ? Int(octets[place + 1]) : 0)
        }
        while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
        return sum
    }

    static func ipv4(
        _ source: [UInt8], _ destination: [UInt8], _ number: UInt8, _ body: [UInt8], hopLimit: UInt8 = 64,
        service: UInt8 = 0, fragment: Int = 0x4000, options: [UInt8] = []
    ) -> [UInt8] {
        let length = 20 + options.count
        var header: [UInt8] = [0x40 | UInt8(length / 4), service] + two(length + body.count) + two(7)
        header += two(fragment) + [hopLimit, number, 0, 0] + source + destination + options
        header.replaceSubrange(10..<12, with: two(~sum(header) & 0xFFFF))
        return header + body
    }

    static func ipv6(
        _ source: [UInt8], _ destination: [UInt8], _ number: UInt8, _ body: [UInt8], hopLimit: UInt8 = 64,
        service: UInt8 = 0
    ) -> [UInt8] {
        [0x60 | service >> 4, service << 4, 0, 0] + two(body.count) + [number, hopLimit] + source + destination + body
    }

    static func udp(_ source: Int, _ destination: Int, _ body: [UInt8], checksum: Int = 0x1234) -> [UInt8] {
        two(source) + two(destination) + two(8 + body.count) + two(checksum) + body
    }

    static func tcp(
        _ source: Int, _ destination: Int, flags: UInt8, sequence: UInt32, acknowledgment: UInt32
    ) -> [UInt8] {
        two(source) + two(destination) + four(sequence) + four(acknowledgment) + [0x50, flags, 16, 0, 1, 2, 0, 0]
    }

    /// The tunnel's header and what is in it, as docs/wire-format.md has them.
    static func tunnel(
        _ inner: [UInt8], number: UInt32, sequence: UInt32, timestamp: UInt32, flags: UInt8, first: UInt8 = 0
    ) -> [UInt8] {
        let type: [UInt8] = (inner.first ?? 0) >> 4 == 6 ? [0x86, 0xDD] : [8, 0]
        var header: [UInt8] = [4, first] + type + four(number << 8) + [0xFF, 0x50, 1, 3] + four(sequence)
        header += four(timestamp) + [flags, 0, 0, 0]
        header.replaceSubrange(22..<24, with: two(~sum(header + two(inner.count)) & 0xFFFF))
        return header + inner
    }

    static func ethernet(_ packet: [UInt8], to destination: [UInt8], tags: Int = 0) -> [UInt8] {
        var frame = destination + [2, 0, 0, 0, 0, 0x99]
        for tag in 0..<tags { frame += (tag == 0 && tags > 1 ? [0x88, 0xA8] : [0x81, 0]) + [0, UInt8(tag + 5)] }
        return frame + ((packet.first ?? 0) >> 4 == 6 ? [0x86, 0xDD] : [8, 0]) + packet
    }
}

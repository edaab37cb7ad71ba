/// Frames and captures made by hand, so that what reads them is not what wrote them.
enum SampleFrames {
    /// What stands around an IP packet in a capture.
    enum Dressing: UInt32, CaseIterable {
        case ethernet
        case tagged
        case raw
        case cooked
        case cookedVersion2
        case loopback

        var linkType: UInt32 {
            switch self {
            case .ethernet, .tagged: 1
            case .raw: 101
            case .cooked: 113
            case .cookedVersion2: 276
            case .loopback: 0
            }
        }
    }

    static func dressed(_ dressing: Dressing, _ packet: [UInt8]) -> [UInt8] {
        let macs: [UInt8] = [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2]
        switch dressing {
        case .ethernet: return macs + [8, 0] + packet
        case .tagged: return macs + [0x81, 0, 0, 5, 8, 0] + packet
        case .raw: return packet
        case .cooked: return [0, 0, 0, 1, 0, 6] + macs.prefix(8) + [8, 0] + packet
        case .cookedVersion2: return [8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6] + macs.prefix(8) + packet
        case .loopback: return [2, 0, 0, 0] + packet
        }
    }

    static func udp(from: UInt8, to: UInt8, payload: [UInt8]) -> [UInt8] {
        dressed(.ethernet, packet(from: from, to: to, payload: payload))
    }

    static func packet(from: UInt8, to: UInt8, payload: [UInt8]) -> [UInt8] {
        ipv4(from, to, 17, [0x13, 0x88, 0x13, 0x89, 0, UInt8(8 + payload.count), 0, 0] + payload)
    }

    static func tcp(from: UInt8, to: UInt8, flags: UInt8, payload: [UInt8]) -> [UInt8] {
        let header: [UInt8] = [0, 80, 0, 81, 0, 0, 0, 1, 0, 0, 0, 2, 0x50, flags, 1, 0, 0, 0, 0, 0]
        return dressed(.ethernet, ipv4(from, to, 6, header + payload))
    }

    private static func ipv4(_ from: UInt8, _ to: UInt8, _ kind: UInt8, _ body: [UInt8]) -> [UInt8] {
        [0x45, 0, 0, UInt8(20 + body.count), 0, 0, 0, 0, 64, kind, 0, 0, 10, 0, 0, from, 10, 0, 0, to] + body
    }

    /// A UDP datagram over IPv6 behind destination options.
    static func udp6(payload: [UInt8]) -> [UInt8] {
        let body: [UInt8] = [17, 0, 1, 4, 0, 0, 0, 0, 0, 9, 0, 9, 0, UInt8(8 + payload.count), 0, 0] + payload
        var packet: [UInt8] = [0x60, 0, 0, 0, 0, UInt8(body.count), 60, 64]
        packet += [0x20, 1, 0x0D, 0xB8] + Array(repeating: 0, count: 11) + [1]
        packet += [0x20, 1, 0x0D, 0xB8] + Array(repeating: 0, count: 11) + [2]
        return [2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x86, 0xDD] + packet + body
    }

    /// A capture of frames at these nanoseconds.
    static func pcap(
        _ frames: [(UInt64, [UInt8])], linkType: UInt32 = 1, isNanoseconds: Bool = true
    ) -> [UInt8] {
        var bytes = little(isNanoseconds ? 0xA1B2_3C4D : 0xA1B2_C3D4) + [2, 0, 4, 0]
        bytes += little(0) + little(0) + little(262_144) + little(linkType)
        for (at, frame) in frames {
            let fraction = at % 1_000_000_000 / (isNanoseconds ? 1 : 1_000)
            bytes += little(UInt32(at / 1_000_000_000)) + little(UInt32(fraction))
            bytes += little(UInt32(frame.count)) + little(UInt32(frame.count)) + frame
        }
        return bytes
    }

    /// The same in the next generation's format, with its usual microseconds.
    static func pcapng(_ frames: [(UInt64, [UInt8])]) -> [UInt8] {
        var bytes = block(0x0A0D_0D0A, little(0x1A2B_3C4D) + [1, 0, 0, 0] + Array(repeating: 0xFF, count: 8))
        bytes += block(1, [1, 0, 0, 0] + little(262_144))
        for (at, frame) in frames {
            let padding = [UInt8](repeating: 0, count: (4 - frame.count % 4) % 4)
            let count = little(UInt32(frame.count))
            let stamp = at / 1_000
            bytes += block(
                6,
                little(0) + little(UInt32(stamp >> 32)) + little(UInt32(truncatingIfNeeded: stamp)) + count + count
                    + frame + padding)
        }
        return bytes
    }

    private static func block(_ kind: UInt32, _ body: [UInt8]) -> [UInt8] {
        let length = little(UInt32(body.count + 12))
        return little(kind) + length + body + length
    }

    private static func little(_ value: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * UInt32($0))) }
    }
}

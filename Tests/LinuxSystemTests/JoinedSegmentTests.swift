import Basics
import Glibc
import LinuxSystem
import TestKit
import Testing
import Wire

struct JoinedSegmentTests {
    /// Consecutive segments of one flow, each a whole frame.
    private struct Flow {
        let isIPv4: Bool
        let transport: Int
        var frames: [[UInt8]] = []

        init(_ random: inout SeededRandom, count: Int) {
            isIPv4 = random.chance(Ratio(0.5))
            transport = isIPv4 ? 34 : 54
            let payload = transport + 20 + Int(random.below(11)) * 4
            let size = Int(random.below(1_400)) + 1
            var headers = (0..<payload).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            headers[12...13] = isIPv4 ? [0x08, 0x00] : [0x86, 0xDD]
            headers[14] = isIPv4 ? 0x45 : 0x60
            headers[isIPv4 ? 23 : 20] = 6
            headers[transport + 12] = UInt8((payload - transport) / 4) << 4
            let sequence = UInt32(truncatingIfNeeded: random.next())
            for index in 0..<count {
                let isLast = index == count - 1
                let length = isLast ? Int(random.below(UInt64(size))) + 1 : size
                var frame = headers + (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                put(UInt32(truncatingIfNeeded: index * size) &+ sequence, 4, at: transport + 4, of: &frame)
                frame[transport + 13] = isLast ? 0x18 : 0x10
                frames.append(frame)
                finish(index)
            }
        }

        private func put(_ value: UInt32, _ count: Int, at place: Int, of frame: inout [UInt8]) {
            for index in 0..<count {
                frame[place + index] = UInt8(truncatingIfNeeded: value >> UInt32(8 * (count - 1 - index)))
            }
        }

        /// Lengths, identification and checksums.
        mutating func finish(_ index: Int) {
            var frame = frames[index]
            if isIPv4 {
                put(UInt32(frame.count - 14), 2, at: 16, of: &frame)
                put(UInt32(0x0100 + index), 2, at: 18, of: &frame)
                put(0x4000, 2, at: 20, of: &frame)
                put(0, 2, at: 24, of: &frame)
                put(
                    UInt32(~Checksum.onesComplementSum(of: frame.span.bytes.extracting(14..<34))), 2, at: 24, of: &frame
                )
            } else {
                put(UInt32(frame.count - 54), 2, at: 18, of: &frame)
            }
            put(0, 2, at: transport + 16, of: &frame)
            var checksum = Checksum()
            checksum.add(frame.span.bytes.extracting((isIPv4 ? 26 : 22)..<transport))
            checksum.add(UInt16(6))
            checksum.add(UInt32(frame.count - transport))
            checksum.add(frame.span.bytes.extracting(transport..<frame.count))
            put(UInt32(checksum.value), 2, at: transport + 16, of: &frame)
            frames[index] = frame
        }
    }

    private func head(_ frame: [UInt8]) -> SegmentHead? { SegmentHead(parsing: frame.span.bytes) }

    /// What comes out at the other end of a socket of messages.
    private func written(_ body: (Int32) -> Void) throws -> [UInt8] {
        var numbers: [Int32] = [0, 0]
        try #require(socketpair(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0, &numbers) == 0)
        let sending = FileDescriptor(owning: numbers[0])
        let receiving = FileDescriptor(owning: numbers[1])
        body(sending.number)
        var octets = [UInt8](repeating: 0, count: 70_000)
        let count = recv(receiving.number, &octets, octets.count, Int32(MSG_DONTWAIT))
        return Array(octets.prefix(max(0, count)))
    }

    @Test func `what was joined is cut into the same frames again`() throws {
        forEachSeed(200) { random in
            let flow = Flow(&random, count: Int(random.below(UInt64(JoinedSegments.largestCount))) + 1)
            let octets = try written { descriptor in
                var joined = JoinedSegments()
                for frame in flow.frames {
                    guard let head = SegmentHead(parsing: frame.span.bytes) else { return }
                    frame.withUnsafeBytes { joined.append($0, head) }
                }
                // Frames have to stay where they are until the write: each is kept by the flow.
                extendLifetime(flow.frames)
                let isWritten = joined.write(to: descriptor)
                #expect(isWritten)
            }
            try #require(octets.count == 10 + flow.frames.map(\.count).reduce(0, +) - overlap(flow))
            // Who cuts it up is for packets without Ethernet's header: the places are counted from there.
            var packet = Array(octets[..<10])
            packet[2] -= 14
            packet[6] -= 14
            packet += octets[24...]
            var packets = OffloadedPackets()
            packets.take(packet.span.bytes)
            var found: [[UInt8]] = []
            while packets.next() != nil { found.append(packets.bytes.withUnsafeBytes { Array($0) }) }
            #expect(found == flow.frames.map { Array($0[14...]) })
        }
    }

    /// The headers of all frames but one.
    private func overlap(_ flow: Flow) -> Int {
        (flow.frames.count - 1) * (flow.transport + Int(flow.frames[0][flow.transport + 12] >> 4) * 4)
    }

    @Test func `no bit of a segment can be wrong without its being left alone`() {
        forEachSeed(20) { random in
            let frame = Flow(&random, count: 1).frames[0]
            guard let head = SegmentHead(parsing: frame.span.bytes) else {
                Issue.record("it is a segment")
                return
            }
            for bit in 0..<8 * min(frame.count, 160) {
                var damaged = frame
                damaged[bit / 8] ^= 0x80 >> UInt8(bit % 8)
                guard let other = SegmentHead(parsing: damaged.span.bytes) else { continue }
                let isLike = other.hasHeaders(of: damaged.span.bytes, like: head, of: frame.span.bytes)
                #expect(!isLike, "bit \(bit)")
            }
        }
    }

    @Test(arguments: [0x11, 0x12, 0x14, 0x30, 0x50, 0x90, 0x00])
    func `a segment with a mark of its own is left alone`(flags: UInt8) {
        forEachSeed(20) { random in
            var flow = Flow(&random, count: 1)
            flow.frames[0][flow.transport + 13] = flags
            flow.finish(0)
            #expect(head(flow.frames[0]) == nil)
        }
    }

    @Test func `a fragment, padding and what may be fragmented are left alone`() {
        forEachSeed(20) { random in
            let flow = Flow(&random, count: 1)
            #expect(head(flow.frames[0] + [0]) == nil)
            guard flow.isIPv4 else { return }
            for field: [UInt8] in [[0x00, 0x00], [0x20, 0x00], [0x40, 0x01]] {
                var frame = flow.frames[0]
                frame[20...21] = field[...]
                frame[24...25] = [0, 0]
                let sum = ~Checksum.onesComplementSum(of: frame.span.bytes.extracting(14..<34))
                frame[24...25] = [UInt8(sum >> 8), UInt8(sum & 0xFF)]
                #expect(head(frame) == nil)
            }
        }
    }

    @Test func `any octets are a segment or none`() {
        forEachSeed(2_000) { random in
            let octets = random.mutated(Flow(&random, count: 1).frames[0])
            guard let head = SegmentHead(parsing: octets.span.bytes) else { return }
            #expect(head.byteCount == octets.count && head.payloadByteCount > 0 && head.payload >= head.transport + 20)
        }
    }
}

import Basics
import Glibc
import LinuxSystem
import Synchronization
import TestKit
import Testing
import Wire

struct OffloadTests {
    /// Many segments of TCP in one packet, as the kernel hands them over.
    private struct Whole {
        var isIPv4: Bool
        var header: [UInt8]
        var transport: Int
        var headers: Int
        var segment: Int
        var packet: [UInt8]

        init(_ random: inout SeededRandom) {
            isIPv4 = random.chance(Ratio(0.5))
            let ipOptions = isIPv4 ? Int(random.below(3)) * 4 : 0
            transport = (isIPv4 ? 20 : 40) + ipOptions
            headers = transport + 20 + Int(random.below(11)) * 4
            segment = Int(random.below(1_400)) + 1
            let payload = Int(random.below(UInt64(min(64, 60_000 / segment)) * UInt64(segment))) + 1
            packet = (0..<headers + payload).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            packet[0] = isIPv4 ? 0x45 + UInt8(ipOptions / 4) : 0x60
            packet[transport + 12] = UInt8((headers - transport) / 4) << 4
            header = [1, isIPv4 ? 1 : 4] + Self.words([headers, segment, transport, 16])
        }

        static func words(_ values: [Int]) -> [UInt8] {
            values.flatMap { value in withUnsafeBytes(of: UInt16(value)) { Array($0) } }
        }
    }

    private func number(_ octets: ArraySlice<UInt8>) -> UInt32 { octets.reduce(0) { $0 << 8 | UInt32($1) } }

    /// The one's complement sum, octet by octet; 0xFFFF where a checksum within holds.
    private func sum(_ octets: [UInt8]) -> UInt32 {
        var sum: UInt32 = 0
        for (place, octet) in octets.enumerated() {
            sum += UInt32(octet) << (place % 2 == 0 ? 8 : 0)
            sum = (sum & 0xFFFF) + (sum >> 16)
        }
        return sum
    }

    private func packets(of octets: [UInt8]) -> [[UInt8]] {
        var packets = OffloadedPackets()
        packets.take(octets.span.bytes)
        var found: [[UInt8]] = []
        while packets.next() != nil { found.append(packets.bytes.withUnsafeBytes { Array($0) }) }
        return found
    }

    @Test func `what stands for many segments is cut into them, octet for octet`() throws {
        forEachSeed(200) { random in
            let whole = Whole(&random)
            let found = packets(of: whole.header + whole.packet)
            let payload = whole.packet[whole.headers...]
            #expect(found.flatMap { $0[whole.headers...] } == Array(payload))
            #expect(found.dropLast().allSatisfy { $0.count == whole.headers + whole.segment })
            try #require(found.count == (payload.count + whole.segment - 1) / whole.segment)
            for (place, packet) in found.enumerated() { try check(packet, place, found.count, whole) }
        }
    }

    private func check(_ packet: [UInt8], _ place: Int, _ count: Int, _ whole: Whole) throws {
        let transport = whole.transport
        let first = number(whole.packet[transport + 4..<transport + 8])
        let sequence = number(packet[transport + 4..<transport + 8])
        #expect(sequence == first &+ UInt32(place * whole.segment))
        // FIN and PSH are the last one's, CWR is the first one's.
        let mask: UInt8 = (place == count - 1 ? 0xFF : 0xF6) & (place == 0 ? 0xFF : 0x7F)
        #expect(packet[transport + 13] == whole.packet[transport + 13] & mask)
        let pseudo: [UInt8]
        let byteCount = packet.count - transport
        let length = [UInt8(byteCount >> 8), UInt8(byteCount & 0xFF)]
        if whole.isIPv4 {
            #expect(Int(number(packet[2..<4])) == packet.count && sum(Array(packet[..<transport])) == 0xFFFF)
            #expect(UInt16(number(packet[4..<6])) == UInt16(number(whole.packet[4..<6])) &+ UInt16(place))
            pseudo = Array(packet[12..<20])
        } else {
            #expect(Int(number(packet[4..<6])) == packet.count - 40)
            pseudo = Array(packet[8..<40])
        }
        #expect(sum(pseudo + [0, 6] + length + packet[transport...]) == 0xFFFF)
        // All else is as it was.
        let own = [
            whole.isIPv4 ? 2..<6 : 4..<6, whole.isIPv4 ? 10..<12 : 0..<0, transport + 4..<transport + 8,
            transport + 13..<transport + 14, transport + 16..<transport + 18,
        ]
        for offset in 0..<whole.headers where !own.contains(where: { $0.contains(offset) }) {
            try #require(packet[offset] == whole.packet[offset], "\(offset)")
        }
    }

    @Test func `a checksum that is not there yet is made, and nothing else is touched`() throws {
        forEachSeed(100) { random in
            let count = 28 + Int(random.below(1_400))
            var packet = (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
            packet[0] = 0x45
            // The sum of the pseudo-header is in the field already.
            let found = packets(of: [1, 0] + Whole.words([28, 0, 20, 6]) + packet)
            try #require(found.count == 1 && found[0].count == count)
            let expected = ~sum(Array(packet[20...])) & 0xFFFF
            #expect(number(found[0][26..<28]) == (expected == 0 ? 0xFFFF : expected))
            packet.replaceSubrange(26..<28, with: found[0][26..<28])
            #expect(found[0] == packet)
            // Without that word from the kernel it is handed on as it is.
            #expect(packets(of: [UInt8](repeating: 0, count: 10) + packet) == [packet])
        }
    }

    @Test func `nonsense in front of a packet gives none, or whole ones`() {
        forEachSeed(500) { random in
            let whole = Whole(&random)
            let octets = random.mutated(whole.header + whole.packet.prefix(3_000))
            let found = packets(of: octets)
            #expect(found.allSatisfy { $0.count <= 65_536 && $0.count >= 20 })
            #expect(found.count <= octets.count)
        }
        #expect(packets(of: []).isEmpty && packets(of: [0, 0, 0]).isEmpty)
    }

    /// Carries packets between two TUNs on a thread of its own.
    private final class Bridge: Sendable {
        private let first: TunDevice
        private let second: TunDevice
        private let isOver = Atomic(false)
        /// How many reads there were, and how many packets came of them.
        let counts = Mutex((reads: 0, packets: 0))

        init(_ first: consuming TunDevice, _ second: consuming TunDevice) {
            self.first = first
            self.second = second
        }

        func run() {
            var packets = OffloadedPackets()
            while !isOver.load(ordering: .relaxed) {
                let numbers = [first.descriptor.number, second.descriptor.number]
                _ = readableDescriptors(among: numbers, within: .milliseconds(20))
                for isForward in [true, false] {
                    while packets.read(from: numbers[isForward ? 0 : 1]) {
                        counts.withLock { $0.reads += 1 }
                        while packets.next() != nil {
                            counts.withLock { $0.packets += 1 }
                            _ = isForward ? second.write(packets.bytes) : first.write(packets.bytes)
                        }
                    }
                }
            }
        }

        func end() { isOver.store(true, ordering: .relaxed) }
    }

    @Test(.enabled(if: Kernel.isWilling, "\(Kernel.reason)"))
    func `a kernel's TCP is carried octet for octet, many segments a read`() throws {
        let left = try NetworkNamespace()
        let right = try NetworkNamespace()
        func end(_ namespace: borrowing NetworkNamespace, _ last: UInt8) throws -> TunDevice {
            let tun = try TunDevice(named: "patronus0", in: namespace, mtu: 1_400, hasOffloads: true)
            let interface = tun.interface
            var routes = try RouteSocket(in: namespace)
            try routes.change {
                $0.changeLink(.index(interface), LinkChange(isUp: true))
                $0.addAddress(
                    InterfaceAddress(.v4(IPv4Address(10, 0, 0, last)), prefixLength: 24, on: interface))
            }
            return tun
        }
        let bridge = Bridge(try end(left, 1), try end(right, 2))
        let thread = try RealTimeThread(named: "bridge", .init(priority: nil)) { bridge.run() }
        defer {
            bridge.end()
            thread.join()
        }
        let streams = try StreamPair(from: left, to: right, at: IPv4Address(10, 0, 0, 2), port: 7_000)
        let octets = (0..<4_000_000).map { UInt8(truncatingIfNeeded: ($0 &* 31) >> 3) }
        let received = streams.carry(octets)
        #expect(received == octets)
        let counts = bridge.counts.withLock { $0 }
        // Of 1360 octets each, and acknowledgements; far fewer reads than packets.
        #expect(counts.packets > 2_900 && counts.reads < counts.packets * 3 / 4, "\(counts)")
    }
}

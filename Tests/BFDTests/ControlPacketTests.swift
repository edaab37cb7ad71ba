import BFD
import Basics
import TestKit
import Testing

@Suite struct ControlPacketTests {
    private static let example: [UInt8] = [
        0x21, 0xE0, 0x03, 0x18, 0x00, 0x00, 0x00, 0x2A, 0x00, 0x00, 0x00, 0x07, 0x00, 0x01, 0x86, 0xA0, 0x00, 0x00,
        0xC3, 0x50, 0x00, 0x00, 0x00, 0x00,
    ]

    @Test func `a packet is written octet for octet as the RFC draws it`() {
        var packet = ControlPacket(
            state: .up, diagnostic: .detectionExpired, detectMultiplier: 3, discriminators: (42, 7),
            desiredMinTx: .milliseconds(100), requiredMinRx: .milliseconds(50))
        packet.isPoll = true
        #expect(octets(of: packet) == Self.example)
        #expect(parsed(Self.example) == .success(packet))
    }

    @Test func `each flag and state has its own bits`() {
        func second(_ change: (inout ControlPacket) -> Void) -> UInt8 {
            var packet = ControlPacket(
                state: .down, detectMultiplier: 1, discriminators: (1, 1), desiredMinTx: .seconds(1),
                requiredMinRx: .seconds(1))
            change(&packet)
            return octets(of: packet)[1]
        }
        #expect(second { _ in } == 0x40)
        #expect(second { $0.state = .adminDown } == 0x00)
        #expect(second { $0.state = .initializing } == 0x80)
        #expect(second { $0.state = .up } == 0xC0)
        #expect(second { $0.isPoll = true } == 0x60)
        #expect(second { $0.isFinal = true } == 0x50)
        #expect(second { $0.isControlPlaneIndependent = true } == 0x48)
        #expect(second { $0.isDemand = true } == 0x42)
    }

    @Test func `every check of section 6-8-6 that needs no session refuses its packet`() {
        func changed(_ offset: Int, _ value: UInt8) -> [UInt8] {
            var bytes = Self.example
            bytes[offset] = value
            return bytes
        }
        #expect(parsed(Array(Self.example.dropLast())) == .failure(.truncated))
        #expect(parsed([]) == .failure(.truncated))
        #expect(parsed(changed(0, 0x41)) == .failure(.unsupportedVersion(2)))
        #expect(parsed(changed(0, 0x01)) == .failure(.unsupportedVersion(0)))
        #expect(parsed(changed(3, 23)) == .failure(.badLength(23)))
        #expect(parsed(changed(3, 25)) == .failure(.badLength(25)))
        #expect(parsed(changed(2, 0)) == .failure(.zeroDetectMultiplier))
        #expect(parsed(changed(1, 0xE1)) == .failure(.multipoint))
        #expect(parsed(changed(7, 0)) == .failure(.zeroLocalDiscriminator))
        #expect(parsed(changed(11, 0)) == .failure(.zeroRemoteDiscriminator))
        #expect(parsed(changed(1, 0xE4)) == .failure(.badLength(24)))
        var authenticated = changed(1, 0xE4) + [1, 2]
        authenticated[3] = 26
        #expect(parsed(authenticated) == .failure(.authenticated))
    }

    @Test func `a packet without a remote discriminator passes in Down and AdminDown alone`() {
        for state in Session.State.allCases {
            var bytes = Self.example
            bytes[1] = state.rawValue << 6
            bytes[11] = 0
            let isAllowed = state == .down || state == .adminDown
            #expect((try? parsed(bytes).get()) != nil || !isAllowed)
            #expect((try? parsed(bytes).get()) == nil || isAllowed)
        }
    }

    @Test func `octets behind the packet's length are not looked at`() {
        #expect(parsed(Self.example + [9, 9, 9]) == parsed(Self.example))
    }

    @Test func `whatever parses is written back as it came`() {
        forEachSeed(200) { random in
            for _ in 0..<200 {
                var bytes = Self.example
                for _ in 0..<random.below(6) {
                    bytes[Int(random.below(24))] = UInt8(truncatingIfNeeded: random.next())
                }
                if random.chance(Ratio(0.1)) { bytes.removeLast(Int(random.below(24))) }
                guard case .success(let packet) = parsed(bytes) else { continue }
                try #require(octets(of: packet) == bytes)
            }
        }
    }

    @Test func `noise is refused or read, never trapped on`() {
        forEachSeed(100) { random in
            for _ in 0..<100 {
                let bytes = (0..<Int(random.below(64))).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                guard case .success(let packet) = parsed(bytes) else { continue }
                try #require(octets(of: packet).count == 24 && packet.detectMultiplier > 0)
            }
        }
    }
}

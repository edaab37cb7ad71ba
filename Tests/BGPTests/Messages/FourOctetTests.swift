import BGP
import Basics
import TestKit
import Testing
import Wire

@Suite struct FourOctetTests {
    private let context = UpdateContext(isInternal: false, isFourOctet: false)
    private let origin = attribute(0x40, 1, [0])
    private let nextHop = attribute(0x40, 3, [192, 0, 2, 2])

    private func shortPath(_ numbers: UInt16...) -> [UInt8] {
        attribute(0x40, 2, [2, UInt8(numbers.count)] + numbers.flatMap { bigEndian($0) })
    }

    private func read(_ attributes: [[UInt8]]) throws -> PathAttributes {
        let body = updateBody(attributes: [origin, nextHop] + attributes, prefixes: [8, 10])
        return try #require(try decodeUpdate(body, context).get().announcements.first).attributes
    }

    @Test func `AS4_PATH fills in what two octets could not say`() throws {
        let read = try read([
            shortPath(65002, 23456, 23456), attribute(0xC0, 17, pathValue(4_200_000_001, 4_200_000_002)),
        ])
        #expect(read.path == ASPath(65002, 4_200_000_001, 4_200_000_002))
    }

    @Test func `an AS4_PATH longer than AS_PATH is ignored`() throws {
        let read = try read([shortPath(65002), attribute(0xC0, 17, pathValue(4_200_000_001, 4_200_000_002))])
        #expect(read.path == ASPath(65002))
    }

    @Test func `an aggregate formed since by an old speaker makes both attributes stale`() throws {
        let read = try read([
            shortPath(65002, 23456), attribute(0xC0, 17, pathValue(4_200_000_001)),
            attribute(0xC0, 7, bigEndian(UInt16(65003)) + [10, 0, 0, 3]),
            attribute(0xC0, 18, bigEndian(UInt32(4_200_000_001)) + [10, 0, 0, 4]),
        ])
        #expect(read.path == ASPath(65002, 23456))
        #expect(read.aggregator == Aggregator(autonomousSystem: 65003, identifier: IPv4Address(10, 0, 0, 3)))
    }

    @Test func `AS4_AGGREGATOR takes the place of AS_TRANS`() throws {
        let read = try read([
            shortPath(65002, 23456), attribute(0xC0, 7, bigEndian(UInt16(23456)) + [10, 0, 0, 3]),
            attribute(0xC0, 18, bigEndian(UInt32(4_200_000_001)) + [10, 0, 0, 4]),
        ])
        #expect(read.aggregator == Aggregator(autonomousSystem: 4_200_000_001, identifier: IPv4Address(10, 0, 0, 4)))
    }

    @Test func `a bad AS4_PATH is ignored`() throws {
        let read = try read([shortPath(65002, 23456), attribute(0xC0, 17, [2, 9, 0, 0])])
        #expect(read.path == ASPath(65002, 23456))
    }

    @Test func `what is written for an old speaker is read back whole`() {
        forEachSeed { random in
            let numbers = (0..<1 + Int(random.below(6))).map { _ in
                random.below(2) == 0 ? UInt32(1 + random.below(60000)) : UInt32(70000 + random.below(1 << 20))
            }
            var attributes = PathAttributes(
                path: ASPath(segments: [ASPath.Segment(.sequence, numbers)]), nextHop: "192.0.2.2")
            if random.below(2) == 0 {
                attributes.aggregator = Aggregator(
                    autonomousSystem: UInt32(1 + random.below(200_000)), identifier: IPv4Address(10, 0, 0, 9))
            }
            let written = encoded { arena in
                var encoder = UpdateEncoder(isFourOctet: false)
                _ = encoder.announce(["10.0.0.0/8"], with: attributes, to: &arena)
            }
            let body = try #require(messages(in: written).first).body
            let read = try decodeUpdate(body, context).get()
            try #require(read.announcements == [Announcement(attributes: attributes, prefixes: ["10.0.0.0/8"])])
        }
    }
}

import BGP
import Basics
import TestKit
import Testing
import Wire

private let ipv4 = FamilyIdentifiers(.ipv4Unicast)
private let ipv6 = FamilyIdentifiers(.ipv6Unicast)

/// The capabilities of an OPEN whose capability parameter has that content.
private func capabilities(_ content: [UInt8]) -> [Capability]? {
    let body = octets("04 fde9 005a 0a000002") + [UInt8(content.count + 2), 2, UInt8(content.count)] + content
    return try? decodeOpen(body).get().capabilities
}

@Suite struct CapabilityTests {
    @Test(arguments: [
        ("05 06 0001 0001 0002", Capability.extendedNextHop([ExtendedNextHop(ipv4, nextHopIdentifier: 2)])),
        ("06 00", .extendedMessages),
        ("09 01 03", .role(3)),
        (
            "40 0a c078 0001 01 80 0002 01 00",
            .gracefulRestart(
                GracefulRestartOffer(
                    isRestarting: true, coversNotifications: true, restartTime: 120,
                    families: [.init(ipv4, isForwardingKept: true), .init(ipv6, isForwardingKept: false)]))
        ),
        (
            "45 08 0001 01 03 0002 01 01",
            .additionalPaths([
                AdditionalPathsOffer(ipv4, canReceive: true, canSend: true),
                AdditionalPathsOffer(ipv6, canReceive: true, canSend: false),
            ])
        ),
        ("46 00", .enhancedRouteRefresh),
        (
            "47 07 0001 01 80 000e10",
            .longLivedGracefulRestart([LongLivedOffer(ipv4, isForwardingKept: true, staleTime: 3600)])
        ),
        ("de 02 7a7a", .unrecognized(code: 222, [0x7A, 0x7A])),
    ])
    func `each capability stands as its RFC has it`(_ text: String, capability: Capability) {
        #expect(capability.octets == octets(text))
        #expect(capabilities(octets(text)) == [capability])
    }

    @Test(arguments: [
        "05 05 0001000100", "06 01 00", "09 00", "40 01 00", "45 03 000101", "46 01 00", "47 06 000101800000",
    ])
    func `a younger capability of a wrong length is as one not understood`(_ text: String) {
        let content = octets(text)
        #expect(capabilities(content) == [.unrecognized(code: content[0], Array(content.dropFirst(2)))])
    }

    @Test(arguments: ["01 03 000100", "02 01 00", "41 02 0001", "01 04 00", "01"])
    func `an older one of a wrong length, or one cut off, makes the OPEN malformed`(_ text: String) {
        #expect(capabilities(octets(text)) == nil)
    }

    @Test func `the last word on restarts and the first on numbered paths count`() {
        let message = OpenMessage(
            autonomousSystem: 65001, holdTime: 90, identifier: .any,
            capabilities: [
                .gracefulRestart(.init(isRestarting: true, coversNotifications: false, restartTime: 1, families: [])),
                .gracefulRestart(.init(isRestarting: false, coversNotifications: true, restartTime: 2, families: [])),
                .additionalPaths([AdditionalPathsOffer(ipv4, canReceive: true, canSend: false)]),
                .additionalPaths([AdditionalPathsOffer(ipv4, canReceive: false, canSend: true)]),
                .role(4), .role(4),
            ])
        #expect(message.gracefulRestart?.restartTime == 2)
        #expect(message.additionalPaths(of: .ipv4Unicast)?.canReceive == true)
        #expect(message.additionalPaths(of: .ipv6Unicast) == nil)
        #expect(message.roles == [4])
    }

    @Test func `an OPEN with more than 253 octets of capabilities takes the extended form`() {
        let capabilities = (0..<20).map { Capability.unrecognized(code: 100 + $0, Array(repeating: $0, count: 20)) }
        let message = OpenMessage(
            autonomousSystem: 65001, holdTime: 90, identifier: IPv4Address(10, 0, 0, 1), capabilities: capabilities)
        let stream = encoded { message.append(to: &$0) }
        #expect(Array(stream[28..<35]) == [255, 255] + bigEndian(UInt16(443)) + [2] + bigEndian(UInt16(440)))
        #expect(decodeOpen(Array(stream.dropFirst(19))) == .success(message))
    }

    @Test func `what is encoded is decoded to the same`() {
        forEachSeed(300) { random in
            let families = [ipv4, ipv6, FamilyIdentifiers(identifier: 25, subsequentIdentifier: 70)]
            func flag() -> Bool { random.below(2) == 0 }
            let all: [Capability] = [
                .extendedNextHop(families.map { ExtendedNextHop($0, nextHopIdentifier: UInt16(random.below(3))) }),
                .extendedMessages, .enhancedRouteRefresh, .role(UInt8(random.below(256))),
                .gracefulRestart(
                    GracefulRestartOffer(
                        isRestarting: flag(), coversNotifications: flag(), restartTime: UInt16(random.below(4096)),
                        families: families.map { .init($0, isForwardingKept: flag()) })),
                .additionalPaths(families.map { AdditionalPathsOffer($0, canReceive: true, canSend: flag()) }),
                .longLivedGracefulRestart(
                    families.map {
                        LongLivedOffer($0, isForwardingKept: flag(), staleTime: UInt32(random.below(1 << 24)))
                    }),
                .fourOctetAS(UInt32(1 + random.below(1 << 32 - 1))), .multiprotocol(.ipv6Unicast), .routeRefresh,
            ]
            let chosen = all.filter { _ in flag() }
            let message = OpenMessage(
                autonomousSystem: 65001, holdTime: 90, identifier: IPv4Address(10, 0, 0, 1), capabilities: chosen)
            let stream = encoded { message.append(to: &$0) }
            try #require(decodeOpen(Array(stream.dropFirst(19))) == .success(message))
        }
    }
}

import BGP
import Basics
import TestKit
import Testing
import Wire

private let origin = attribute(0x40, 1, [0])
private let path = attribute(0x40, 2, pathValue(65002))
private let nextHop = attribute(0x40, 3, [192, 0, 2, 2])
private let prefixField: [UInt8] = [24, 198, 51, 100]

private func context(_ change: (inout UpdateContext) -> Void = { _ in }) -> UpdateContext {
    var context = UpdateContext(isInternal: false)
    change(&context)
    return context
}

private func decoded(_ attributes: [[UInt8]], _ context: UpdateContext = context()) -> UpdateMessage? {
    let body = updateBody(attributes: [origin, path, nextHop] + attributes, prefixes: prefixField)
    return try? decodeUpdate(body, context).get()
}

@Suite struct AttributeTests {
    @Test func `the accumulated metric is minded where it is asked for`() {
        let metric = attribute(0x80, 26, [1, 0, 11, 0, 0, 0, 0, 0, 0, 1, 4])
        let minding = context { $0.acceptsAccumulatedMetric = true }
        #expect(decoded([metric], minding)?.announcements.first?.attributes.accumulatedMetric == 260)
        #expect(decoded([metric])?.announcements.first?.attributes.accumulatedMetric == nil)
    }

    private static let badMetrics: [(flags: UInt8, value: [UInt8])] = [
        (0x80, []), (0x80, [1, 0, 5, 0, 0]), (0x80, [9, 0, 3]), (0x80, [1, 0, 11, 0]), (0x80, [1, 0, 2]),
        (0xC0, [1, 0, 11, 0, 0, 0, 0, 0, 0, 1, 4]),
    ]

    @Test(arguments: badMetrics)
    func `a bad accumulated metric is as if it were not there`(_ flags: UInt8, value: [UInt8]) {
        let message = decoded([attribute(flags, 26, value)], context { $0.acceptsAccumulatedMetric = true })
        #expect(message?.faults == [.attributeDiscard(.accumulatedMetric)])
        #expect(message?.announcements.first?.attributes.accumulatedMetric == nil)
    }

    @Test func `the mark of RFC 9234 is four octets and not 0`() {
        let good = decoded([attribute(0xC0, 35, bigEndian(UInt32(65009)))])
        #expect(good?.announcements.first?.attributes.onlyToCustomer == 65009)
        for value in [[UInt8](), [0, 0, 1], [0, 0, 0, 0], [0, 0, 0, 1, 1]] {
            #expect(decoded([attribute(0xC0, 35, value)])?.faults == [.treatAsWithdraw(.onlyToCustomer)])
        }
    }

    @Test func `the Partial bit stays once it is set`() throws {
        let attributes = [
            attribute(0xE0, 7, bigEndian(UInt32(65002)) + [10, 0, 0, 9]), attribute(0xE0, 8, [0, 1, 0, 2]),
            attribute(0xC0, 16, [0, 2, 0, 1, 0, 0, 0, 1]), attribute(0xE0, 25, Array(repeating: 7, count: 20)),
            attribute(0xE0, 32, Array(repeating: 1, count: 12)), attribute(0xE0, 35, bigEndian(UInt32(65002))),
            attribute(0xC0, 99, [1]),
        ]
        let announcement = try #require(decoded(attributes)?.announcements.first)
        let stream = encoded { arena in
            var encoder = UpdateEncoder(isFourOctet: true)
            _ = encoder.announce(
                ContiguousArray(announcement.prefixes), with: announcement.attributes, to: &arena)
        }
        let body = try #require(messages(in: stream).first?.body)
        let flags = attributeFlags(Array(body[4..<4 + (Int(body[2]) << 8 | Int(body[3]))]))
        #expect(
            flags == [1: 0x40, 2: 0x40, 3: 0x40, 7: 0xE0, 8: 0xE0, 16: 0xC0, 25: 0xE0, 32: 0xE0, 35: 0xE0, 99: 0xE0])
    }

    @Test func `attributes leave in the order of their types, unread ones among them`() throws {
        var attributes = PathAttributes(path: ASPath(65001), nextHop: "192.0.2.1")
        attributes.accumulatedMetric = 5
        attributes.onlyToCustomer = 65001
        attributes.largeCommunities = [LargeCommunity(1, 2, 3)]
        attributes.unrecognized = [22, 30, 34, 99].map {
            UnrecognizedAttribute(type: AttributeType(rawValue: $0), flags: [.optional, .transitive], value: [1])
        }
        let stream = encoded { arena in
            var encoder = UpdateEncoder(isFourOctet: true)
            _ = encoder.announce(["10.0.0.0/8"], with: attributes, to: &arena)
        }
        var types: [UInt8] = []
        var rest = try #require(messages(in: stream).first?.body).dropFirst(4).dropLast(2)
        while let type = rest.dropFirst().first, let length = rest.dropFirst(2).first {
            types.append(type)
            rest = rest.dropFirst(3 + Int(length))
        }
        #expect(types == [1, 2, 3, 22, 26, 30, 32, 34, 35, 99])
    }

    @Test func `segments of a confederation belong inside one`() {
        let inner = attribute(0x40, 2, pathValue(65010, kind: 3) + pathValue(4200))
        let outer = attribute(0x40, 2, pathValue(4200))
        func outcome(_ path: [UInt8], isInternal: Bool, isInside: Bool) -> Bool? {
            var context = UpdateContext(isInternal: isInternal)
            context.isInConfederation = isInside
            let body = updateBody(attributes: [origin, path, nextHop], prefixes: prefixField)
            return (try? decodeUpdate(body, context).get()).map { !$0.announcements.isEmpty }
        }
        #expect(outcome(inner, isInternal: false, isInside: true) == true)
        #expect(outcome(inner, isInternal: true, isInside: true) == true)
        #expect(outcome(inner, isInternal: false, isInside: false) == false)
        #expect(outcome(inner, isInternal: true, isInside: false) == false)
        #expect(outcome(outer, isInternal: false, isInside: true) == false, "RFC 5065 §5: the neighbour must be in it")
        #expect(outcome(outer, isInternal: true, isInside: true) == true)
    }

    @Test func `a set in a path is taken or refused`() {
        let path = attribute(0x40, 2, pathValue(65002) + pathValue(4200, 4201, kind: 1))
        let body = updateBody(attributes: [origin, path, nextHop], prefixes: prefixField)
        #expect((try? decodeUpdate(body, context()).get().announcements.count) == 1)
        let strict = try? decodeUpdate(body, context { $0.refusesSets = true }).get()
        #expect(strict?.faults == [.treatAsWithdraw(.path)])
    }

    @Test func `an IPv4 route has an IPv6 next hop only where both ends want it`() throws {
        let address: IPAddress = "2001:db8::1"
        let stream = encoded { arena in
            var format = UpdateFormat(isFourOctet: true)
            format.hasExtendedNextHop = true
            var encoder = UpdateEncoder(format)
            _ = encoder.announce(
                ["198.51.100.0/24"], with: PathAttributes(path: ASPath(65002), nextHop: address), to: &arena)
        }
        let body = try #require(messages(in: stream).first?.body)
        let heard = try decodeUpdate(body, context { $0.hasExtendedNextHop = true }).get()
        #expect(heard.announcements.map(\.prefixes) == [["198.51.100.0/24"]])
        #expect(heard.announcements.first?.attributes.nextHop == address)
        #expect(decodeUpdate(body, context()) == .failure(.optionalAttributeError(Array(body[4..<33]))))
    }

    @Test func `beside a multiprotocol attribute alone NEXT_HOP is ignored`() {
        let reachable = attribute(0x80, 14, [0, 1, 1, 4, 192, 0, 2, 2, 0] + prefixField)
        for bad in [attribute(0x40, 3, [192, 0]), attribute(0x40, 3, [127, 0, 0, 1])] {
            let alone = decodeUpdate(updateBody(attributes: [reachable, origin, path, bad]), context())
            #expect((try? alone.get().announcements.count) == 1)
            let both = updateBody(attributes: [reachable, origin, path, bad], prefixes: [24, 10, 0, 0])
            #expect((try? decodeUpdate(both, context()).get().withdrawn.count) == 2)
        }
    }

    @Test func `IPv6 extended communities are twenty octets each`() {
        #expect(decoded([attribute(0xC0, 25, Array(repeating: 1, count: 40))])?.faults == [])
        for count in [0, 19, 21] {
            let fault = UpdateFault.treatAsWithdraw(.ipv6ExtendedCommunities)
            #expect(decoded([attribute(0xC0, 25, Array(repeating: 1, count: count))])?.faults == [fault])
        }
    }
}

@Suite struct NumberedPathTests {
    private func numbered(_ families: AddressFamilies) -> (UpdateFormat, UpdateContext) {
        var format = UpdateFormat(isFourOctet: true)
        format.numberedFamilies = families
        return (format, context { $0.numberedFamilies = families })
    }

    @Test func `every prefix has its number in front`() {
        let (format, _) = numbered(.ipv4Unicast)
        let stream = encoded { arena in
            _ = UpdateEncoder(format).withdraw(["10.0.0.0/8"], identifiers: [7], to: &arena)
        }
        #expect(messages(in: stream).map(\.body) == [octets("0006 00000007 08 0a 0000")])
    }

    @Test func `what is encoded is decoded to the same, and one family may be without numbers`() {
        forEachSeed(200) { random in
            let families: [AddressFamilies] = [.ipv4Unicast, .ipv6Unicast, [.ipv4Unicast, .ipv6Unicast], []]
            let (format, context) = numbered(families[Int(random.below(4))])
            let isIPv4 = random.below(2) == 0
            let prefixes = (0..<1 + Int(random.below(1500))).map { index in
                isIPv4
                    ? IPPrefix(.v4(IPv4Address(bits: UInt32(index) << 8)), length: 24)
                    : IPPrefix(.v6(IPv6Address(high: UInt64(index) << 16, low: 0)), length: 48)
            }
            let isNumbered = format.numberedFamilies.contains(isIPv4 ? .ipv4Unicast : .ipv6Unicast)
            let identifiers = prefixes.map { _ in UInt32(truncatingIfNeeded: random.next()) }
            let attributes = PathAttributes(path: ASPath(65002), nextHop: isIPv4 ? "192.0.2.2" : "2001:db8::2")
            var heard: [(IPPrefix, UInt32)] = []
            var taken: [(IPPrefix, UInt32)] = []
            let stream = encoded { arena in
                var encoder = UpdateEncoder(format)
                _ = encoder.announce(
                    ContiguousArray(prefixes), identifiers: ContiguousArray(identifiers), with: attributes, to: &arena)
                _ = encoder.withdraw(
                    ContiguousArray(prefixes), identifiers: ContiguousArray(identifiers), to: &arena)
            }
            for message in messages(in: stream) {
                try #require(message.body.count + 19 <= 4096)
                let update = try decodeUpdate(message.body, context).get()
                for announcement in update.announcements {
                    try #require(announcement.identifiers.count == (isNumbered ? announcement.prefixes.count : 0))
                    heard += zip(announcement.prefixes, isNumbered ? announcement.identifiers : []).map { $0 }
                }
                taken += zip(update.withdrawn, update.withdrawnIdentifiers).map { $0 }
            }
            let expected = isNumbered ? Array(zip(prefixes, identifiers)) : []
            try #require(heard.elementsEqual(expected) { $0 == $1 } && taken.elementsEqual(expected) { $0 == $1 })
        }
    }

    @Test func `a number without a prefix costs the session`() {
        let (_, context) = numbered(.ipv4Unicast)
        for field in [[UInt8(0), 0, 0, 1], [0, 0, 0], [0, 0, 0, 1, 24, 10]] {
            #expect(decodeUpdate(updateBody(withdrawn: field), context) == .failure(.invalidNetworkField))
        }
    }

    @Test func `withdrawals of both families keep their numbers apart`() throws {
        let (_, context) = numbered(.ipv6Unicast)
        let unreachable = attribute(0x80, 15, [0, 2, 1] + [0, 0, 0, 9, 16, 0x20, 1])
        let body = updateBody(withdrawn: [8, 10], attributes: [unreachable])
        let message = try decodeUpdate(body, context).get()
        #expect(message.withdrawn == ["10.0.0.0/8", "2001::/16"])
        #expect(message.withdrawnIdentifiers == [0, 9])
    }
}

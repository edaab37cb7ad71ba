import BGP
import Basics
import Testing
import Wire

private let origin = attribute(0x40, 1, [0])
private let path = attribute(0x40, 2, pathValue(65002))
private let nextHop = attribute(0x40, 3, [192, 0, 2, 2])
private let localPreference = attribute(0x40, 5, [0, 0, 0, 100])
private let mandatory = [origin, path, nextHop]
/// The prefix as it stands in an UPDATE.
private let prefixField: [UInt8] = [24, 198, 51, 100]
private let prefix: IPPrefix = "198.51.100.0/24"
private let external = UpdateContext(isInternal: false)
private let `internal` = UpdateContext(isInternal: true)

/// What an UPDATE is to come to.
enum Outcome: Equatable, CustomStringConvertible {
    case reset(UInt8, UInt8)
    case withdraw(UInt8)
    case discard(UInt8)
    case keep

    init(_ result: Result<UpdateMessage, Notification>) {
        switch result {
        case .failure(let notification):
            self = .reset(notification.code, notification.subcode)
        case .success(let message):
            let withdraws = message.faults.compactMap { fault -> UInt8? in
                if case .treatAsWithdraw(let type) = fault { type.rawValue } else { nil }
            }
            let discards = message.faults.compactMap { fault -> UInt8? in
                if case .attributeDiscard(let type) = fault { type.rawValue } else { nil }
            }
            self = withdraws.first.map { .withdraw($0) } ?? discards.first.map { .discard($0) } ?? .keep
        }
    }

    var description: String {
        switch self {
        case .reset(let code, let subcode): "reset \(code)/\(subcode)"
        case .withdraw(let type): "withdraw for \(type)"
        case .discard(let type): "discard \(type)"
        case .keep: "keep"
        }
    }
}

@Suite struct UpdateFaultTests {
    @Test(arguments: [
        ("no ORIGIN", updateBody(attributes: [path, nextHop], prefixes: prefixField), Outcome.withdraw(1)),
        ("no AS_PATH", updateBody(attributes: [origin, nextHop], prefixes: prefixField), .withdraw(2)),
        ("no NEXT_HOP", updateBody(attributes: [origin, path], prefixes: prefixField), .withdraw(3)),
        ("nothing withdrawn or announced", updateBody(), .keep),
        ("attributes without prefixes", updateBody(attributes: mandatory), .keep),
        (
            "a second ORIGIN", updateBody(attributes: mandatory + [attribute(0x40, 1, [9])], prefixes: prefixField),
            .keep
        ),
        ("withdrawn length beyond the message", octets("0bb8 0000"), .reset(3, 1)),
        ("attribute length beyond the message", octets("0000 0bb8") + prefixField, .reset(3, 1)),
        ("withdrawn prefix of 40 bits", updateBody(withdrawn: [40, 45, 0, 0, 0, 0]), .reset(3, 10)),
        ("withdrawn prefix cut off", updateBody(withdrawn: [24, 45]), .reset(3, 10)),
        (
            "prefix of 33 bits", updateBody(attributes: mandatory, prefixes: [33, 45, 0, 0, 0, 0]),
            .reset(3, 10)
        ),
        ("prefix of 255 bits", updateBody(attributes: mandatory, prefixes: [255] + prefixField), .reset(3, 10)),
        ("prefix cut off", updateBody(attributes: mandatory, prefixes: [24, 45, 1]), .reset(3, 10)),
        (
            "one octet of an attribute", updateBody(attributes: mandatory + [[0xC0]], prefixes: prefixField),
            .withdraw(0)
        ),
        (
            "two octets of an attribute", updateBody(attributes: mandatory + [[0xC0, 8]], prefixes: prefixField),
            .withdraw(8)
        ),
        (
            "half an extended length", updateBody(attributes: mandatory + [[0xD0, 8, 0]], prefixes: prefixField),
            .withdraw(8)
        ),
        (
            "an attribute beyond the end",
            updateBody(attributes: mandatory + [[0xC0, 8, 64, 0, 1, 0, 1]], prefixes: prefixField), .withdraw(8)
        ),
        (
            "an attribute beyond the end and nothing to withdraw",
            updateBody(attributes: [[0xC0, 8, 64, 0, 1, 0, 1]]), .reset(3, 1)
        ),
        (
            "a bad ORIGIN and nothing to withdraw", updateBody(attributes: [attribute(0x40, 1, [7])]), .reset(3, 1)
        ),
        (
            "MP_REACH_NLRI beyond the end",
            updateBody(attributes: mandatory + [[0x80, 14, 64, 0, 2]], prefixes: prefixField), .reset(3, 1)
        ),
        (
            "an unknown well-known attribute",
            updateBody(attributes: mandatory + [attribute(0x40, 99, [1])], prefixes: prefixField), .reset(3, 2)
        ),
        (
            "the unused bits of the flags",
            updateBody(attributes: [[0x4F, 1, 1, 0], path, nextHop], prefixes: prefixField), .keep
        ),
        (
            "an extended length where none is needed",
            updateBody(attributes: [[0x50, 1, 0, 1, 0], path, nextHop], prefixes: prefixField), .keep
        ),
        (
            "attributes in another order",
            updateBody(attributes: [nextHop, path, origin], prefixes: prefixField), .keep
        ),
        (
            "host bits in a prefix", updateBody(attributes: mandatory, prefixes: [22, 198, 51, 100]), .keep
        ),
    ])
    func `the structure of an UPDATE`(_ name: String, body: [UInt8], outcome: Outcome) {
        #expect(Outcome(decodeUpdate(body, external)) == outcome, "\(name)")
    }

    @Test(arguments: [
        ("ORIGIN 3", 0x40, 1, "03", Outcome.withdraw(1), Outcome.withdraw(1)),
        ("ORIGIN of 0", 0x40, 1, "", .withdraw(1), .withdraw(1)),
        ("ORIGIN of 2", 0x40, 1, "0000", .withdraw(1), .withdraw(1)),
        ("optional ORIGIN", 0xC0, 1, "00", .withdraw(1), .withdraw(1)),
        ("AS_PATH of an unknown kind", 0x40, 2, "05010000fdea", .withdraw(2), .withdraw(2)),
        ("AS_PATH with an empty segment", 0x40, 2, "0200", .withdraw(2), .withdraw(2)),
        ("AS_PATH beyond its end", 0x40, 2, "02ff0000fdea", .withdraw(2), .withdraw(2)),
        ("AS_PATH with one octet left", 0x40, 2, "02010000fdea02", .withdraw(2), .withdraw(2)),
        ("AS_PATH with AS 0", 0x40, 2, "02020000fdea00000000", .withdraw(2), .withdraw(2)),
        ("AS_PATH of a confederation", 0x40, 2, "03010000fdea", .withdraw(2), .withdraw(2)),
        ("AS_PATH with a set", 0x40, 2, "02010000fdea01020000fdeb0000fdec", .keep, .keep),
        ("optional AS_PATH", 0xC0, 2, "02010000fdea", .withdraw(2), .withdraw(2)),
        ("NEXT_HOP of 3", 0x40, 3, "c00002", .withdraw(3), .withdraw(3)),
        ("NEXT_HOP of 5", 0x40, 3, "c000020200", .withdraw(3), .withdraw(3)),
        ("NEXT_HOP 0.0.0.0", 0x40, 3, "00000000", .withdraw(3), .withdraw(3)),
        ("NEXT_HOP 127.0.0.1", 0x40, 3, "7f000001", .withdraw(3), .withdraw(3)),
        ("NEXT_HOP 224.0.0.1", 0x40, 3, "e0000001", .withdraw(3), .withdraw(3)),
        ("MULTI_EXIT_DISC of 3", 0x80, 4, "000001", .withdraw(4), .withdraw(4)),
        ("transitive MULTI_EXIT_DISC", 0xC0, 4, "00000001", .withdraw(4), .withdraw(4)),
        ("LOCAL_PREF", 0x40, 5, "00000001", .discard(5), .keep),
        ("LOCAL_PREF of 3", 0x40, 5, "000001", .discard(5), .withdraw(5)),
        ("ATOMIC_AGGREGATE of 1", 0x40, 6, "00", .discard(6), .discard(6)),
        ("AGGREGATOR of 6", 0xC0, 7, "fdea0a000001", .discard(7), .discard(7)),
        ("AGGREGATOR with AS 0", 0xC0, 7, "000000000a000001", .discard(7), .discard(7)),
        ("COMMUNITIES of 0", 0xC0, 8, "", .withdraw(8), .withdraw(8)),
        ("COMMUNITIES of 5", 0xC0, 8, "fdea006400", .withdraw(8), .withdraw(8)),
        ("non-transitive COMMUNITIES", 0x80, 8, "fdea0064", .withdraw(8), .withdraw(8)),
        ("ORIGINATOR_ID", 0x80, 9, "0a000009", .discard(9), .keep),
        ("ORIGINATOR_ID of 3", 0x80, 9, "0a0000", .discard(9), .withdraw(9)),
        ("CLUSTER_LIST of 0", 0x80, 10, "", .discard(10), .withdraw(10)),
        ("EXTENDED COMMUNITIES of 9", 0xC0, 16, "0002fdea0000000100", .withdraw(16), .withdraw(16)),
        ("AS4_PATH between new speakers", 0xC0, 17, "02010000fdea", .discard(17), .discard(17)),
        ("AS4_AGGREGATOR between new speakers", 0xC0, 18, "0000fdea0a000001", .discard(18), .discard(18)),
        ("AS4_AGGREGATOR of 7", 0xC0, 18, "0000fdea0a0000", .discard(18), .discard(18)),
        ("LARGE_COMMUNITY of 13", 0xC0, 32, "0000fdea000000010000000200", .withdraw(32), .withdraw(32)),
        ("MP_REACH_NLRI of 3", 0x80, 14, "000201", .reset(3, 9), .reset(3, 9)),
        ("MP_REACH_NLRI with half a next hop", 0x80, 14, "0002011020010db80000000000", .reset(3, 9), .reset(3, 9)),
        ("MP_REACH_NLRI with no next hop", 0x80, 14, "00020100003020010db80001", .reset(3, 9), .reset(3, 9)),
        ("MP_REACH_NLRI of another family", 0x80, 14, "0001800000", .keep, .keep),
        ("MP_UNREACH_NLRI of 2", 0x80, 15, "0002", .reset(3, 9), .reset(3, 9)),
        ("MP_UNREACH_NLRI with half a prefix", 0x80, 15, "0002014020010db8", .reset(3, 9), .reset(3, 9)),
        (
            "MP_UNREACH_NLRI with 129 bits", 0x80, 15, "00020181" + String(repeating: "20", count: 17), .reset(3, 9),
            .reset(3, 9)
        ),
        ("optional transitive, unknown", 0xC0, 99, "abcd", .keep, .keep),
        ("optional non-transitive, unknown", 0x80, 99, "abcd", .keep, .keep),
    ])
    func `an attribute costs what RFC 7606 says`(
        _ name: String, flags: Int, type: Int, value: String, fromOutside: Outcome, fromInside: Outcome
    ) {
        let type = UInt8(type)
        let changed = attribute(UInt8(flags), type, octets(value))
        let others = (mandatory + [localPreference]).filter { $0[1] != type }
        let outside = updateBody(attributes: others.filter { $0[1] != 5 } + [changed], prefixes: prefixField)
        let inside = updateBody(attributes: others + [changed], prefixes: prefixField)
        #expect(Outcome(decodeUpdate(outside, external)) == fromOutside, "\(name), external")
        #expect(Outcome(decodeUpdate(inside, `internal`)) == fromInside, "\(name), internal")
    }

    @Test func `a route at fault is withdrawn, in both families`() throws {
        let reach = attribute(0x80, 14, octets("0002 01 10 20010db8000000000000000000000001 00 30 20010db80001"))
        let body = updateBody(
            withdrawn: [16, 10, 9], attributes: [reach, attribute(0x40, 1, [7]), path, nextHop],
            prefixes: prefixField)
        let message = try decodeUpdate(body, external).get()
        #expect(message.withdrawn == ["10.9.0.0/16", prefix, "2001:db8:1::/48"])
        #expect(message.announcements.isEmpty)
    }

    @Test func `a multiprotocol attribute with wrong flags withdraws its own prefixes`() throws {
        let reach = attribute(0xC0, 14, octets("0002 01 10 20010db8000000000000000000000001 00 30 20010db80001"))
        let message = try decodeUpdate(updateBody(attributes: [reach, origin, path]), external).get()
        #expect(message.withdrawn == ["2001:db8:1::/48"])
        #expect(message.faults == [.treatAsWithdraw(.multiprotocolReachable)])
    }

    @Test func `a second multiprotocol attribute ends the session`() {
        let reach = attribute(0x80, 14, octets("0002 01 10 20010db8000000000000000000000001 00 30 20010db80001"))
        let body = updateBody(attributes: [reach, reach, origin, path])
        #expect(decodeUpdate(body, external) == .failure(.malformedAttributeList))
    }

    @Test func `a family that was not negotiated is passed over`() throws {
        let reach = attribute(0x80, 14, octets("0002 01 10 20010db8000000000000000000000001 00 30 20010db80001"))
        let context = UpdateContext(isInternal: false, families: .ipv4Unicast)
        let message = try decodeUpdate(updateBody(attributes: [reach] + mandatory, prefixes: prefixField), context)
            .get()
        #expect(message.announcements.map(\.prefixes) == [[prefix]])
    }

    @Test func `of two next hops of IPv6 the global one counts`() throws {
        let reach = attribute(
            0x80, 14,
            octets("0002 01 20 20010db8000000000000000000000001 fe800000000000000000000000000001 00 30 20010db80001"))
        let message = try decodeUpdate(updateBody(attributes: [reach, origin, path]), external).get()
        #expect(message.announcements.map(\.attributes.nextHop) == ["2001:db8::1"])
    }

    @Test func `an unknown transitive attribute is kept with the Partial bit`() throws {
        let unknown = attribute(0xC0, 99, [0xAB])
        let message = try decodeUpdate(updateBody(attributes: mandatory + [unknown], prefixes: prefixField), external)
            .get()
        let kept = UnrecognizedAttribute(
            type: AttributeType(rawValue: 99), flags: [.optional, .transitive, .partial], value: [0xAB])
        #expect(message.announcements.map(\.attributes.unrecognized) == [[kept]])
    }

    @Test func `a path must begin with the neighbour where that is asked for`() {
        var context = external
        context.requiredFirstAS = 65009
        let body = updateBody(attributes: mandatory, prefixes: prefixField)
        #expect(Outcome(decodeUpdate(body, context)) == .withdraw(2))
        context.requiredFirstAS = 65002
        #expect(Outcome(decodeUpdate(body, context)) == .keep)
    }

    @Test func `the data of a reset is the attribute at fault`() {
        let unknown = attribute(0x40, 99, [1, 2])
        let body = updateBody(attributes: mandatory + [unknown], prefixes: prefixField)
        #expect(decodeUpdate(body, external) == .failure(.unrecognizedWellKnownAttribute(unknown)))
    }
}

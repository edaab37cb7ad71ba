import Basics
import Glibc
import TestKit
import Testing
import Wire

@Suite struct AddressTextTests {
    /// What libc makes of an address's text; nil where it refuses.
    private func libcReads(_ text: String, family: Int32) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: family == AF_INET ? 4 : 16)
        guard unsafe inet_pton(family, text, &octets) == 1 else { return nil }
        return octets
    }

    private func octets(_ address: IPv6Address) -> [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: address.bits >> UInt128(120 - 8 * $0)) }
    }

    private func octets(_ address: IPv4Address) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: address.bits >> UInt32(24 - 8 * $0)) }
    }

    @Test(arguments: [
        ("0.0.0.0", 0), ("255.255.255.255", UInt32.max), ("10.2.0.1", 0x0A02_0001), ("192.168.1.254", 0xC0A8_01FE),
    ])
    func `an IPv4 address is read and printed`(text: String, bits: UInt32) throws {
        let address = try #require(IPv4Address(text))
        #expect(address.bits == bits)
        #expect(address.description == text)
    }

    @Test(arguments: [
        "", ".", "1", "1.2.3", "1.2.3.", ".1.2.3", "1.2.3.4.", "1.2.3.4.5", "1..2.3", "256.1.1.1", "1.2.3.4 ",
        " 1.2.3.4", "01.2.3.4", "1.2.3.00", "+1.2.3.4", "-1.2.3.4", "0x1.2.3.4", "1.2.3.4\n", "1.2.3.٤", "1,2,3,4",
        "1.2.3.4/8", "1.2.3.4\u{0301}", "1.2.3.0004", "99999999999.1.1.1",
    ])
    func `what is not dotted decimal is refused`(text: String) {
        #expect(IPv4Address(text) == nil)
        #expect(IPAddress(text) == nil)
    }

    /// The examples of RFC 5952 §1 to §5 and RFC 4291 §2.2, with what they must print as.
    @Test(arguments: [
        ("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"), ("2001:0db8:0:0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:db8::1:0:0:1", "2001:db8::1:0:0:1"), ("2001:db8::0:1:0:0:1", "2001:db8::1:0:0:1"),
        ("2001:0db8::1:0:0:1", "2001:db8::1:0:0:1"), ("2001:DB8:0:0:1::1", "2001:db8::1:0:0:1"),
        ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:0001", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:1"),
        ("2001:db8:aaaa:bbbb:cccc:dddd::1", "2001:db8:aaaa:bbbb:cccc:dddd:0:1"),
        ("2001:db8:0:0:0::1", "2001:db8::1"), ("2001:db8:0:0::1", "2001:db8::1"), ("2001:db8:0::1", "2001:db8::1"),
        ("2001:db8::0:1", "2001:db8::1"), ("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1"),
        ("2001:0:0:1:0:0:0:1", "2001:0:0:1::1"),
        ("2001:db8:aaaa:bbbb:cccc:dddd:eeee:aAaA", "2001:db8:aaaa:bbbb:cccc:dddd:eeee:aaaa"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"), ("::ffff:c000:201", "::ffff:192.0.2.1"),
        ("0:0:0:0:0:0:13.1.68.3", "::d01:4403"), ("64:ff9b::192.0.2.33", "64:ff9b::c000:221"),
        ("::", "::"), ("::1", "::1"), ("1::", "1::"), ("FF01:0:0:0:0:0:0:101", "ff01::101"),
        ("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0"), ("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8"),
        ("1:0:0:4:5:0:0:8", "1::4:5:0:0:8"),
    ])
    func `an IPv6 address prints in its canonical form`(text: String, wanted: String) throws {
        let address = try #require(IPv6Address(text))
        #expect(address.description == wanted)
        #expect(IPv6Address(wanted) == address)
        #expect(octets(address) == libcReads(text, family: AF_INET6))
    }

    @Test(arguments: [
        "", ":", ":::", "1", "1:", ":1", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "1::2::3", "1:::2", "12345::", "g::",
        "::1%eth0", "1:2:3:4:5:6:7:8::", "::1:2:3:4:5:6:7:8", "1.2.3.4", "1.2.3.4::", "::1.2.3.4:5", "::1.2.3",
        "1:2:3:4:5:6:7:1.2.3.4", "::256.1.1.1", "::+1", "::-1", "[::1]", "::1/128", " ::1", "::1 ", "fe80:：1",
        "::\u{0301}1", "1:2:3:4:5:6:7:", ":1:2:3:4:5:6:7", "::01.2.3.4",
    ])
    func `what is not an IPv6 address is refused`(text: String) {
        #expect(IPv6Address(text) == nil)
        #expect(libcReads(text, family: AF_INET6) == nil)
    }

    @Test func `addresses print and read as libc's do`() {
        forEachSeed(2_000) { random in
            let four = IPv4Address(bits: UInt32(truncatingIfNeeded: random.next()))
            try #require(libcReads(four.description, family: AF_INET) == octets(four))
            try #require(IPv4Address(four.description) == four)
            var bits: UInt128 = 0
            for _ in 0..<8 {
                bits = bits << 16 | UInt128(random.chance(Ratio(0.5)) ? 0 : random.next() >> (48 + random.below(13)))
            }
            let six = IPv6Address(bits: bits)
            try #require(IPv6Address(six.description) == six)
            try #require(libcReads(six.description, family: AF_INET6) == octets(six))
            var buffer = [CChar](repeating: 0, count: 64)
            _ = unsafe inet_ntop(AF_INET6, octets(six), &buffer, 64)
            let printed = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            try #require(IPv6Address(printed) == six, "\(printed)")
            // libc also prints ::1.2.3.4 for the deprecated IPv4-compatible form.
            if !printed.contains(".") { try #require(six.description == printed) }
        }
    }

    @Test func `any text is accepted exactly where libc accepts it`() {
        let pieces = [
            "0", "1", "ffff", "10000", ":", "::", ".", "1.2.3.4", "255", "256", "/", "a", "g", "%", " ", "\u{0301}",
        ]
        forEachSeed(5_000) { random in
            let text = (0..<random.below(10)).map { _ in pieces[Int(random.below(UInt64(pieces.count)))] }.joined()
            try #require(IPv4Address(text).map { octets($0) } == libcReads(text, family: AF_INET), "\(text)")
            try #require(IPv6Address(text).map { octets($0) } == libcReads(text, family: AF_INET6), "\(text)")
            _ = IPPrefix(text)
        }
    }

    @Test(arguments: [
        ("0.0.0.0/0", 0), ("10.2.0.0/16", 16), ("10.2.3.4/32", 32), ("2001:db8::/32", 32), ("::/0", 0),
        ("::1/128", 128),
    ])
    func `a prefix reads and prints as itself`(text: String, length: Int) throws {
        let prefix = try #require(IPPrefix(text))
        #expect(prefix.description == text)
        #expect(prefix.length == length)
        #expect((prefix.isIPv4 ? IPv4Prefix(text)?.description : IPv6Prefix(text)?.description) == text)
        #expect((prefix.isIPv4 ? IPv6Prefix(text)?.description : IPv4Prefix(text)?.description) == nil)
    }

    @Test(arguments: [
        "10.2.0.0", "10.2.0.0/", "/16", "10.2.0.0/33", "10.2.0.1/16", "10.2.0.0/-1", "10.2.0.0/+8", "10.2.0.0/08",
        "10.2.0.0/16/16", "2001:db8::/129", "2001:db8::1/32", "::/0128", "10.2.0.0/999999999999999999999", "",
    ])
    func `a prefix with host bits or a bad length is refused`(text: String) {
        #expect(IPPrefix(text) == nil)
    }

    @Test func `socket and hardware addresses print as they are usually written`() {
        #expect(SocketAddress(.v4(IPv4Address(10, 0, 0, 1)), port: 179).description == "10.0.0.1:179")
        #expect(SocketAddress(.v6(IPv6Address(high: 0, low: 1)), port: 53).description == "[::1]:53")
        #expect(MACAddress(locallyAdministered: 0xAB).description == "02:00:00:00:00:ab")
        #expect(MACAddress.broadcast.description == "ff:ff:ff:ff:ff:ff")
        #expect(MACAddress.broadcast.isMulticast)
        #expect(!MACAddress(locallyAdministered: .max).isMulticast)
        #expect(MACAddress(bits: .max) == .broadcast)
    }
}

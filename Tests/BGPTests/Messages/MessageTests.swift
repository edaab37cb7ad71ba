import BGP
import Basics
import TestKit
import Testing
import Wire

@Suite struct MessageTests {
    @Test func `a KEEPALIVE is a header alone`() {
        let vector = octets(
            """
            ffffffffffffffff ffffffffffffffff   # marker
            0013                                # length 19
            04                                  # KEEPALIVE
            """)
        #expect(encoded { $0.appendKeepalive() } == vector)
        #expect(decodeHeader(vector).map(\.type) == .success(.keepalive))
    }

    @Test func `an OPEN with capabilities`() {
        let vector = octets(
            """
            ffffffffffffffff ffffffffffffffff   # marker
            0031                                # length 49
            01                                  # OPEN
            04                                  # version
            5ba0                                # AS_TRANS, as 4200000001 needs four octets
            005a                                # hold time 90 s
            0a000001                            # identifier 10.0.0.1
            14                                  # 20 octets of optional parameters
            02 12                               # capabilities, 18 octets
            01 04 0001 00 01                    # multiprotocol, IPv4 unicast
            02 00                               # route refresh
            41 04 fa56ea01                      # four-octet AS
            c8 00                               # one that is not known here
            ff 00                               # and another
            """)
        let open = OpenMessage(
            autonomousSystem: 4_200_000_001, holdTime: 90, identifier: IPv4Address(10, 0, 0, 1),
            capabilities: [
                .multiprotocol(.ipv4Unicast), .routeRefresh, .fourOctetAS(4_200_000_001),
                .unrecognized(code: 200, []), .unrecognized(code: 255, []),
            ])
        #expect(encoded { open.append(to: &$0) } == vector)
        #expect(decodeOpen(Array(vector.dropFirst(19))) == .success(open))
        #expect(open.autonomousSystem == 4_200_000_001)
        #expect(open.families == .ipv4Unicast)
    }

    @Test func `an OPEN in the extended form`() {
        let vector = octets(
            """
            04 fdea 005a 0a000002               # version 4, AS 65002, hold time 90 s, identifier 10.0.0.2
            ff ff 0009                          # extended form (RFC 9072), 9 octets
            02 0006                             # capabilities, 6 octets
            01 04 0002 00 01                    # multiprotocol, IPv6 unicast
            """)
        #expect(decodeOpen(vector).map(\.families) == .success(.ipv6Unicast))
        #expect(decodeOpen(octets("04 fdea 005a 0a000002 ff ff 0000")).map(\.families) == .success(.ipv4Unicast))
    }

    @Test func `a NOTIFICATION with data`() {
        let vector = octets(
            """
            ffffffffffffffff ffffffffffffffff   # marker
            0017                                # length 23
            03                                  # NOTIFICATION
            01 02                               # message header error, bad message length
            1001                                # the length at fault: 4097
            """)
        let notification = Notification.badMessageLength(4097)
        #expect(encoded { notification.append(to: &$0) } == vector)
        #expect(decodeNotification(Array(vector.dropFirst(19))) == notification)
    }

    @Test func `a ROUTE-REFRESH for IPv6`() {
        let vector = octets(
            """
            ffffffffffffffff ffffffffffffffff   # marker
            0017                                # length 23
            05                                  # ROUTE-REFRESH
            0002 00 01                          # IPv6, request, unicast
            """)
        #expect(encoded { RouteRefreshMessage(.ipv6Unicast).append(to: &$0) } == vector)
        #expect(decodeRouteRefresh(Array(vector.dropFirst(19)))?.family == .ipv6Unicast)
    }

    @Test func `an UPDATE for IPv4`() {
        let vector = octets(
            """
            ffffffffffffffff ffffffffffffffff   # marker
            0055                                # length 85
            02                                  # UPDATE
            0000                                # nothing withdrawn
            0035                                # 53 octets of attributes
            40 01 01 00                         # ORIGIN, IGP
            40 02 0a 02 02 0000fdea fa56ea01    # AS_PATH, 65002 4200000001
            40 03 04 c0000202                   # NEXT_HOP 192.0.2.2
            80 04 04 0000000a                   # MULTI_EXIT_DISC 10
            c0 08 04 fdea0064                   # COMMUNITIES 65002:100
            c0 20 0c 0000fdea 00000001 00000002 # LARGE_COMMUNITY 65002:1:2
            18 0a0100                           # 10.1.0.0/24
            11 0a0280                           # 10.2.128.0/17
            00                                  # 0.0.0.0/0
            """)
        var attributes = PathAttributes(path: ASPath(65002, 4_200_000_001), nextHop: "192.0.2.2")
        attributes.multiExitDiscriminator = 10
        attributes.communities = [Community(65002, 100)]
        attributes.largeCommunities = [LargeCommunity(65002, 1, 2)]
        let prefixes: [IPPrefix] = ["10.1.0.0/24", "10.2.128.0/17", "0.0.0.0/0"]
        let written = encoded { arena in
            var encoder = UpdateEncoder(isFourOctet: true)
            _ = encoder.announce(ContiguousArray(prefixes), with: attributes, to: &arena)
        }
        #expect(hexadecimal(written) == hexadecimal(vector))
        let read = decodeUpdate(Array(vector.dropFirst(19)), UpdateContext(isInternal: false))
        #expect(read.map(\.announcements) == .success([Announcement(attributes: attributes, prefixes: prefixes)]))
        #expect(read.map(\.faults) == .success([]))
    }

    @Test func `an UPDATE for IPv6 to a peer of the same AS`() {
        let vector = octets(
            """
            ffffffffffffffff ffffffffffffffff   # marker
            004b                                # length 75
            02                                  # UPDATE
            0000                                # nothing withdrawn in IPv4
            0034                                # 52 octets of attributes
            90 0e 0022                          # MP_REACH_NLRI, 34 octets
              0002 01                           #   IPv6 unicast
              10 20010db8000000000000000000000001 # next hop 2001:db8::1
              00                                #   reserved
              30 20010db80001                   #   2001:db8:1::/48
              21 20010db880                     #   2001:db8:8000::/33
            40 01 01 00                         # ORIGIN, IGP
            40 02 00                            # AS_PATH, empty
            40 05 04 00000064                   # LOCAL_PREF 100
            """)
        var attributes = PathAttributes(nextHop: "2001:db8::1")
        attributes.localPreference = 100
        let prefixes: [IPPrefix] = ["2001:db8:1::/48", "2001:db8:8000::/33"]
        let written = encoded { arena in
            var encoder = UpdateEncoder(isFourOctet: true)
            _ = encoder.announce(ContiguousArray(prefixes), with: attributes, to: &arena)
        }
        #expect(hexadecimal(written) == hexadecimal(vector))
        let read = decodeUpdate(Array(vector.dropFirst(19)), UpdateContext(isInternal: true))
        #expect(read.map(\.announcements) == .success([Announcement(attributes: attributes, prefixes: prefixes)]))
    }

    @Test func `a withdrawal in both families`() {
        let vector = octets(
            """
            ffffffffffffffff ffffffffffffffff 001b 02
            0004 18 0a0100                      # 10.1.0.0/24 withdrawn
            0000                                # no attributes
            ffffffffffffffff ffffffffffffffff 0025 02
            0000                                # nothing withdrawn in IPv4
            000e                                # 14 octets of attributes
            90 0f 000a                          # MP_UNREACH_NLRI, 10 octets
              0002 01                           #   IPv6 unicast
              30 20010db80001                   #   2001:db8:1::/48
            """)
        let written = withdrawal(["10.1.0.0/24"]) + withdrawal(["2001:db8:1::/48"])
        #expect(hexadecimal(written) == hexadecimal(vector))
        let read = messages(in: written).map { decodeUpdate($0.body, UpdateContext(isInternal: false)) }
        #expect(read.map { $0.map(\.withdrawn) } == [.success(["10.1.0.0/24"]), .success(["2001:db8:1::/48"])])
    }

    @Test(arguments: [
        ("", AddressFamily.ipv4Unicast as AddressFamily?), ("900f 0003 0002 01", .ipv6Unicast),
        ("800f 03 0001 01", .ipv4Unicast), ("40 01 01 00", nil),
    ])
    func `the end of the first round is marked by an empty UPDATE`(_ attributes: String, family: AddressFamily?) {
        let body = updateBody(attributes: [octets(attributes)])
        #expect(decodeUpdate(body, UpdateContext(isInternal: false)).map(\.endOfRIB) == .success(family))
    }

    @Test(arguments: [
        (
            "a marker that is not all ones", "feffffffffffffff ffffffffffffffff 0013 04",
            Notification.connectionNotSynchronized
        ),
        ("length 0", "ffffffffffffffff ffffffffffffffff 0000 01", .badMessageLength(0)),
        ("length 18", "ffffffffffffffff ffffffffffffffff 0012 04", .badMessageLength(18)),
        ("length 4097", "ffffffffffffffff ffffffffffffffff 1001 02", .badMessageLength(4097)),
        ("length 65535", "ffffffffffffffff ffffffffffffffff ffff 02", .badMessageLength(65535)),
        ("type 0", "ffffffffffffffff ffffffffffffffff 0013 00", .badMessageType(0)),
        ("type 6", "ffffffffffffffff ffffffffffffffff 0013 06", .badMessageType(6)),
        ("KEEPALIVE of 20", "ffffffffffffffff ffffffffffffffff 0014 04", .badMessageLength(20)),
        ("OPEN of 28", "ffffffffffffffff ffffffffffffffff 001c 01", .badMessageLength(28)),
        ("UPDATE of 22", "ffffffffffffffff ffffffffffffffff 0016 02", .badMessageLength(22)),
        ("NOTIFICATION of 20", "ffffffffffffffff ffffffffffffffff 0014 03", .badMessageLength(20)),
    ])
    func `a bad header is answered as RFC 4271 6_1 says`(_ name: String, header: String, answer: Notification) {
        #expect(decodeHeader(octets(header)) == .failure(answer), "\(name)")
    }

    @Test(arguments: [
        ("version 3", "03 fdea 005a 0a000002 00", Notification.unsupportedVersion),
        ("AS 0", "04 0000 005a 0a000002 00", .badPeerAS),
        ("four-octet AS 0", "04 fdea 005a 0a000002 08 02 06 41 04 00000000", .badPeerAS),
        ("identifier 0", "04 fdea 005a 00000000 00", .badIdentifier),
        ("hold time 1", "04 fdea 0001 0a000002 00", .unacceptableHoldTime),
        ("hold time 2", "04 fdea 0002 0a000002 00", .unacceptableHoldTime),
        ("parameters longer than the message", "04 fdea 005a 0a000002 08 02 06", .malformedOpen),
        ("parameters shorter than the message", "04 fdea 005a 0a000002 02 02 00 02 00", .malformedOpen),
        ("a parameter cut off", "04 fdea 005a 0a000002 01 02", .malformedOpen),
        ("a parameter beyond the end", "04 fdea 005a 0a000002 04 02 40 02 00", .malformedOpen),
        ("a capability beyond the end", "04 fdea 005a 0a000002 08 02 06 01 40 0001 00 01", .malformedOpen),
        ("a capability without length", "04 fdea 005a 0a000002 03 02 01 02", .malformedOpen),
        ("a multiprotocol capability of 3", "04 fdea 005a 0a000002 07 02 05 01 03 0001 00", .malformedOpen),
        ("the authentication parameter", "04 fdea 005a 0a000002 04 01 02 6162", .unsupportedOptionalParameter),
        ("an unknown parameter", "04 fdea 005a 0a000002 04 c8 02 6162", .unsupportedOptionalParameter),
        ("extended form of one octet", "04 fdea 005a 0a000002 ff", .malformedOpen),
        ("extended form of three octets", "04 fdea 005a 0a000002 ff ff 00", .malformedOpen),
        ("extended form beyond the end", "04 fdea 005a 0a000002 ff ff ffff 02 0002 0200", .malformedOpen),
    ])
    func `a bad OPEN is answered as RFC 4271 6_2 says`(_ name: String, body: String, answer: Notification) {
        #expect(decodeOpen(octets(body)) == .failure(answer), "\(name)")
    }
}

import BPF
import Basics
import TestKit
import Testing
import Wire

/// What helpers answer, written down by programs that clang compiled.
@Suite(.enabled(if: Clang.isPresent, "no clang in the path compiles for BPF"))
struct HelperTests {
    private static let prelude = """
        struct { __uint(type, 2); __uint(max_entries, 32); __type(key, u32); __type(value, s64); } out SEC(".maps");
        static void put(u32 place, s64 value) { update(&out, &place, &value, 0); }

        """

    private static let maps = """
        struct prefix { u32 length; u8 octets[4]; };
        struct { __uint(type, 2); __uint(max_entries, 4); __type(key, u32); __type(value, u64); } array SEC(".maps");
        struct { __uint(type, 1); __uint(max_entries, 4); __type(key, u32); __type(value, u64); } hash SEC(".maps");
        struct { __uint(type, 9); __uint(max_entries, 2); __type(key, u32); __type(value, u64); } recent SEC(".maps");
        struct { __uint(type, 11); __uint(max_entries, 2); __uint(map_flags, 1); __type(key, struct prefix);
                 __type(value, u64); } prefixes SEC(".maps");
        struct { __uint(type, 14); __uint(max_entries, 4); __type(key, u32); __type(value, u32); } ports SEC(".maps");
        struct { __uint(type, 27); __uint(max_entries, 4096); } ring SEC(".maps");

        """

    /// Loads a source and runs its program `f` on a frame of 64 octets, with interface 7 in slot 0 of `ports`.
    private func run(
        _ source: String, frame: [UInt8] = [UInt8](repeating: 0, count: 64),
        _ prepare: (inout XDPMachine) throws -> Void = { _ in }
    ) throws -> (answers: [Int64], result: XDPResult, frame: [UInt8]) {
        let object = try BPFObject(parsing: try Clang.compile(Self.prelude + source))
        var machine = try XDPMachine(object, random: SeededRandom(seed: 1))
        if let ports = machine.map("ports") { try machine.put(ports, [0, 0, 0, 0], [7, 0, 0, 0]) }
        try prepare(&machine)
        let now = Instant(nanoseconds: 10_123_456_789)
        let ran = simulate(&machine, frame, program: try machine.index(ofProgram: "f"), at: now)
        let out = try machine.index(ofMap: "out")
        let answers = try (0..<32).map { place in
            Int64(bitPattern: try machine.value(out, [UInt8](UInt64(place)))?.number() ?? 0)
        }
        return (answers, ran.result, ran.frame)
    }

    @Test func `maps answer a program as Linux does`() throws {
        let ran = try run(
            Self.maps + """
                SEC("xdp") int f(struct xdp_md *context) {
                    u32 k = 9; u64 v = 1; u64 *p;
                    put(0, update(&array, &k, &v, 0)); k = 1; put(1, update(&array, &k, &v, 1));
                    put(2, delete(&array, &k)); put(3, lookup(&array, &k) != 0); k = 4; put(4, lookup(&array, &k) != 0);
                    for (u32 i = 0; i < 4; i++) { u32 kk = i; update(&hash, &kk, &v, 0); }
                    k = 77; put(5, update(&hash, &k, &v, 0)); k = 0; put(6, update(&hash, &k, &v, 1));
                    k = 88; put(7, update(&hash, &k, &v, 2)); put(8, delete(&hash, &k)); k = 0;
                    put(9, delete(&hash, &k)); put(10, update(&hash, &k, &v, 7));
                    struct prefix l = { 8, { 10 } }; put(11, update(&prefixes, &l, &v, 0));
                    l.length = 33; put(12, update(&prefixes, &l, &v, 0)); l.length = 16; v = 2;
                    put(13, update(&prefixes, &l, &v, 0)); l.length = 24; put(14, update(&prefixes, &l, &v, 0));
                    l.length = 32; p = lookup(&prefixes, &l); put(15, p ? *p : -1);
                    l.length = 8; p = lookup(&prefixes, &l); put(16, p ? *p : -1);
                    l.length = 4; p = lookup(&prefixes, &l); put(17, p ? *p : -1);
                    l.length = 16; put(18, update(&prefixes, &l, &v, 1));
                    l.length = 32; put(19, delete(&prefixes, &l));
                    put(20, redirect_map(&ports, 1, 2)); put(21, redirect_map(&ports, 99, 1));
                    put(22, redirect_map(&ports, 1, 5)); put(23, redirect_map(&ports, 0, 2));
                    put(24, redirect(9999, 0)); put(25, redirect(1, 1));
                    k = 1; update(&recent, &k, &v, 0); k = 2; update(&recent, &k, &v, 0);
                    k = 1; lookup(&recent, &k); k = 3; put(26, update(&recent, &k, &v, 0));
                    k = 1; put(27, lookup(&recent, &k) != 0); k = 2; put(28, lookup(&recent, &k) != 0);
                    return 2;
                }
                """)
        let expected: [Int64] = [
            -7, -17, -22, 1, 0, -7, -17, -2, -2, 0, -22, 0, -22, 0, -28, 2, 1, -1, -17, -2, 2, 1, 0, 4, 4, 0, 0, 1, 0,
        ]
        #expect(Array(ran.answers.prefix(expected.count)) == expected)
        // A later verdict cancels what was asked for.
        #expect(ran.result.verdict == .pass && ran.result.target == nil)
    }

    @Test func `a value that is deleted while a program holds it stays safe`() throws {
        let ran = try run(
            Self.maps + """
                SEC("xdp") int f(struct xdp_md *context) {
                    u32 k = 1; u64 v = 5;
                    update(&hash, &k, &v, 0);
                    u64 *held = lookup(&hash, &k);
                    if (!held) return 0;
                    delete(&hash, &k);
                    *(volatile u64 *)held = 6; put(0, *held);
                    k = 2; v = 9; update(&hash, &k, &v, 0);
                    put(1, *(volatile u64 *)held);
                    return 2;
                }
                """)
        #expect(ran.answers[0] == 6 && ran.answers[1] == 9)
        #expect(ran.result.fault == nil)
    }

    @Test func `a redirected frame says where to`() throws {
        func target(_ call: String) throws -> XDPResult.Target? {
            let source = Self.maps + "SEC(\"xdp\") int f(struct xdp_md *context) { return \(call); }"
            return try run(source).result.target
        }
        #expect(try target("redirect(3, 0)") == .interface(3))
        let slot = try target("redirect_map(&ports, 0, 0)")
        guard case .device(_, 0, 7) = slot else {
            Issue.record("\(String(describing: slot))")
            return
        }
        let everywhere = try target("redirect_map(&ports, 0, 24)")
        guard case .everyDevice(_, true) = everywhere else {
            Issue.record("\(String(describing: everywhere))")
            return
        }
        #expect(try target("redirect_map(&ports, 3, 4)") == nil)
        #expect(try target("(redirect_map(&ports, 0, 0), redirect_map(&ports, 3, 0), 4)") == nil)
    }

    @Test func `time, chance and the processor are what was handed in`() throws {
        let source = """
            SEC("xdp") int f(struct xdp_md *context) {
                put(0, ktime()); put(1, ktime_boot()); put(2, ktime_coarse()); put(3, jiffies());
                put(4, processor()); put(5, prandom()); put(6, prandom()); put(7, trace("abc", 4));
                put(8, context->ingress_ifindex); put(9, context->rx_queue_index); put(10, frame_length(context));
                return 2;
            }
            """
        let (first, second) = (try run(source), try run(source))
        #expect(Array(first.answers[0..<5]) == [10_123_456_789, 10_123_456_789, 10_120_000_000, 2_530, 0])
        var random = SeededRandom(seed: 1)
        #expect(Array(first.answers[5..<7]) == (0..<2).map { _ in Int64(random.next() >> 32) })
        #expect(Array(first.answers[7..<11]) == [4, 1, 0, 64])
        #expect(first.answers == second.answers)
    }

    @Test func `octets are copied from and to a frame, and nowhere else`() throws {
        let ran = try run(
            """
            SEC("xdp") int f(struct xdp_md *context) {
                u64 octets = 0;
                put(0, load_bytes(context, 60, &octets, 4)); put(1, octets);
                put(2, load_bytes(context, 61, &octets, 4)); put(3, load_bytes(context, 0x10000, &octets, 4));
                octets = 0x0807060504030201;
                put(4, store_bytes(context, 3, &octets, 8)); put(5, store_bytes(context, 57, &octets, 8));
                return 2;
            }
            """, frame: (0..<64).map { UInt8($0) })
        #expect(Array(ran.answers.prefix(6)) == [0, 0x3F3E_3D3C, -22, -14, 0, -22])
        #expect(Array(ran.frame.prefix(12)) == [0, 1, 2, 1, 2, 3, 4, 5, 6, 7, 8, 11])
    }

    @Test func `checksum differences are folded`() throws {
        let ran = try run(
            """
            SEC("xdp") int f(struct xdp_md *context) {
                u32 a[4] = { 0x01020304, 0xffffffff, 0xdeadbeef, 0x12345678 }, b[2] = { 0xffffffff, 0x1 };
                put(0, csum_diff(0, 0, a, 16, 0)); put(1, csum_diff(0, 0, a, 3, 0)); put(2, csum_diff(a, 8, a, 8, 0));
                put(3, csum_diff(0, 0, a, 0, 0x12345)); put(4, csum_diff(b, 8, a, 8, 0x1234));
                return 2;
            }
            """)
        // 0x0304 + 0x0102 + 0xFFFF * 2 + 0xBEEF + 0xDEAD + 0x5678 + 0x1234, carries brought round.
        #expect(ran.answers[0] == 0x0A50)
        #expect(ran.answers[1] == 774)
        #expect(ran.answers[2] == 0xFFFF)
        #expect(ran.answers[3] == 0x2346)
        // What is taken out cancels what is put in, but for a 1 and the seed.
        #expect(ran.answers[4] == 0x0406 + 0x1234 - 1)
    }

    @Test func `records of a ring buffer reach their reader in order`() throws {
        var records: [[UInt8]] = []
        var later: [Int64] = []
        let source =
            Self.maps + """
                SEC("xdp") int f(struct xdp_md *context) {
                    u64 v = 0x0102030405060708, *r;
                    put(0, ring_output(&ring, &v, 8, 0)); put(1, ring_output(&ring, &v, 8, 9));
                    r = ring_reserve(&ring, 4000, 0); put(2, r != 0); if (r) { r[0] = 1; ring_discard(r, 0); }
                    r = ring_reserve(&ring, 4096, 0); put(3, r != 0); if (r) ring_discard(r, 0);
                    r = ring_reserve(&ring, 16, 1); put(4, r != 0); if (r) ring_discard(r, 0);
                    r = ring_reserve(&ring, 16, 0); put(5, r != 0);
                    if (r) { r[0] = 42; r[1] = context->data_end - context->data; ring_submit(r, 0); }
                    put(6, ring_query(&ring, 0)); put(7, ring_query(&ring, 1)); put(8, ring_query(&ring, 3));
                    put(9, ring_output(&ring, &v, 8, 0)); put(10, ring_output(&ring, &v, 8, 0));
                    put(11, ring_output(&ring, &v, 8, 0)); put(12, ring_output(&ring, &v, 8, 0));
                    return 2;
                }
                """
        let object = try BPFObject(parsing: try Clang.compile(Self.prelude + source))
        var machine = try XDPMachine(object, random: SeededRandom(seed: 1))
        let (ring, out) = (try machine.index(ofMap: "ring"), try machine.index(ofMap: "out"))
        for round in 0..<50 {
            _ = simulate(&machine, [UInt8](repeating: 0, count: 64))
            records = []
            machine.drain(ring) { records.append([UInt8](copying: $0)) }
            later = try (0..<13).map {
                Int64(bitPattern: try #require(try machine.value(out, [UInt8](UInt64($0)))).number())
            }
            // 16 of the output, 4,008 discarded, 24 submitted: 4,048 of 4,096, then two of 16 more and no third.
            #expect(
                later == [0, -22, 1, 0, 0, 1, 4_048, 4_096, Int64(round * 4_080 + 4_048), 0, 0, -11, -11],
                "round \(round)")
            let plain = [UInt8](0x0102_0304_0506_0708, count: 8)
            #expect(records == [plain, [UInt8](42, count: 8) + [UInt8](64, count: 8), plain, plain])
        }
    }

    @Test func `routes are looked up in the tables handed in`() throws {
        let source = """
            struct fib { u8 family, protocol; u16 sport, dport, length; u32 ifindex, tos, src[4], dst[4], vlan;
                         u8 smac[6], dmac[6]; };
            SEC("xdp") int f(struct xdp_md *context) {
                struct fib p = { .family = 2, .length = 1000 };
                p.dst[0] = 0x0901020a; put(0, fib_lookup(context, &p, sizeof p, 0)); put(1, p.ifindex);
                put(2, p.dst[0]); put(3, p.dmac[5]); put(4, p.smac[5]); put(5, p.length);
                p.length = 1000; p.dst[0] = 0x0801010a; put(6, fib_lookup(context, &p, sizeof p, 0));
                p.dst[0] = 0x08080808; put(7, fib_lookup(context, &p, sizeof p, 0));
                p.dst[0] = 0x0901020a; p.length = 1501; put(8, fib_lookup(context, &p, sizeof p, 0)); put(9, p.length);
                p.family = 99; put(10, fib_lookup(context, &p, sizeof p, 0)); put(11, fib_lookup(context, &p, 10, 0));
                struct fib q = { .family = 10 }; q.dst[0] = 0x0000b80d; q.dst[3] = 0x01000000;
                put(12, fib_lookup(context, &q, sizeof q, 0)); put(13, q.ifindex);
                return 2;
            }
            """
        let ran = try run(source) { machine in
            machine.forwarding.interfaces = [
                XDPForwarding.Interface(index: 3, address: MACAddress(bits: 0x33), mtu: 1_500),
                XDPForwarding.Interface(index: 4, address: MACAddress(bits: 0x44), mtu: 1_500),
            ]
            let gateway = IPAddress.v4(IPv4Address(192, 0, 2, 1))
            let v6 = IPAddress.v6(IPv6Address(high: 0x0DB8_0000_0000_0000, low: 1))
            machine.forwarding.routes = [
                XDPForwarding.Route(prefix: IPPrefix(.v4(IPv4Address(10, 0, 0, 0)), length: 8), interface: 3),
                XDPForwarding.Route(
                    prefix: IPPrefix(.v4(IPv4Address(10, 2, 0, 0)), length: 16), interface: 4, gateway: gateway),
                XDPForwarding.Route(prefix: IPPrefix(v6, length: 32), interface: 3),
            ]
            machine.forwarding.neighbours = [
                XDPForwarding.Neighbour(address: gateway, interface: 4, station: MACAddress(bits: 0x99)),
                XDPForwarding.Neighbour(address: v6, interface: 3, station: MACAddress(bits: 0x98)),
            ]
        }
        #expect(
            Array(ran.answers.prefix(14)) == [0, 4, 0x0102_00C0, 0x99, 0x44, 1_500, 7, 4, 8, 1_500, -97, -22, 0, 3])
    }
}

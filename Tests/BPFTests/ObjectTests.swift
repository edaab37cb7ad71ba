import BPF
import Basics
import Foundation
import TestKit
import Testing

/// An object with something of everything that the reader and the linker know.
enum Sample {
    static let source = """
        struct key { u32 address; u16 port; u16 zero; };
        struct counters { u64 packets, bytes; };
        struct { __uint(type, 1); __uint(max_entries, 8); __type(key, struct key); __type(value, struct counters); }
            flows SEC(".maps");
        struct { __uint(type, 2); __uint(max_entries, 4); __uint(key_size, 4); __uint(value_size, 8); }
            totals SEC(".maps");
        struct { __uint(type, 11); __uint(max_entries, 16); __uint(map_flags, 1); __type(key, u64);
                 __type(value, u32); }
            routes SEC(".maps");
        struct { __uint(type, 14); __uint(max_entries, 4); __type(key, u32); __type(value, u32); } ports SEC(".maps");
        struct { __uint(type, 27); __uint(max_entries, 4096); } events SEC(".maps");
        int second(struct xdp_md *context);
        struct {
            __uint(type, 3); __uint(max_entries, 4); __type(key, u32); __array(values, int (struct xdp_md *));
        } stages SEC(".maps") = { .values = { [2] = (void *)&second } };

        const volatile u32 limit = 7;
        const volatile u8 mark[4] = { 1, 2, 3, 4 };
        u64 seen;
        u32 start = 5;
        static const u16 table[4] = { 10, 20, 30, 40 };

        __attribute__((noinline)) static u64 square(u64 x) { return x * x + start; }
        __attribute__((noinline)) u64 shared(u64 x) { return square(x) + 1; }
        static long step(u32 index, void *sum) { *(u64 *)sum += index; return index == 9; }

        SEC("xdp") int first(struct xdp_md *context) {
            seen++;
            u32 place = 0;
            u64 *total = lookup(&totals, &place);
            if (!total) return 0;
            *total += shared(limit) + table[prandom() & 3] + mark[3];
            return 2;
        }
        SEC("xdp") int second(struct xdp_md *context) { start += 100; return 1; }
        SEC("xdp/other") int chained(struct xdp_md *context) { tail_call(context, &stages, 2); return 3; }
        SEC("xdp/other") int unchained(struct xdp_md *context) { tail_call(context, &stages, 1); return 3; }
        SEC("xdp") int looping(struct xdp_md *context) {
            u64 sum = 0;
            seen = repeat(100, step, &sum, 0) * 1000 + sum;
            return repeat(0, step, &sum, 0) + repeat(4, step, &sum, 0);
        }
        """
}

@Suite(.enabled(if: Clang.isPresent, "no clang in the path compiles for BPF"))
struct ObjectTests {
    private static let frame = [UInt8](repeating: 0, count: 64)

    private func machine(_ change: (inout BPFObject) throws -> Void = { _ in }) throws -> XDPMachine {
        var object = try BPFObject(parsing: try Clang.compile(Sample.source))
        try change(&object)
        return try XDPMachine(object, random: SeededRandom(seed: 1))
    }

    private func integer(_ machine: borrowing XDPMachine, _ map: String, at place: Int) throws -> UInt64 {
        let octets = try machine.value(try machine.index(ofMap: map), [0, 0, 0, 0])
        return try #require(octets).number(at: place)
    }

    @Test func `maps, programs, variables and the licence are read`() throws {
        let object = try BPFObject(parsing: try Clang.compile(Sample.source))
        #expect(object.licence == "GPL")
        #expect(object.programs.map(\.name).sorted() == ["chained", "first", "looping", "second", "unchained"])
        #expect(Set(object.programs.map(\.section)) == ["xdp", "xdp/other"])
        func expect(_ name: String, _ kind: MapKind, _ key: Int, _ value: Int, _ entries: Int) throws {
            let map = object.maps[try #require(object.map(name))]
            #expect(map.kind == kind && map.keySize == key && map.valueSize == value && map.maxEntries == entries)
        }
        try expect("flows", .hash, 8, 16, 8)
        try expect("totals", .array, 4, 8, 4)
        try expect("routes", .prefixes, 8, 4, 16)
        try expect("ports", .devices, 4, 4, 4)
        try expect("events", .ring, 0, 0, 4_096)
        try expect("stages", .programArray, 4, 4, 4)
        try expect(".bss", .array, 4, 8, 1)
        try expect(".data", .array, 4, 4, 1)
        let stages = object.maps[try #require(object.map("stages"))]
        #expect(stages.programs.count == 1 && stages.programs.first?.index == 2)
        #expect(stages.programs.first?.name == "second")
        #expect(object.maps[try #require(object.map(".rodata"))].isReadOnly)
        #expect(Set(object.variables.map(\.name)).isSuperset(of: ["limit", "mark", "seen", "start"]))
    }

    @Test func `calls, constants and data of all sections are joined`() throws {
        var machine = try machine()
        let program = try machine.index(ofProgram: "first")
        let ran = simulate(&machine, Self.frame, program: program)
        #expect(ran.result.verdict == .pass && ran.result.fault == nil)
        let seen = try integer(machine, ".bss", at: 0)
        #expect(seen == 1)
        let total = try integer(machine, "totals", at: 0)
        let fixed: UInt64 = 7 * 7 + 5 + 1 + 4
        #expect([10, 20, 30, 40].contains(total - fixed))
    }

    @Test func `a constant is set by its name before loading`() throws {
        var machine = try machine {
            try $0.set("limit", to: UInt32(1_000))
            try $0.set("mark", to: [0, 0, 0, 9])
            try $0.set("start", to: UInt32(0))
        }
        let program = try machine.index(ofProgram: "first")
        _ = simulate(&machine, Self.frame, program: program)
        let total = try integer(machine, "totals", at: 0)
        #expect([10, 20, 30, 40].contains(total - 1_000_010))
        #expect(throws: BPFError(.unknownName("absent"), .variable("absent"))) {
            _ = try self.machine { try $0.set("absent", to: UInt32(1)) }
        }
        #expect(throws: BPFError(.wrongSize(expected: 4), .variable("limit"))) {
            _ = try self.machine { try $0.set("limit", to: UInt64(1)) }
        }
    }

    @Test func `a frozen map refuses what would change it`() throws {
        var machine = try machine()
        let map = try machine.index(ofMap: ".rodata")
        var refusal: MapError?
        do throws(MapError) {
            try machine.put(map, [0, 0, 0, 0], [UInt8](repeating: 0, count: machine.maps[map].valueSize))
        } catch {
            refusal = error
        }
        #expect(refusal == .notPermitted)
    }

    @Test func `a tail call enters the program that the object put there, or goes on`() throws {
        var machine = try machine()
        let chained = simulate(&machine, Self.frame, program: try machine.index(ofProgram: "chained"))
        let unchained = simulate(&machine, Self.frame, program: try machine.index(ofProgram: "unchained"))
        #expect(chained.result.verdict == .drop)
        #expect(unchained.result.verdict == .transmit)
        let start = try integer(machine, ".data", at: 0)
        #expect(start == 105)
    }

    @Test func `a loop calls back until it is told to stop`() throws {
        var machine = try machine()
        let program = try machine.index(ofProgram: "looping")
        let ran = simulate(&machine, Self.frame, program: program)
        let seen = try integer(machine, ".bss", at: 0)
        #expect(seen == 10 * 1_000 + 45)
        #expect(ran.result.verdict == .redirect && ran.result.target == nil)
    }

    @Test func `a map has room for as many entries as one asks`() throws {
        var machine = try machine { try $0.resize("flows", to: 2) }
        let map = try machine.index(ofMap: "flows")
        let value = [UInt8](repeating: 1, count: 16)
        var refusals: [MapError?] = []
        for index in UInt64(0)..<3 {
            do throws(MapError) {
                try machine.put(map, [UInt8](index, count: 8), value)
                refusals.append(nil)
            } catch {
                refusals.append(error)
            }
        }
        #expect(refusals == [nil, nil, .full])
    }

    @Test func `what an object lacks or cannot have is named`() throws {
        func fault(_ source: String, licence: String = "GPL") throws -> BPFError.Fault? {
            do {
                let object = try BPFObject(parsing: try Clang.compile(source, licence: licence))
                _ = try XDPMachine(object, random: SeededRandom(seed: 1))
                return nil
            } catch let error as BPFError {
                return error.fault
            }
        }
        let undefined = "extern int absent(void); SEC(\"xdp\") int f(void) { return absent(); }"
        #expect(try fault(undefined) == .undefinedSymbol("absent"))
        let unknown = "static long (*f)(void) = (void *)999; SEC(\"xdp\") int g(void) { return f(); }"
        #expect(try fault(unknown) == .unknownHelper(999))
        let tracing = "SEC(\"xdp\") int f(void) { char text[4] = \"abc\"; return trace(text, 4); }"
        #expect(try fault(tracing, licence: "Proprietary") == .helperNeedsGPL(6))
        #expect(try fault(tracing, licence: "Dual MIT/GPL") == nil)
        let strange = "struct { __uint(type, 77); } m SEC(\".maps\"); SEC(\"xdp\") int f(void) { return 0; }"
        #expect(try fault(strange) == .unknownMapKind(77))
        let flags = """
            struct { __uint(type, 11); __uint(max_entries, 1); __type(key, u64); __type(value, u32); } m SEC(".maps");
            SEC("xdp") int f(void) { return 0; }
            """
        #expect(try fault(flags) == .badMapFlags)
        #expect(try fault("int x;") == .noProgram)
    }

    @Test func `an object that was damaged is refused or runs, and never traps`() throws {
        let valid = try Clang.compile(Sample.source)
        forEachSeed(3_000) { random in
            var octets = valid
            // Most of a file is debug information; what counts lies in its headers and tables.
            for _ in 0...random.below(6) {
                let place = Int(random.below(UInt64(octets.count)))
                octets[place] = random.chance(Ratio(0.5)) ? UInt8(truncatingIfNeeded: random.next()) : 0xFF
            }
            if random.chance(Ratio(0.1)) { octets.removeLast(Int(random.below(UInt64(octets.count)))) }
            guard var object = try? BPFObject(parsing: octets) else { return }
            for map in object.maps where map.maxEntries > 4_096 { try? object.resize(map.name, to: 4_096) }
            guard object.maps.reduce(0, { $0 + $1.valueSize * $1.maxEntries }) < 1 << 22,
                var machine = try? XDPMachine(object, random: random.fork())
            else { return }
            machine.budget = 2_000
            for program in machine.programs.indices {
                let ran = simulate(&machine, random.octets(64), program: program)
                try #require(ran.result.instructions <= 2_000)
            }
        }
    }
}

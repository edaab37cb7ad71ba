import BPF
import Basics
import TestKit
import Testing

@Suite struct RobustnessTests {
    private static let maps = [
        MapDefinition(name: "array", kind: .array, keySize: 4, valueSize: 12, maxEntries: 5),
        MapDefinition(name: "hash", kind: .hash, keySize: 6, valueSize: 8, maxEntries: 5),
        MapDefinition(name: "recent", kind: .recentHash, keySize: 4, valueSize: 8, maxEntries: 3),
        MapDefinition(
            name: "prefixes", kind: .prefixes, keySize: 8, valueSize: 8, maxEntries: 5,
            flags: MapDefinition.noPreallocation),
        MapDefinition(name: "devices", kind: .devices, keySize: 4, valueSize: 4, maxEntries: 4),
        MapDefinition(name: "ring", kind: .ring, keySize: 0, valueSize: 0, maxEntries: 4_096),
        MapDefinition(name: "programs", kind: .programArray, keySize: 4, valueSize: 4, maxEntries: 2),
    ]

    private static let opcodes: [UInt8] = {
        let arithmetic = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12].flatMap { code in
            [0x04, 0x07, 0x0C, 0x0F].map { UInt8(code << 4) | $0 }
        }
        let jumps = [1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13].flatMap { code in
            [0x05, 0x06, 0x0D, 0x0E].map { UInt8(code << 4) | $0 }
        }
        let memory: [UInt8] = [
            0x61, 0x69, 0x71, 0x79, 0x62, 0x6A, 0x72, 0x7A, 0x63, 0x6B, 0x73, 0x7B, 0x81, 0x89, 0x91, 0xC3, 0xDB,
        ]
        return arithmetic + jumps + memory + memory + memory + [UInt8](repeating: 0x85, count: 30)
    }()

    private static let helpers: [Int32] = [
        1, 2, 3, 5, 6, 7, 8, 12, 23, 28, 44, 51, 54, 65, 69, 118, 125, 130, 131, 132, 133, 134, 160, 181, 188, 189, 190,
    ]

    /// A slot that the loader mostly accepts, so that the interpreter gets to see it.
    private func slot(_ random: inout SeededRandom, at place: Int, of count: Int) -> [UInt8] {
        let opcode = Self.opcodes[Int(random.below(UInt64(Self.opcodes.count)))]
        let (destination, source) = (UInt8(random.below(11)), UInt8(random.below(11)))
        let immediates: [Int32] = [0, 1, -1, 8, 16, 32, 64, .min, .max, 0x0200_0100, 0x0300_01F0, 0x0400_0000]
        var immediate = immediates[Int(random.below(UInt64(immediates.count)))]
        var offset = Int16(truncatingIfNeeded: Int(random.below(24)) - 12)
        if opcode == 0x85 {
            return Assembly.call(Self.helpers[Int(random.below(UInt64(Self.helpers.count)))])
        }
        let (kind, takesRegister) = (opcode & 7, opcode & 8 != 0)
        switch kind {
        case 4, 7:
            return Assembly.slot(
                opcode, destination % 10, takesRegister ? source : 0, immediate: takesRegister ? 0 : immediate)
        case 5, 6:
            offset = Int16(Int(random.below(UInt64(count))) - place - 1)
            return Assembly.slot(
                opcode, destination, takesRegister ? source : 0, offset: offset,
                immediate: takesRegister ? 0 : immediate)
        default:
            if opcode == 0xC3 || opcode == 0xDB { immediate = [0, 1, 0x41, 0xA1, 0xE1, 0xF1][Int(random.below(6))] }
            return Assembly.slot(
                opcode, kind == 1 ? destination % 10 : destination, kind == 2 ? 0 : source, offset: offset,
                immediate: kind == 1 || opcode & 0xE7 == 0x63 ? 0 : immediate)
        }
    }

    /// Mostly a program with a function behind it that `bpf_loop` may call back.
    private func code(_ random: inout SeededRandom) -> [UInt8] {
        let count = Int(random.below(40)) + 2
        var code = Assembly.move(6, from: 1)
        var callbacks: [Int] = []
        // Maps and a place on the stack, so that helpers find what they work on.
        for register in UInt8(1)...5 {
            switch random.below(5) {
            case 0, 1: code += Assembly.map(register, Int32(random.below(7)))
            case 2: code += Assembly.move(register, from: 10) + Assembly.add(register, -Int32(random.below(64)))
            case 3:
                callbacks.append(code.count / 8)
                code += Assembly.wide(register, 0, source: 4)
            default: code += Assembly.move(register, Int32(random.below(40)))
            }
        }
        let end = code.count / 8 + count
        while code.count / 8 < end { code += slot(&random, at: code.count / 8, of: end + 2) }
        code += Assembly.move(0, 2) + Assembly.exit
        for place in callbacks {
            let distance = Int32(code.count / 8 - place - 1)
            code.replaceSubrange(8 * place + 4..<8 * place + 8, with: Assembly.slot(0, immediate: distance).suffix(4))
        }
        if !callbacks.isEmpty { code += Assembly.store64(2, 0, from: 1) + Assembly.move(0, 0) + Assembly.exit }
        return code
    }

    @Test func `programs nobody verified end with a verdict, within their budget`() throws {
        var (loaded, ran, faulted) = (0, 0, 0)
        forEachSeed(10_000) { random in
            var code = code(&random)
            if random.chance(Ratio(0.2)) { code = random.mutated(code) }
            guard var machine = try? XDPMachine(BPFObject(code: code, maps: Self.maps), random: random.fork()) else {
                return
            }
            loaded += 1
            machine.budget = 500
            for _ in 0..<2 {
                let result = simulate(&machine, random.octets(14 + Int(random.below(200)))).result
                try #require(result.instructions <= 500)
                try #require(result.frame.lowerBound >= 40 && result.frame.upperBound <= 256 + 3_520)
                try #require(result.frame.count >= 14)
                ran += 1
                faulted += result.fault == nil ? 0 : 1
                machine.drain(5) { _ in }
            }
        }
        #expect(loaded > (isQuickRun ? 500 : 5_000), "\(loaded) were loaded, \(ran) runs, \(faulted) faults")
        #expect(faulted < ran, "\(loaded) were loaded, \(ran) runs, \(faulted) faults")
    }

    /// A program that is longer than its budget is counted instruction by instruction; what follows its end is
    /// never reached and changes nothing else.
    @Test func `what is run in groups gives what its instructions give one by one`() throws {
        var (ran, faulted, exhausted) = (0, 0, 0)
        forEachSeed(4_000) { random in
            let code = random.chance(Ratio(0.3)) ? ProgramGenerator.program(&random) : code(&random)
            let budget = 120 + Int(random.below(400))
            let padding = [[UInt8]](repeating: Assembly.exit, count: budget + 1).flatMap(\.self)
            guard var grouped = try? XDPMachine(BPFObject(code: code, maps: Self.maps), random: SeededRandom(seed: 1)),
                var single = try? XDPMachine(
                    BPFObject(code: code + padding, maps: Self.maps), random: SeededRandom(seed: 1))
            else { return }
            (grouped.budget, single.budget) = (budget, budget)
            for _ in 0..<3 {
                let frame = random.octets(64 + Int(random.below(200)))
                let (left, right) = (simulate(&grouped, frame), simulate(&single, frame))
                try #require(left.result == right.result)
                try #require(left.frame == right.frame)
                ran += 1
                faulted += left.result.fault == nil ? 0 : 1
                exhausted += left.result.fault?.cause == .budgetExhausted ? 1 : 0
                for map in 0..<3 {
                    let keys = (try grouped.keys(map), try single.keys(map))
                    try #require(keys.0 == keys.1)
                    for key in keys.0 {
                        let values = (try grouped.value(map, key), try single.value(map, key))
                        try #require(values.0 == values.1)
                    }
                }
                grouped.drain(5) { _ in }
                single.drain(5) { _ in }
            }
        }
        #expect(faulted > exhausted && exhausted > 0, "\(ran) runs, \(faulted) faults, \(exhausted) of the budget")
    }

    @Test func `octets that are no object are refused`() throws {
        forEachSeed(2_000) { random in
            let header: [UInt8] = [0x7F, 0x45, 0x4C, 0x46, 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 247, 0]
            let octets = (random.chance(Ratio(0.8)) ? header : []) + random.octets(Int(random.below(400)))
            let object = try? BPFObject(parsing: octets)
            try #require(object?.programs.isEmpty != true)
        }
    }

    /// Looks up, counts, adds a header and redirects: everything but a new key.
    @Test func `a packet costs no allocation once a machine is warm`() throws {
        let hash = MapDefinition(name: "hash", kind: .recentHash, keySize: 4, valueSize: 8, maxEntries: 64)
        let ring = MapDefinition(name: "ring", kind: .ring, keySize: 0, valueSize: 0, maxEntries: 4_096)
        var devices = MapDefinition(name: "devices", kind: .devices, keySize: 4, valueSize: 4, maxEntries: 1)
        devices.flags = 0
        var code = Assembly.move(6, from: 1) + Assembly.load32(7, 6, 0) + Assembly.load32(8, 7, 0)
        code += Assembly.slot(0x63, 10, 8, offset: -4) + Assembly.store64(10, -16, 5)
        code += Assembly.map(1, 0) + Assembly.move(2, from: 10) + Assembly.add(2, -4) + Assembly.call(1)
        code += Assembly.slot(0x55, 0, offset: 9, immediate: 0)
        code += Assembly.map(1, 0) + Assembly.move(2, from: 10) + Assembly.add(2, -4) + Assembly.move(3, from: 10)
        code += Assembly.add(3, -16) + Assembly.move(4, 0) + Assembly.call(2) + Assembly.slot(0x05, offset: 1)
        code += Assembly.store64(0, 0, 9)
        code += Assembly.map(1, 1) + Assembly.move(2, from: 10) + Assembly.add(2, -16) + Assembly.move(3, 8)
        code += Assembly.move(4, 0) + Assembly.call(130) + Assembly.move(1, from: 6) + Assembly.move(2, -50)
        code += Assembly.call(44) + Assembly.map(1, 2) + Assembly.move(2, 0) + Assembly.move(3, 1)
        code += Assembly.call(51) + Assembly.exit
        var machine = try XDPMachine(
            BPFObject(code: code, maps: [hash, ring, devices]), random: SeededRandom(seed: 1))
        try machine.put(2, [0, 0, 0, 0], [3, 0, 0, 0])
        var buffer = [UInt8](repeating: 0, count: 1_664)
        var (redirected, drained) = (0, 0)
        func packet(_ index: Int) {
            buffer[256] = UInt8(truncatingIfNeeded: index &* 7)
            let result = buffer.withUnsafeMutableBytes {
                machine.run(0, on: $0, frame: 256..<320, ingress: 1, at: .zero)
            }
            if result.target == .device(map: 2, key: 0, interface: 3), result.frame == 206..<320 { redirected += 1 }
            drained += machine.drain(1) { _ in }
        }
        for index in 0..<300 { packet(index) }
        let count = allocations { for index in 0..<1_000 { packet(index) } }
        #expect(redirected == 1_300 && drained == 1_300)
        #expect(count == 0)
    }
}

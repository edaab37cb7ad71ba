import BPF
import Basics
import TestKit
import Testing

private func slot(
    _ opcode: UInt8, _ destination: UInt8, _ source: UInt8, _ offset: Int16, _ immediate: Int32
) -> [UInt8] {
    Assembly.slot(opcode, destination, source, offset: offset, immediate: immediate)
}

@Suite struct LoaderTests {
    private static let array = MapDefinition(name: "array", kind: .array, keySize: 4, valueSize: 8, maxEntries: 2)

    @Test func `code that cannot run as it stands is refused where it is wrong`() {
        let end = Assembly.exit
        func check(
            _ code: [UInt8], _ fault: BPFError.Fault, at place: Int = 0,
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            #expect(refusal(code) == BPFError(fault, .instruction(place)), sourceLocation: sourceLocation)
        }
        check([], .badLength)
        check(end + [0], .badLength, at: 1)
        check(slot(0x0D, 0, 0, 0, 0) + end, .unknownOpcode(0x0D))
        // Jumps of later kernels, loads from the packet of early ones, calls of the kernel's functions.
        check(slot(0xE5, 0, 0, 0, 0) + end, .unknownOpcode(0xE5))
        check(slot(0x20, 0, 0, 0, 0) + end, .unknownOpcode(0x20))
        check(slot(0x85, 0, 2, 0, 1) + end, .unknownOpcode(0x85))
        check(slot(0xDB, 10, 1, -8, 0x110) + end, .badImmediate)
        check(slot(0xB7, 11, 0, 0, 1) + end, .badRegister)
        check(slot(0xBF, 1, 11, 0, 0) + end, .badRegister)
        check(slot(0xB7, 10, 0, 0, 1) + end, .readOnlyRegister)
        check(slot(0x79, 10, 1, 0, 0) + end, .readOnlyRegister)
        check(slot(0xDB, 1, 10, 0, 1) + end, .readOnlyRegister)
        check(slot(0xDC, 1, 0, 0, 8) + end, .badImmediate)
        check(slot(0xBF, 1, 2, 7, 0) + end, .unusedField)
        check(slot(0x05, 0, 0, 1, 0) + end, .badJump)
        check(slot(0x05, 0, 0, -2, 0) + end, .badJump)
        check(slot(0x15, 0, 0, 1, 0) + Assembly.wide(1, 0) + end, .badJump)
        check(Assembly.callFunction(5) + end, .badJump)
        check(Assembly.move(0, 0), .fallsOffTheEnd)
        check(end + slot(0x15, 0, 0, -2, 0), .fallsOffTheEnd, at: 1)
        check(slot(0x18, 1, 0, 0, 0), .fallsOffTheEnd)
        check(slot(0x18, 1, 0, 0, 0) + end + end, .unusedField)
        check(Assembly.map(1, 0) + end, .badImmediate)
        check(Assembly.wide(1, 0, source: 3) + end, .badImmediate)
        check(Assembly.call(4) + end, .unknownHelper(4))
        // A jump from one function into another.
        check(Assembly.callFunction(1) + end + slot(0x05, 0, 0, -2, 0) + end, .badJump, at: 2)
    }

    @Test func `a run that goes wrong ends with its cause and place`() throws {
        func cause(_ code: [UInt8], maps: [MapDefinition] = []) throws -> XDPFault? {
            try value(of: code, maps: maps, memory: [1, 2, 3, 4, 5, 6, 7, 8], budget: 1_000).fault
        }
        let end = Assembly.exit
        #expect(try cause(slot(0x05, 0, 0, -1, 0) + end) == XDPFault(.budgetExhausted, instruction: 0))
        #expect(try cause(Assembly.load64(0, 0, 0) + end) == XDPFault(.badAddress, instruction: 0))
        #expect(try cause(Assembly.load64(0, 1, 1) + end)?.cause == .badAddress)
        #expect(try cause(Assembly.load64(0, 1, -1) + end)?.cause == .badAddress)
        #expect(try cause(Assembly.load64(0, 1, 0) + end) == nil)
        // High bits, and a place so far that adding the size would wrap.
        #expect(
            try cause(Assembly.wide(2, 0x0200_0000, high: 1) + Assembly.load64(0, 2, 0) + end)?.cause == .badAddress)
        #expect(try cause(Assembly.wide(2, -1, high: -1) + Assembly.load64(0, 2, 0) + end)?.cause == .badAddress)
        #expect(try cause(Assembly.store64(10, 4_096, 1) + end)?.cause == .badAddress)
        // The context may only be read.
        #expect(try cause(Assembly.wide(2, 0x0100_0000) + Assembly.load64(0, 2, 0) + end) == nil)
        #expect(try cause(Assembly.wide(2, 0x0100_0000) + Assembly.store64(2, 0, 1) + end)?.cause == .badAddress)
        #expect(try cause(Assembly.callFunction(-1) + end) == XDPFault(.callsTooDeep, instruction: 0))
        #expect(try cause(Assembly.call(1) + end)?.cause == .badMap)
        #expect(try cause(Assembly.map(1, 0) + Assembly.call(1) + end, maps: [Self.array])?.cause == .badAddress)
        #expect(try cause(Assembly.map(1, 0) + Assembly.call(130) + end, maps: [Self.array])?.cause == .badMap)
        #expect(try cause(Assembly.move(1, 3) + Assembly.call(181) + end)?.cause == .badCallback)
        #expect(try cause(slot(0x8D, 1, 0, 0, 0) + end)?.cause == .badHelper)
    }

    @Test func `a verdict that is none aborts`() throws {
        var machine = try XDPMachine(
            BPFObject(code: Assembly.move(0, 5) + Assembly.exit), random: SeededRandom(seed: 1))
        let ran = simulate(&machine, [UInt8](repeating: 0, count: 60)).result
        #expect(ran.verdict == .aborted && ran.fault?.cause == .badVerdict && ran.instructions == 2)
    }

    @Test func `functions have a stack of their own, and eight of them may run`() throws {
        // Calls itself r1 times, each writing to its stack before and comparing after.
        let body =
            Assembly.store64(10, -8, from: 1) + slot(0x15, 1, 0, 4, 0) + Assembly.move(6, from: 1)
            + Assembly.add(1, -1) + Assembly.callFunction(-5) + slot(0x1D, 6, 6, 0, 0)
            + Assembly.load64(0, 10, -8) + Assembly.exit
        func result(_ depth: Int32) throws -> XDPMachine.PlainResult {
            try value(of: Assembly.move(1, depth) + Assembly.callFunction(1) + Assembly.exit + body)
        }
        #expect(try result(6).value == 6)
        #expect(try result(6).fault == nil)
        #expect(try result(7).fault?.cause == .callsTooDeep)
    }

    @Test func `the 34th tail call is none`() throws {
        var programs = MapDefinition(name: "programs", kind: .programArray, keySize: 4, valueSize: 4, maxEntries: 1)
        programs.programs = [(0, "main")]
        var counts = Self.array
        counts.valueSize = 8
        // Counts in map 1, then enters itself.
        let code =
            Assembly.move(6, from: 1) + Assembly.wide(2, 1, source: 2) + Assembly.load64(3, 2, 0) + Assembly.add(3, 1)
            + Assembly.store64(2, 0, from: 3) + Assembly.map(2, 0) + Assembly.move(3, 0) + Assembly.call(12)
            + Assembly.move(0, 2) + Assembly.exit
        counts.content = [UInt8](repeating: 0, count: 16)
        var machine = try XDPMachine(
            BPFObject(code: code, maps: [programs, counts]), random: SeededRandom(seed: 1))
        let ran = simulate(&machine, [UInt8](repeating: 0, count: 60)).result
        let count = try machine.value(1, [0, 0, 0, 0])?.number()
        #expect(ran.verdict == .pass)
        #expect(count == 34)
    }

    @Test func `memory of a map larger than a region is reached throughout`() throws {
        let large = MapDefinition(name: "large", kind: .array, keySize: 4, valueSize: 1 << 20, maxEntries: 40)
        var code: [UInt8] = []
        // The last octets of value 15, across the border of two regions, and of value 39.
        for (index, offset) in [(Int32(15), Int32(1 << 20) - 4), (39, Int32(1 << 20) - 8)] {
            code += Assembly.store32(10, -4, index) + Assembly.map(1, 0) + Assembly.move(2, from: 10)
            code += Assembly.add(2, -4) + Assembly.call(1) + Assembly.add(0, offset)
            code += Assembly.store64(0, 0, index) + Assembly.load64(7, 0, 0)
        }
        let found = try value(of: code + Assembly.move(0, from: 7) + Assembly.exit, maps: [large])
        #expect(found.fault == nil && found.value == 39)
        let beyond = try value(of: code + Assembly.load64(0, 0, 1) + Assembly.exit, maps: [large])
        #expect(beyond.fault?.cause == .badAddress)
    }

    @Test func `what a program finds on its stack does not depend on the run before`() throws {
        let code = Assembly.load64(0, 10, -16) + Assembly.store64(10, -16, 77) + Assembly.exit
        var machine = try XDPMachine(BPFObject(code: code), random: SeededRandom(seed: 1))
        var memory: [UInt8] = []
        let values = (0..<2).map { _ in machine.run(0, onPlain: &memory, at: .zero).value }
        #expect(values == [0, 0])
    }
}

import Basics

/// Writes programs that Linux's verifier accepts: arithmetic, jumps, the stack, the packet, atomic operations,
/// a call; at the end all that the registers hold goes into the packet.
struct ProgramGenerator {
    /// How much of the packet a program makes sure of and works on.
    static let packetCount = 64
    /// Registers that hold numbers all the time; 6 is the context, 7 the packet.
    private static let numbers: [UInt8] = [0, 1, 2, 3, 4, 5, 8, 9]

    private var random: SeededRandom
    private var operations: [[UInt8]] = []

    init(_ random: SeededRandom) {
        self.random = random
    }

    static func program(_ random: inout SeededRandom) -> [UInt8] {
        var generator = ProgramGenerator(random.fork())
        return generator.generate()
    }

    private mutating func generate() -> [UInt8] {
        for _ in 0..<random.below(60) + 5 { operations.append(operation()) }
        var code = prologue() + body() + epilogue()
        // The function that calls in the body lead to stands behind the program.
        let end = code.count / 8
        let calls = (0..<end).filter { code[8 * $0] == 0x85 }
        for slot in calls {
            let distance = Int32(end - slot - 1)
            code.replaceSubrange(8 * slot + 4..<8 * slot + 8, with: Assembly.slot(0, immediate: distance).suffix(4))
        }
        return calls.isEmpty ? code : code + function()
    }

    /// The product of two numbers and one more, by way of its own stack and a register that its caller uses.
    private func function() -> [UInt8] {
        Assembly.move(0, from: 1) + Assembly.slot(0x2F, 0, 2) + Assembly.store64(10, -8, from: 0)
            + Assembly.move(6, 77) + Assembly.load64(0, 10, -8) + Assembly.slot(0x0F, 0, 6) + Assembly.exit
    }

    private mutating func prologue() -> [UInt8] {
        var code = Assembly.move(6, from: 1) + Assembly.load32(7, 6, 0) + Assembly.load32(8, 6, 4)
        code += Assembly.move(2, from: 7) + Assembly.add(2, Int32(Self.packetCount))
        // To the exit behind the next two when the packet is long enough.
        code += Assembly.slot(0xBD, 2, 8, offset: 2) + Assembly.move(0, 1) + Assembly.exit
        for place in stride(from: Int16(-64), to: 0, by: 8) {
            code += Assembly.store64(10, place, Int32(truncatingIfNeeded: random.next()))
        }
        for register in Self.numbers { code += numberInto(register) }
        return code
    }

    /// Operations in their order; a jump in front of one skips it and some of those behind it, with their jumps.
    private mutating func body() -> [UInt8] {
        var pieces: [[UInt8]] = []
        for operation in operations.reversed() {
            guard random.below(4) == 0 else {
                pieces.append(operation)
                continue
            }
            let skipped = pieces.suffix(Int(random.below(4))).reduce(operation.count / 8) { $0 + $1.count / 8 }
            pieces.append(jump(over: skipped) + operation)
        }
        return pieces.reversed().flatMap(\.self)
    }

    private func epilogue() -> [UInt8] {
        var code: [UInt8] = []
        for (index, register) in Self.numbers.enumerated() where register != 0 {
            code += Assembly.store64(7, Int16(8 * (index - 1)), from: register)
        }
        code += Assembly.store64(7, 56, from: 0) + Assembly.slot(0x57, immediate: 3)
        return code + Assembly.exit
    }

    private mutating func number() -> UInt8 { Self.numbers[Int(random.below(UInt64(Self.numbers.count)))] }

    private mutating func immediate() -> Int32 {
        let extremes: [Int32] = [0, 1, -1, .min, .max, 31, 63, 255, -128]
        return random.below(3) == 0
            ? extremes[Int(random.below(UInt64(extremes.count)))] : Int32(truncatingIfNeeded: random.next())
    }

    private mutating func numberInto(_ register: UInt8) -> [UInt8] {
        switch random.below(3) {
        case 0: Assembly.wide(register, immediate(), high: immediate())
        case 1: Assembly.load64(register, 7, Int16(random.below(57)))
        default: Assembly.move(register, immediate())
        }
    }

    private mutating func operation() -> [UInt8] {
        switch random.below(12) {
        case 0...5: arithmetic()
        case 6: numberInto(number())
        case 7, 8: memory()
        case 9: atomic()
        case 10: conversion()
        default: random.below(4) == 0 ? call() : arithmetic()
        }
    }

    private mutating func arithmetic() -> [UInt8] {
        let wide: UInt8 = random.below(2) == 0 ? 0x07 : 0x04
        let codes: [UInt8] = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12]
        let code = codes[Int(random.below(12))]
        let isDivision = code == 3 || code == 9
        let offset: Int16 = isDivision && random.below(2) == 0 ? 1 : 0
        guard random.below(2) == 0 else {
            return Assembly.slot(code << 4 | 8 | wide, number(), number(), offset: offset)
        }
        var operand = immediate()
        if isDivision, operand == 0 { operand = 7 }
        if code == 6 || code == 7 || code == 12 { operand &= wide == 0x07 ? 63 : 31 }
        return Assembly.slot(code << 4 | wide, number(), offset: offset, immediate: operand)
    }

    private mutating func conversion() -> [UInt8] {
        let register = number()
        let sizes: [Int16] = [8, 16, 32]
        switch random.below(6) {
        case 0: return Assembly.slot(0x87, register)
        case 1: return Assembly.slot(0x84, register)
        case 2: return Assembly.slot(0xBF, register, number(), offset: sizes[Int(random.below(3))])
        case 3: return Assembly.slot(0xBC, register, number(), offset: sizes[Int(random.below(2))])
        case 4: return Assembly.slot(0xD7, register, immediate: 2 * Int32(sizes[Int(random.below(3))]))
        default:
            let opcode: UInt8 = random.below(2) == 0 ? 0xD4 : 0xDC
            return Assembly.slot(opcode, register, immediate: 2 * Int32(sizes[Int(random.below(3))]))
        }
    }

    private mutating func memory() -> [UInt8] {
        let sizes: [(code: UInt8, count: Int16)] = [(0x00, 4), (0x08, 2), (0x10, 1), (0x18, 8)]
        let (size, count) = sizes[Int(random.below(4))]
        let usesStack = random.below(2) == 0
        let base: UInt8 = usesStack ? 10 : 7
        let place = Int16(random.below(UInt64(64 / count))) * count - (usesStack ? 64 : 0)
        switch random.below(4) {
        case 0: return Assembly.slot(0x61 | size, number(), base, offset: place)
        case 1 where size != 0x18: return Assembly.slot(0x81 | size, number(), base, offset: place)
        case 2: return Assembly.slot(0x62 | size, base, offset: place, immediate: immediate())
        default: return Assembly.slot(0x63 | size, base, number(), offset: place)
        }
    }

    /// On the stack: Linux allows none on a packet.
    private mutating func atomic() -> [UInt8] {
        let codes: [Int32] = [0x00, 0x01, 0x40, 0x41, 0x50, 0x51, 0xA0, 0xA1, 0xE1, 0xF1]
        let isWide = random.below(2) == 0
        let place = isWide ? Int16(random.below(8)) * 8 - 64 : Int16(random.below(16)) * 4 - 64
        return Assembly.slot(
            isWide ? 0xDB : 0xC3, 10, number(), offset: place, immediate: codes[Int(random.below(10))])
    }

    /// What a call leaves in the registers that it may change is nobody's business.
    private mutating func call() -> [UInt8] {
        var code = Assembly.callFunction(0)
        for register in UInt8(1)...5 { code += numberInto(register) }
        return code
    }

    private mutating func jump(over count: Int) -> [UInt8] {
        let codes: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 10, 11, 12, 13]
        let opcode = codes[Int(random.below(11))] << 4 | (random.below(2) == 0 ? 0x05 : 0x06)
        if random.below(8) == 0 {
            // A jump that is never taken keeps what it would skip reachable.
            return Assembly.slot(0x06 | 0x10, 9, offset: Int16(count), immediate: 0x1234)
        }
        if random.below(2) == 0 { return Assembly.slot(opcode | 8, number(), number(), offset: Int16(count)) }
        return Assembly.slot(opcode, number(), offset: Int16(count), immediate: immediate())
    }
}

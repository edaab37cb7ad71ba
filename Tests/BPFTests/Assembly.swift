import BPF
import Basics

/// Instructions by hand, a slot each (RFC 9669 §3).
enum Assembly {
    static func slot(
        _ opcode: UInt8, _ destination: UInt8 = 0, _ source: UInt8 = 0, offset: Int16 = 0, immediate: Int32 = 0
    ) -> [UInt8] {
        let number = UInt16(bitPattern: offset)
        return [opcode, source << 4 | destination, UInt8(number & 255), UInt8(number >> 8)]
            + (0..<4).map { UInt8(truncatingIfNeeded: immediate >> Int32(8 * $0)) }
    }

    static let exit = slot(0x95)

    static func move(_ destination: UInt8, _ immediate: Int32) -> [UInt8] {
        slot(0xB7, destination, immediate: immediate)
    }
    static func move(_ destination: UInt8, from source: UInt8) -> [UInt8] { slot(0xBF, destination, source) }
    static func add(_ destination: UInt8, _ immediate: Int32) -> [UInt8] {
        slot(0x07, destination, immediate: immediate)
    }
    static func call(_ helper: Int32) -> [UInt8] { slot(0x85, immediate: helper) }
    static func callFunction(_ offset: Int32) -> [UInt8] { slot(0x85, 0, 1, immediate: offset) }

    /// Reads a word.
    static func load32(_ destination: UInt8, _ source: UInt8, _ offset: Int16) -> [UInt8] {
        slot(0x61, destination, source, offset: offset)
    }
    /// Reads a double word.
    static func load64(_ destination: UInt8, _ source: UInt8, _ offset: Int16) -> [UInt8] {
        slot(0x79, destination, source, offset: offset)
    }
    /// Writes a word.
    static func store32(_ destination: UInt8, _ offset: Int16, _ immediate: Int32) -> [UInt8] {
        slot(0x62, destination, offset: offset, immediate: immediate)
    }
    /// Writes a double word.
    static func store64(_ destination: UInt8, _ offset: Int16, _ immediate: Int32) -> [UInt8] {
        slot(0x7A, destination, offset: offset, immediate: immediate)
    }
    /// Writes a register.
    static func store64(_ destination: UInt8, _ offset: Int16, from source: UInt8) -> [UInt8] {
        slot(0x7B, destination, source, offset: offset)
    }

    /// A 64-bit immediate; as its source says a number, a map, a place in a map or a function.
    static func wide(_ destination: UInt8, _ low: Int32, high: Int32 = 0, source: UInt8 = 0) -> [UInt8] {
        slot(0x18, destination, source, immediate: low) + slot(0, immediate: high)
    }
    static func map(_ destination: UInt8, _ index: Int32) -> [UInt8] { wide(destination, index, source: 1) }
}

/// What a program leaves in r0, given memory of its own.
func value(
    of code: [UInt8], maps: [MapDefinition] = [], memory: [UInt8] = [], budget: Int = XDPMachine.defaultBudget
) throws -> XDPMachine.PlainResult {
    var machine = try XDPMachine(BPFObject(code: code, maps: maps), random: SeededRandom(seed: 1))
    machine.budget = budget
    var memory = memory
    return machine.run(0, onPlain: &memory, at: Instant(nanoseconds: 1_234_567_890))
}

/// Why code is refused.
func refusal(_ code: [UInt8], maps: [MapDefinition] = [], licence: String = "GPL") -> BPFError? {
    do throws(BPFError) {
        _ = try XDPMachine(BPFObject(code: code, maps: maps, licence: licence), random: SeededRandom(seed: 1))
        return nil
    } catch {
        return error
    }
}

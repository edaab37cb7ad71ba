/// Checks code and decodes it (RFC 9669), so that what runs is known to stay inside its registers and slots.
///
/// Code is one list of slots: functions one behind the other. A function starts at each of `entries` and
/// wherever a call or a callback leads, and ends where the next starts; jumps stay inside theirs.
struct ProgramLoader {
    private let octets: [UInt8]
    private let count: Int
    private let maps: [LoadedMap]
    private let isGPL: Bool
    private var instructions: [Instruction] = []
    private var starts: [Bool]

    /// Where a map's values lie for a program that names them directly.
    struct LoadedMap {
        var address: UInt64
        var byteCount: Int
    }

    /// Slots that may be run, and where functions start.
    struct CheckedCode {
        var instructions: [Instruction]
        var starts: [Bool]
    }

    private init(_ octets: [UInt8], maps: [LoadedMap], isGPL: Bool) {
        self.octets = octets
        self.maps = maps
        self.isGPL = isGPL
        count = octets.count / RawInstruction.byteCount
        starts = Array(repeating: false, count: count)
    }

    /// Decodes `octets`, whose programs start at `entries` and whose map references are indices into `maps`.
    static func load(
        _ octets: [UInt8], entries: [Int], maps: [LoadedMap], isGPL: Bool
    ) throws(BPFError) -> CheckedCode {
        guard octets.count % RawInstruction.byteCount == 0, !octets.isEmpty else {
            throw BPFError(.badLength, .instruction(octets.count / RawInstruction.byteCount))
        }
        guard octets.count / RawInstruction.byteCount <= LoadedProgram.largestCount else {
            throw BPFError(.tooManyInstructions, .instruction(LoadedProgram.largestCount))
        }
        var loader = ProgramLoader(octets, maps: maps, isGPL: isGPL)
        for entry in entries {
            guard loader.starts.indices.contains(entry) else { throw BPFError(.badJump, .instruction(entry)) }
            loader.starts[entry] = true
        }
        try loader.decode()
        try loader.checkFunctions()
        loader.normalize()
        return CheckedCode(instructions: loader.instructions, starts: loader.starts)
    }

    private mutating func decode() throws(BPFError) {
        instructions.reserveCapacity(count)
        while let raw = RawInstruction(octets, slot: instructions.count) {
            let slot = instructions.count
            do throws(DecodingFault) {
                let decoded = try Instruction(decoding: raw)
                instructions.append(try resolve(decoded, raw, at: slot))
            } catch {
                throw BPFError(error.fault, .instruction(slot))
            }
            if raw.isWideLoad {
                instructions.append(Instruction(operation: .unreachable, destination: raw.destination))
            }
        }
    }

    /// Clears the upper halves of operands of 32 bits, and gives slots their shortcuts.
    private mutating func normalize() {
        for slot in instructions.indices where [.mov32K, .and32K].contains(instructions[slot].operation) {
            instructions[slot].immediate &= 0xFFFF_FFFF
        }
        var isTarget = starts
        for slot in instructions.indices where instructions[slot].operation.isJump {
            isTarget[slot + 1 + Int(instructions[slot].offset)] = true
        }
        var last: UInt8?
        for slot in instructions.indices {
            if isTarget[slot] { last = nil }
            instructions[slot].shortcut = Instruction.shortcut(for: instructions[slot...], after: last)
            last = instructions[slot].writtenRegister
        }
    }

    /// Fills in what depends on more than the slot itself.
    private mutating func resolve(
        _ decoded: Instruction, _ raw: RawInstruction, at slot: Int
    ) throws(DecodingFault) -> Instruction {
        var instruction = decoded
        switch decoded.operation {
        case .callHelper:
            let number = UInt64(truncatingIfNeeded: UInt32(bitPattern: raw.immediate))
            guard let helper = Helper(number: number) else { throw DecodingFault(.unknownHelper(number)) }
            guard isGPL || !helper.needsGPL else { throw DecodingFault(.helperNeedsGPL(number)) }
            if helper == .loop { instruction.operation = .callLoop }
            if helper == .tailCall { instruction.operation = .tailCall }
            instruction.immediate = Int64(helper.rawValue)
        case .callLocal: try start(at: slot + 1 + Int(decoded.offset))
        case .loadImmediate64: instruction.immediate = Int64(bitPattern: try wideImmediate(raw, at: slot))
        default: break
        }
        return instruction
    }

    private mutating func start(at slot: Int) throws(DecodingFault) {
        guard starts.indices.contains(slot) else { throw DecodingFault(.badJump) }
        starts[slot] = true
    }

    /// The operand of a 64-bit immediate: a number, a map, a place in a map's values or a function (RFC 9669 §5.4).
    private mutating func wideImmediate(_ raw: RawInstruction, at slot: Int) throws(DecodingFault) -> UInt64 {
        guard let second = RawInstruction(octets, slot: slot + 1) else { throw DecodingFault(.fallsOffTheEnd) }
        guard second.opcode == 0, second.destination == 0, second.source == 0, second.offset == 0, raw.offset == 0
        else { throw DecodingFault(.unusedField) }
        let (low, high) = (UInt32(bitPattern: raw.immediate), UInt32(bitPattern: second.immediate))
        switch raw.source {
        case 0: return UInt64(high) << 32 | UInt64(low)
        case 1:
            guard high == 0 else { throw DecodingFault(.unusedField) }
            guard low < UInt32(maps.count) else { throw DecodingFault(.badImmediate) }
            return LoadedProgram.mapHandle | UInt64(low)
        case 2:
            guard low < UInt32(maps.count), Int(high) < maps[Int(low)].byteCount else {
                throw DecodingFault(.badImmediate)
            }
            return maps[Int(low)].address + UInt64(high)
        case 4:
            guard high == 0 else { throw DecodingFault(.unusedField) }
            let target = slot + 1 + Int(raw.immediate)
            try start(at: target)
            return LoadedProgram.functionHandle + UInt64(target)
        default: throw DecodingFault(.badImmediate)
        }
    }

    private func checkFunctions() throws(BPFError) {
        guard starts[0] else { throw BPFError(.badJump, .instruction(0)) }
        var begin = 0
        while begin < count {
            var end = begin + 1
            while end < count, !starts[end] { end += 1 }
            guard instructions[begin].operation != .unreachable else { throw BPFError(.badJump, .instruction(begin)) }
            try checkJumps(in: begin..<end)
            begin = end
        }
    }

    private func checkJumps(in function: Range<Int>) throws(BPFError) {
        for slot in function where instructions[slot].operation.isJump {
            let target = slot + 1 + Int(instructions[slot].offset)
            guard function.contains(target), instructions[target].operation != .unreachable else {
                throw BPFError(.badJump, .instruction(slot))
            }
        }
        let last = instructions[function.upperBound - 1].operation
        guard last == .exit || last == .ja else {
            throw BPFError(.fallsOffTheEnd, .instruction(function.upperBound - 1))
        }
    }
}

extension Operation {
    /// Whether it may go on elsewhere in its function.
    fileprivate var isJump: Bool {
        (Operation.ja.rawValue...Operation.jsle32X.rawValue).contains(rawValue)
    }
}

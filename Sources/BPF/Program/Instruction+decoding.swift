/// What is wrong with one slot, before it is known which one it is.
struct DecodingFault: Error {
    let fault: BPFError.Fault

    init(_ fault: BPFError.Fault) {
        self.fault = fault
    }
}

// One slot by itself, RFC 9669 §3 to §5: fields that an instruction does not use must be zero.
extension Instruction {
    /// Decodes a slot; what depends on other slots, on maps or on helpers is left to the loader.
    init(decoding raw: RawInstruction) throws(DecodingFault) {
        guard raw.destination <= 10, raw.source <= 10 else { throw DecodingFault(.badRegister) }
        operation = .unreachable
        destination = raw.destination
        source = raw.source
        immediate = Int64(raw.immediate)
        switch raw.instructionClass {
        case .alu, .alu64:
            operation = try Self.arithmetic(raw)
            try Self.requireWritable(raw.destination)
        case .jmp, .jmp32:
            operation = try Self.jump(raw)
            offset = operation == .ja && raw.instructionClass == .jmp32 ? raw.immediate : Int32(raw.offset)
            if operation == .callLocal { offset = raw.immediate }
        case .ld:
            guard raw.isWideLoad else { throw DecodingFault(.unknownOpcode(raw.opcode)) }
            operation = .loadImmediate64
            try Self.requireWritable(raw.destination)
        case .ldx, .st, .stx:
            operation = try Self.access(raw)
            offset = Int32(raw.offset)
        }
    }

    private static func requireWritable(_ register: UInt8) throws(DecodingFault) {
        guard register != 10 else { throw DecodingFault(.readOnlyRegister) }
    }

    private static func requireZero(_ condition: Bool) throws(DecodingFault) {
        guard condition else { throw DecodingFault(.unusedField) }
    }

    // MARK: Arithmetic

    private static func arithmetic(_ raw: RawInstruction) throws(DecodingFault) -> Operation {
        let isWide = raw.instructionClass == .alu64
        switch raw.code {
        case 0x8:
            guard !raw.takesRegister else { throw DecodingFault(.unknownOpcode(raw.opcode)) }
            try requireZero(raw.source == 0 && raw.offset == 0 && raw.immediate == 0)
            return isWide ? .neg64 : .neg32
        case 0xB where raw.takesRegister && raw.offset != 0: return try signExtension(raw, isWide: isWide)
        case 0xD: return try byteOrder(raw, isWide: isWide)
        case 0x3, 0x9:
            guard raw.offset == 0 || raw.offset == 1 else { throw DecodingFault(.unusedField) }
        default: try requireZero(raw.offset == 0)
        }
        try requireOneOperand(raw)
        let signed = raw.offset == 1
        let isQuotient = raw.code == 3
        let found: Operation? =
            switch (isWide, raw.takesRegister) {
            case (true, false): signed ? (isQuotient ? .sdiv64K : .smod64K) : wideK[raw.code]
            case (true, true): signed ? (isQuotient ? .sdiv64X : .smod64X) : wideX[raw.code]
            case (false, false): signed ? (isQuotient ? .sdiv32K : .smod32K) : narrowK[raw.code]
            case (false, true): signed ? (isQuotient ? .sdiv32X : .smod32X) : narrowX[raw.code]
            }
        guard let found else { throw DecodingFault(.unknownOpcode(raw.opcode)) }
        return found
    }

    private static func requireOneOperand(_ raw: RawInstruction) throws(DecodingFault) {
        try requireZero(raw.takesRegister ? raw.immediate == 0 : raw.source == 0)
    }

    private static func signExtension(_ raw: RawInstruction, isWide: Bool) throws(DecodingFault) -> Operation {
        try requireZero(raw.immediate == 0)
        switch (raw.offset, isWide) {
        case (8, true): return .movsx64From8
        case (16, true): return .movsx64From16
        case (32, true): return .movsx64From32
        case (8, false): return .movsx32From8
        case (16, false): return .movsx32From16
        default: throw DecodingFault(.unusedField)
        }
    }

    /// To little-endian (a truncation here), to big-endian, or swapped whatever the host.
    private static func byteOrder(_ raw: RawInstruction, isWide: Bool) throws(DecodingFault) -> Operation {
        guard !(isWide && raw.takesRegister) else { throw DecodingFault(.unknownOpcode(raw.opcode)) }
        try requireZero(raw.source == 0 && raw.offset == 0)
        let swaps = isWide || raw.takesRegister
        switch raw.immediate {
        case 16: return swaps ? .swap16 : .truncate16
        case 32: return swaps ? .swap32 : .truncate32
        case 64: return swaps ? .swap64 : .nothing
        default: throw DecodingFault(.badImmediate)
        }
    }

    // MARK: Jumps

    private static func jump(_ raw: RawInstruction) throws(DecodingFault) -> Operation {
        let isWide = raw.instructionClass == .jmp
        switch raw.code {
        case 0x0:
            guard !raw.takesRegister else { throw DecodingFault(.unknownOpcode(raw.opcode)) }
            try requireZero(raw.destination == 0 && raw.source == 0)
            try requireZero(isWide ? raw.immediate == 0 : raw.offset == 0)
            return .ja
        case 0x8 where isWide: return try call(raw)
        case 0x9 where isWide && !raw.takesRegister:
            try requireZero(raw.destination == 0 && raw.source == 0 && raw.offset == 0 && raw.immediate == 0)
            return .exit
        default: break
        }
        let table =
            switch (isWide, raw.takesRegister) {
            case (true, false): jumps64K
            case (true, true): jumps64X
            case (false, false): jumps32K
            case (false, true): jumps32X
            }
        guard let found = table[raw.code] else { throw DecodingFault(.unknownOpcode(raw.opcode)) }
        try requireOneOperand(raw)
        return found
    }

    /// A helper or a function of the object; a helper whose number is in a register is clang's extension.
    private static func call(_ raw: RawInstruction) throws(DecodingFault) -> Operation {
        if raw.takesRegister {
            try requireZero(raw.source == 0 && raw.offset == 0 && raw.immediate == 0)
            return .callRegister
        }
        try requireZero(raw.destination == 0 && raw.offset == 0)
        switch raw.source {
        case 0: return .callHelper
        case 1: return .callLocal
        default: throw DecodingFault(.unknownOpcode(raw.opcode))
        }
    }

    // MARK: Memory

    private static func access(_ raw: RawInstruction) throws(DecodingFault) -> Operation {
        let size = Int(raw.opcode >> 3 & 3)
        switch (raw.instructionClass, raw.opcode >> 5) {
        case (.ldx, 3):
            try requireZero(raw.immediate == 0)
            try requireWritable(raw.destination)
            return [.load32, .load16, .load8, .load64][size]
        case (.ldx, 4) where size != 3:
            try requireZero(raw.immediate == 0)
            try requireWritable(raw.destination)
            return [.loadSigned32, .loadSigned16, .loadSigned8][size]
        case (.st, 3):
            try requireZero(raw.source == 0)
            return [.store32K, .store16K, .store8K, .store64K][size]
        case (.stx, 3):
            try requireZero(raw.immediate == 0)
            return [.store32X, .store16X, .store8X, .store64X][size]
        case (.stx, 6) where size == 0 || size == 3:
            guard AtomicCode.isKnown(raw.immediate) else { throw DecodingFault(.badImmediate) }
            let isComparing = Int64(raw.immediate) & ~AtomicCode.fetch == AtomicCode.compareAndExchange.rawValue
            if Int64(raw.immediate) & AtomicCode.fetch != 0, !isComparing { try requireWritable(raw.source) }
            return size == 0 ? .atomic32 : .atomic64
        default: throw DecodingFault(.unknownOpcode(raw.opcode))
        }
    }
}

// Operations by the four high bits of the opcode; nil is none.
private let wideK: [Operation?] = [
    .add64K, .sub64K, .mul64K, .div64K, .or64K, .and64K, .lsh64K, .rsh64K, nil, .mod64K, .xor64K, .mov64K, .arsh64K,
    nil,
    nil, nil,
]
private let wideX: [Operation?] = [
    .add64X, .sub64X, .mul64X, .div64X, .or64X, .and64X, .lsh64X, .rsh64X, nil, .mod64X, .xor64X, .mov64X, .arsh64X,
    nil,
    nil, nil,
]
private let narrowK: [Operation?] = [
    .add32K, .sub32K, .mul32K, .div32K, .or32K, .and32K, .lsh32K, .rsh32K, nil, .mod32K, .xor32K, .mov32K, .arsh32K,
    nil,
    nil, nil,
]
private let narrowX: [Operation?] = [
    .add32X, .sub32X, .mul32X, .div32X, .or32X, .and32X, .lsh32X, .rsh32X, nil, .mod32X, .xor32X, .mov32X, .arsh32X,
    nil,
    nil, nil,
]
private let jumps64K: [Operation?] = [
    nil, .jeq64K, .jgt64K, .jge64K, .jset64K, .jne64K, .jsgt64K, .jsge64K, nil, nil, .jlt64K, .jle64K, .jslt64K,
    .jsle64K, nil, nil,
]
private let jumps64X: [Operation?] = [
    nil, .jeq64X, .jgt64X, .jge64X, .jset64X, .jne64X, .jsgt64X, .jsge64X, nil, nil, .jlt64X, .jle64X, .jslt64X,
    .jsle64X, nil, nil,
]
private let jumps32K: [Operation?] = [
    nil, .jeq32K, .jgt32K, .jge32K, .jset32K, .jne32K, .jsgt32K, .jsge32K, nil, nil, .jlt32K, .jle32K, .jslt32K,
    .jsle32K, nil, nil,
]
private let jumps32X: [Operation?] = [
    nil, .jeq32X, .jgt32X, .jge32X, .jset32X, .jne32X, .jsgt32X, .jsge32X, nil, nil, .jlt32X, .jle32X, .jslt32X,
    .jsle32X, nil, nil,
]

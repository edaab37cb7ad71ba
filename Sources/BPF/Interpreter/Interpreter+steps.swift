extension Interpreter {
    /// Where a run goes on, nil where it ends; and how many instructions that took.
    struct Step {
        var next: InstructionPointer?
        var count = 1
    }

    /// Carries out what the loop has no shortcut of its own for.
    @inline(never)
    mutating func takeTime(_ instruction: InstructionPointer) -> Step {
        switch instruction.pointee.shortcut {
        case .lookUp: lookUp(instruction)
        case .call: Step(next: call(instruction, instruction + 1))
        default: step(instruction)
        }
    }

    /// Carries out one instruction, whatever it is.
    @inline(never)
    mutating func step(_ instruction: InstructionPointer) -> Step {
        let r = registers
        var next = instruction + 1
        var isRefused = false
        if instruction.arithmetic64K(r) || instruction.arithmetic64X(r) { return Step(next: next) }
        if instruction.load(r, memory, &isRefused) || instruction.store(r, memory, &isRefused) {
            if isRefused { cause = .badAddress }
            return Step(next: isRefused ? nil : next)
        }
        if instruction.jump64K(r, &next) || instruction.jump64X(r, &next) { return Step(next: next) }
        if instruction.arithmetic32K(r) || instruction.arithmetic32X(r) || instruction.conversion(r) {
            return Step(next: next)
        }
        if instruction.jump32K(r, &next) || instruction.jump32X(r, &next) { return Step(next: next) }
        switch instruction.operation {
        case .ja: return Step(next: next + Int(instruction.offset))
        case .loadImmediate64:
            r[instruction.destination] = UInt64(bitPattern: instruction.immediate)
            return Step(next: next + 1)
        case .exit: return Step(next: leave())
        default: return Step(next: call(instruction, next))
        }
    }

    /// Carries out `r2 = r10; r2 += offset; r1 = map; call 1`, where the key lies in the function's stack.
    private mutating func lookUp(_ instruction: InstructionPointer) -> Step {
        let (offset, handle) = ((instruction + 1).immediate, UInt64(bitPattern: (instruction + 2).immediate))
        guard let map = environment.map(handle), offset >= -Int64(CallFrame.stackByteCount),
            offset <= -Int64(environment.maps[map].keySize)
        else { return step(instruction) }
        registers[1] = handle
        registers[2] = registers[10] &+ UInt64(bitPattern: offset)
        registers[0] = environment.maps[map].lookUp(frame + Int(offset))
        return Step(next: instruction + 5, count: 4)
    }
}

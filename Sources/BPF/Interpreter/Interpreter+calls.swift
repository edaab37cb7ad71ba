extension Interpreter {
    /// Carries out a call; what follows it, or nil where the run ends with ``cause``.
    @inline(never)
    mutating func call(_ instruction: InstructionPointer, _ next: InstructionPointer) -> InstructionPointer? {
        switch instruction.operation {
        case .callHelper:
            guard let helper = Helper(rawValue: UInt8(truncatingIfNeeded: instruction.immediate)) else {
                return stop(.badHelper)
            }
            return environment.call(helper, registers, memory, &cause) ? next : nil
        case .callRegister:
            let number = registers[Int(instruction.destination)]
            guard let helper = Helper(number: number), !helper.changesControl else { return stop(.badHelper) }
            return environment.call(helper, registers, memory, &cause) ? next : nil
        case .callLocal:
            return enter(CallFrame.Iteration(), returningTo: next) ? next + Int(instruction.offset) : nil
        case .callLoop: return callLoop(next)
        case .tailCall: return callTail(next)
        default: return stop(.badInstruction)
        }
    }

    private mutating func stop(_ cause: XDPFault.Cause) -> InstructionPointer? {
        self.cause = cause
        return nil
    }

    /// A fresh stack frame for a function; false where there are too many.
    private mutating func enter(_ iteration: CallFrame.Iteration, returningTo next: InstructionPointer) -> Bool {
        guard depth + 1 < CallFrame.limit else {
            cause = .callsTooDeep
            return false
        }
        let r = registers
        frames[depth] = CallFrame(returnsTo: next, r6: r[6], r7: r[7], r8: r[8], r9: r[9], iteration: iteration)
        depth += 1
        r[10] += UInt64(CallFrame.stackByteCount)
        if depth > deepest {
            // What a program finds on its stack must not depend on the run before.
            deepest = depth
            (stack + depth * CallFrame.stackByteCount).initializeMemory(
                as: UInt8.self, repeating: 0, count: CallFrame.stackByteCount)
        }
        return true
    }

    /// Returns from a function; nil from the program itself.
    @inline(never)
    mutating func leave() -> InstructionPointer? {
        guard depth > 0 else { return nil }
        let r = registers
        let frame = frames + (depth - 1)
        if let callback = frame.pointee.iteration.callback {
            frame.pointee.iteration.index += 1
            let iteration = frame.pointee.iteration
            if r[0] == 0, iteration.index < iteration.count {
                r[1] = iteration.index
                r[2] = iteration.context
                return callback
            }
            r[0] = iteration.index
        }
        depth -= 1
        (r[6], r[7], r[8], r[9]) = (frame.pointee.r6, frame.pointee.r7, frame.pointee.r8, frame.pointee.r9)
        r[10] -= UInt64(CallFrame.stackByteCount)
        return frame.pointee.returnsTo
    }

    /// `bpf_loop(count, callback, context, flags)`: the callback runs as a call that repeats itself.
    private mutating func callLoop(_ next: InstructionPointer) -> InstructionPointer? {
        let r = registers
        let count = r[1] & 0xFFFF_FFFF
        guard let callback = program.function(r[2]) else { return stop(.badCallback) }
        guard r[4] == 0 else {
            r[0] = MapError.invalidArgument.answer
            return next
        }
        guard count <= 1 << 23 else {
            r[0] = MapError.full.answer
            return next
        }
        guard count > 0 else {
            r[0] = 0
            return next
        }
        let iteration = CallFrame.Iteration(callback: callback, context: r[3], index: 0, count: count)
        guard enter(iteration, returningTo: next) else { return nil }
        r[1] = 0
        r[2] = iteration.context
        return callback
    }

    /// `bpf_tail_call(context, programs, index)`: replaces the function that runs, or goes on behind it.
    private mutating func callTail(_ next: InstructionPointer) -> InstructionPointer? {
        let r = registers
        guard let map = environment.map(r[2]), environment.maps[map].kind == .programArray else {
            return stop(.badMap)
        }
        let index = UInt32(truncatingIfNeeded: r[3])
        guard tailCalls < Self.tailCallLimit, let target = environment.maps[map].program(at: index) else { return next }
        tailCalls += 1
        return program.code + program.entry(of: target)
    }

    static var tailCallLimit: Int { 33 }
}

import Basics

/// Runs decoded programs (RFC 9669) on memory that every access is checked against.
///
/// The loop runs by shortcuts (``Shortcut``): it keeps what it needs in locals - the next instruction,
/// the registers, the regions - and nothing in it is counted, allocated or called through a table. What
/// a shortcut does not settle is left to ``step(_:)``, which carries out any one instruction. What a
/// program may do wrong ends the run with a cause; that registers and jumps are in range was checked
/// when it was loaded.
struct Interpreter: ~Copyable {
    let program: LoadedProgram
    let registers: Registers
    let memory: AddressSpace
    let stack: UnsafeMutableRawPointer
    let frames: UnsafeMutablePointer<CallFrame>
    /// How many functions wait for the one that runs.
    var depth = 0
    /// The deepest that the stack was cleared for in this run.
    var deepest = 0
    var tailCalls = 0
    /// Why the last call ended the run.
    var cause: XDPFault.Cause?
    var environment: HelperEnvironment

    /// A run reached its end: with what in r0, or why not, and after how many instructions.
    struct Ending {
        var value: UInt64
        var fault: XDPFault?
        var instructions: Int
    }

    init(_ program: consuming LoadedProgram, memory: AddressSpace, environment: consuming HelperEnvironment) {
        registers = .allocate(capacity: 11)
        registers.initialize(repeating: 0, count: 11)
        let stackSize = CallFrame.limit * CallFrame.stackByteCount
        stack = .allocate(byteCount: stackSize, alignment: 16)
        // A program that nobody verified may read what it has not written: that must not differ from run to run.
        stack.initializeMemory(as: UInt8.self, repeating: 0, count: stackSize)
        frames = .allocate(capacity: CallFrame.limit)
        memory.place(stack, count: stackSize, at: AddressSpace.stack, isWritable: true)
        self.program = program
        self.memory = memory
        self.environment = environment
    }

    deinit {
        registers.deallocate()
        stack.deallocate()
        frames.deallocate()
        memory.deallocate()
    }

    /// Runs from `entry` with two arguments until the program exits, faults or has used up its budget.
    mutating func run(from entry: Int, _ first: UInt64, _ second: UInt64, budget: Int) -> Ending {
        registers.update(repeating: 0, count: 11)
        registers[1] = first
        registers[2] = second
        registers[10] = AddressSpace.address(of: AddressSpace.stack) + UInt64(CallFrame.stackByteCount)
        stack.initializeMemory(as: UInt8.self, repeating: 0, count: CallFrame.stackByteCount)
        (depth, deepest, tailCalls, cause) = (0, 0, 0, nil)
        return loop(from: program.code + entry, budget: budget)
    }

    /// The end of the stack of the function that runs: where its register 10 leads.
    var frame: UnsafeMutableRawPointer { stack + (depth + 1) * CallFrame.stackByteCount }

    /// Runs by shortcuts as long as no way ahead can use up the budget, which is looked at where something else
    /// happens than going ahead.
    private mutating func loop(from entry: InstructionPointer, budget: Int) -> Ending {
        let limit = budget - program.count
        var run = Run(r: registers, memory: memory, frame: frame, position: Position(entry))
        while run.position.count <= limit {
            while true {
                let instruction = run.position.next
                run.position.next += 1
                let shortcut = instruction.pointee.shortcut
                if instruction.runShortcut(shortcut, &run) { continue }
                let step = takeTime(instruction)
                guard let target = step.next else { return ending(instruction, after: run.position.count) }
                run.position.go(to: target, from: instruction, after: step.count)
                run.last = run.r[(target - 1).destination]
                run.frame = frame
                if target <= instruction { break }
            }
        }
        return runCarefully(from: run.position, budget: budget)
    }

    /// Counts every instruction, so that a program stops at the very one for which nothing is left.
    private mutating func runCarefully(from start: Position, budget: Int) -> Ending {
        var (next, count) = (start.next, start.count)
        while true {
            guard count < budget else {
                cause = .budgetExhausted
                return ending(next, after: count)
            }
            guard let target = step(next).next else { return ending(next, after: count + 1) }
            count += 1
            next = target
        }
    }

    private func ending(_ instruction: InstructionPointer, after count: Int) -> Ending {
        let fault = cause.map { XDPFault($0, instruction: instruction - program.code) }
        return Ending(value: registers[0], fault: fault, instructions: count)
    }
}

import Basics

/// Runs decoded programs (RFC 9669) on memory that every access is checked against.
///
/// The loop keeps what it needs in locals - the next instruction, the registers, the regions - and
/// nothing in it is counted, allocated or called through a table. What a program may do wrong ends
/// the run with a cause; that registers and jumps are in range was checked when it was loaded.
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

    private mutating func loop(from entry: InstructionPointer, budget: Int) -> Ending {
        let r = registers
        let memory = self.memory
        var next = entry
        var left = budget
        var isRefused = false
        while true {
            guard left > 0 else { return ending(next + 1, budget, left, .budgetExhausted) }
            left &-= 1
            let instruction = next
            next += 1
            if instruction.arithmetic64K(r) || instruction.arithmetic64X(r) { continue }
            if instruction.load(r, memory, &isRefused) || instruction.store(r, memory, &isRefused) {
                if isRefused { return ending(next, budget, left, .badAddress) }
                continue
            }
            if instruction.jump64K(r, &next) || instruction.jump64X(r, &next) { continue }
            if instruction.arithmetic32K(r) || instruction.arithmetic32X(r) || instruction.conversion(r) { continue }
            if instruction.jump32K(r, &next) || instruction.jump32X(r, &next) { continue }
            switch instruction.operation {
            case .ja: next += Int(instruction.offset)
            case .loadImmediate64:
                r[Int(instruction.destination)] = UInt64(bitPattern: instruction.immediate)
                next += 1
            case .exit:
                guard let target = leave() else { return ending(next, budget, left, nil) }
                next = target
            default:
                guard let target = call(instruction, next) else { return ending(next, budget, left, cause) }
                next = target
            }
        }
    }

    private func ending(
        _ next: InstructionPointer, _ budget: Int, _ left: Int, _ cause: XDPFault.Cause?
    ) -> Ending {
        let fault = cause.map { XDPFault($0, instruction: next - program.code - 1) }
        return Ending(value: registers[0], fault: fault, instructions: budget - left)
    }
}

/// Code that has passed the checks, where the interpreter runs it.
struct LoadedProgram: ~Copyable {
    /// Maps and functions are known to a program by numbers in region 0, where no memory is.
    static let mapHandle: UInt64 = 0x0080_0000
    static let functionHandle: UInt64 = 0x0040_0000
    /// A handle has room for so many slots.
    static let largestCount = 1 << 20

    let code: InstructionPointer
    let count: Int
    /// Whether a function starts at a slot, so that a callback may be entered.
    private let starts: UnsafeMutablePointer<Bool>
    private let entries: UnsafeMutablePointer<Int>
    let entryCount: Int

    /// Copies `checked`; each of `entries` is a slot where a program starts.
    init(_ checked: ProgramLoader.CheckedCode, entries: [Int]) {
        count = checked.instructions.count
        entryCount = entries.count
        // What was written last is known by the slot before, and a program may start at the first.
        let slots = InstructionPointer.allocate(capacity: count + 2)
        slots[0] = Instruction(operation: .unreachable)
        code = slots + 1
        for (index, instruction) in checked.instructions.enumerated() { code[index] = instruction }
        // No checked program gets here; one more slot makes that a fault and not a chance.
        code[count] = Instruction(operation: .unreachable)
        starts = .allocate(capacity: count)
        for (index, isStart) in checked.starts.enumerated() { starts[index] = isStart }
        self.entries = .allocate(capacity: max(1, entries.count))
        for (index, entry) in entries.enumerated() { self.entries[index] = entry }
    }

    deinit {
        (code - 1).deallocate()
        starts.deallocate()
        entries.deallocate()
    }

    /// The slot where a program starts; the caller knows that there is such a program.
    func entry(of program: Int) -> Int {
        precondition(program >= 0 && program < entryCount, "no such program")
        return entries[program]
    }

    /// The function that a handle stands for.
    func function(_ handle: UInt64) -> InstructionPointer? {
        let slot = handle &- Self.functionHandle
        guard slot < UInt64(count) else { return nil }
        return starts[Int(slot)] ? code + Int(slot) : nil
    }
}

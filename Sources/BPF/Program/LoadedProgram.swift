/// Code that has passed the checks, where the interpreter runs it.
struct LoadedProgram: ~Copyable {
    /// Maps and functions are known to a program by numbers in region 0, where no memory is.
    static let mapHandle: UInt64 = 0x0080_0000
    static let functionHandle: UInt64 = 0x0040_0000
    /// A handle has room for so many slots.
    static let largestCount = 1 << 20

    let code: InstructionPointer
    let count: Int
    private let entries: UnsafeMutablePointer<Int>
    let entryCount: Int

    /// Copies `instructions`; each of `entries` is a slot where a program starts.
    init(_ instructions: [Instruction], entries: [Int]) {
        count = instructions.count
        entryCount = entries.count
        code = .allocate(capacity: count + 1)
        for (index, instruction) in instructions.enumerated() { code[index] = instruction }
        // No checked program gets here; one more slot makes that a fault and not a chance.
        code[count] = Instruction(operation: .unreachable)
        self.entries = .allocate(capacity: max(1, entries.count))
        for (index, entry) in entries.enumerated() { self.entries[index] = entry }
    }

    deinit {
        code.deallocate()
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
        let start = code + Int(slot)
        return start.pointee.startsFunction ? start : nil
    }
}

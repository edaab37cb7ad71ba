/// How far a run has come.
///
/// Instructions are not counted one by one: as long as none is skipped, the way from `origin` is their number,
/// and what skips some moves `origin` along.
struct Position {
    var next: InstructionPointer
    private var origin: InstructionPointer

    init(_ next: InstructionPointer) {
        self.next = next
        origin = next
    }

    /// How many instructions have been run.
    @inline(__always) var count: Int { next - origin }

    /// Passes over slots that are no instructions to be run.
    @inline(__always)
    mutating func skip(_ distance: Int) {
        next += distance
        origin += distance
    }

    /// Goes on elsewhere, after so many more instructions than the one at `current`.
    @inline(__always)
    mutating func go(to target: InstructionPointer, from current: InstructionPointer, after count: Int) {
        origin = target - ((current - origin) + count)
        next = target
    }

    @inline(__always)
    mutating func jump(_ instruction: InstructionPointer, if condition: Bool) {
        if condition { skip(Int(instruction.pointee.offset)) }
    }

    /// The same behind more instructions that have been run.
    @inline(__always)
    mutating func jump(over count: Int, _ instruction: InstructionPointer, if condition: Bool) {
        next += count
        if condition { skip(Int(instruction.pointee.offset)) }
    }
}

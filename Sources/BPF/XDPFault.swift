/// Why a program was stopped, and where.
public struct XDPFault: Error, Hashable, Sendable, BitwiseCopyable {
    /// What the program did that no verified one does.
    public enum Cause: UInt8, Sendable, BitwiseCopyable {
        /// It ran longer than its budget of instructions.
        case budgetExhausted
        /// It touched memory that is not there, or wrote what may only be read.
        case badAddress
        /// A ninth function was called while eight ran.
        case callsTooDeep
        /// A helper was given something that is no map, or no map of the kind it serves.
        case badMap
        /// `bpf_loop` was given something that is no function.
        case badCallback
        /// A helper was called by a number from a register that is none.
        case badHelper
        /// The slot behind a 64-bit immediate was reached.
        case badInstruction
        /// The program returned a number that is no verdict.
        case badVerdict
    }

    public var cause: Cause
    /// The slot of the instruction, counted through the whole object's code.
    public var instruction: Int

    public init(_ cause: Cause, instruction: Int) {
        self.cause = cause
        self.instruction = instruction
    }
}

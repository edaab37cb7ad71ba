/// Why an object or a program cannot be loaded, and where the fault lies.
public struct BPFError: Error, Hashable, Sendable {
    /// What is wrong.
    public enum Fault: Hashable, Sendable {
        // The file
        case notELF
        case notBPF
        case truncated
        case badSection
        case badSymbol
        case badRelocation
        case undefinedSymbol(String)
        case unsupportedRelocation(UInt32)
        // Types and maps
        case badTypes
        case unknownMapKind(UInt64)
        case unknownMapMember(String)
        case badMapSize
        case badMapFlags
        case tooManyMaps
        case unknownName(String)
        case wrongSize(expected: Int)
        case noProgram
        // Instructions
        case badLength
        case unknownOpcode(UInt8)
        case unusedField
        case badRegister
        case readOnlyRegister
        case badImmediate
        case badJump
        case fallsOffTheEnd
        case unknownHelper(UInt64)
        case helperNeedsGPL(UInt64)
        case tooManyInstructions
    }

    /// Where in the object.
    public enum Place: Hashable, Sendable {
        case file(offset: Int)
        case section(String, offset: Int)
        case map(String)
        case variable(String)
        /// A slot, counted from the start of the whole object's code.
        case instruction(Int)
        case object
    }

    public var fault: Fault
    public var place: Place

    public init(_ fault: Fault, _ place: Place) {
        self.fault = fault
        self.place = place
    }
}

// A small linker: code sections one behind the other, and every reference resolved.
extension BPFObject {
    /// Reads an ELF file that clang wrote for `-target bpf`.
    public init(parsing octets: [UInt8]) throws(BPFError) {
        self.init()
        let file = try ELFFile(octets)
        var types = TypeTable()
        if let section = file.section(".BTF") {
            types = try TypeTable(file.content(of: section), section: ".BTF")
        }
        if let section = file.section("license") {
            licence = String(decoding: file.content(of: section).prefix { $0 != 0 }, as: UTF8.self)
        }
        let places = try readMaps(file, types)
        let data = try readData(file, types)
        var linker = Linker(file: file, places: places, data: data)
        try linker.layOut()
        code = linker.code
        programs = linker.programs
        functions = linker.functions
        guard !programs.isEmpty else { throw BPFError(.noProgram, .object) }
        try linker.resolve(&code)
        try readProgramArrays(file, places)
    }
}

private struct Linker {
    /// Relocation types of the machine (LLVM, `ELFRelocs/BPF.def`).
    private enum Kind {
        static let wideImmediate: UInt32 = 1
        static let call: UInt32 = 10
    }

    let file: ELFFile
    let places: [BPFObject.MapPlace]
    let data: [(section: Int, map: Int)]
    private(set) var code: [UInt8] = []
    private(set) var programs: [BPFObject.Program] = []
    private(set) var functions: [Int] = []
    /// Where each section's code begins, by section number; nil for what is no code.
    private var starts: [Int?]

    init(file: ELFFile, places: [BPFObject.MapPlace], data: [(section: Int, map: Int)]) {
        self.file = file
        self.places = places
        self.data = data
        starts = Array(repeating: nil, count: file.sections.count)
    }

    /// Joins the code sections; a function in any but `.text` is a program.
    mutating func layOut() throws(BPFError) {
        for (number, section) in file.sections.enumerated() where section.isExecutable && section.byteCount > 0 {
            let octets = file.content(of: number)
            guard octets.count % RawInstruction.byteCount == 0, octets.count == section.byteCount else {
                throw BPFError(.badLength, .section(section.name, offset: octets.count))
            }
            starts[number] = code.count
            code += octets
        }
        for symbol in file.symbols where symbol.kind == ELFFile.Symbol.Kind.function {
            guard let start = starts[symbol.section] else { continue }
            let section = file.sections[symbol.section]
            guard symbol.value % RawInstruction.byteCount == 0, symbol.value < section.byteCount else {
                throw BPFError(.badSymbol, .section(section.name, offset: symbol.value))
            }
            let slot = (start + symbol.value) / RawInstruction.byteCount
            if section.name == ".text" {
                functions.append(slot)
            } else {
                programs.append(BPFObject.Program(name: symbol.name, section: section.name, start: slot))
            }
        }
        programs.sort { $0.start < $1.start }
    }

    /// Fills the references into the joined code.
    func resolve(_ code: inout [UInt8]) throws(BPFError) {
        for (number, start) in starts.enumerated() {
            guard let start else { continue }
            for relocation in try file.relocations(of: number) {
                let here = BPFError.Place.section(file.sections[number].name, offset: relocation.offset)
                let slot = (start + relocation.offset) / RawInstruction.byteCount
                guard relocation.offset % RawInstruction.byteCount == 0, let raw = RawInstruction(code, slot: slot)
                else { throw BPFError(.badRelocation, here) }
                switch relocation.kind {
                case Kind.call: try resolveCall(raw, relocation, slot, here, &code)
                case Kind.wideImmediate: try resolveImmediate(raw, relocation, slot, here, &code)
                default: throw BPFError(.unsupportedRelocation(relocation.kind), here)
                }
            }
        }
    }

    /// The slot that `octets` behind a symbol lie in.
    private func target(
        _ symbol: ELFFile.Symbol, plus octets: Int, _ here: BPFError.Place
    ) throws(BPFError) -> Int {
        guard symbol.section != 0 else { throw BPFError(.undefinedSymbol(symbol.name), here) }
        guard let start = starts[symbol.section] else { throw BPFError(.badRelocation, here) }
        let inside = symbol.value + octets
        guard inside % RawInstruction.byteCount == 0, 0..<file.sections[symbol.section].byteCount ~= inside else {
            throw BPFError(.badRelocation, here)
        }
        return (start + inside) / RawInstruction.byteCount
    }

    /// A call counts slots from the symbol, less one.
    private func resolveCall(
        _ raw: RawInstruction, _ relocation: ELFFile.Relocation, _ slot: Int, _ here: BPFError.Place,
        _ code: inout [UInt8]
    ) throws(BPFError) {
        guard raw.opcode == 0x85, raw.source == 1 else { throw BPFError(.badRelocation, here) }
        let octets = (Int(raw.immediate) + 1) * RawInstruction.byteCount
        let target = try self.target(file.symbols[relocation.symbol], plus: octets, here)
        code.setWord(UInt32(truncatingIfNeeded: target - slot - 1), at: slot * RawInstruction.byteCount + 4)
    }

    /// A 64-bit immediate is a map, a place in a data section or a function.
    private func resolveImmediate(
        _ raw: RawInstruction, _ relocation: ELFFile.Relocation, _ slot: Int, _ here: BPFError.Place,
        _ code: inout [UInt8]
    ) throws(BPFError) {
        let place = slot * RawInstruction.byteCount
        guard raw.isWideLoad, place + 16 <= code.count else { throw BPFError(.badRelocation, here) }
        let symbol = file.symbols[relocation.symbol]
        guard symbol.section != 0 else { throw BPFError(.undefinedSymbol(symbol.name), here) }
        let offset = symbol.value + Int(raw.immediate)
        let (kind, low, high): (UInt8, Int, Int)
        if file.sections[symbol.section].name == ".maps" {
            guard let map = places.first(where: { $0.offset == offset })?.map else {
                throw BPFError(.badRelocation, here)
            }
            (kind, low, high) = (1, map, 0)
        } else if let map = data.first(where: { $0.section == symbol.section })?.map {
            guard offset >= 0, offset < file.sections[symbol.section].byteCount else {
                throw BPFError(.badRelocation, here)
            }
            (kind, low, high) = (2, map, offset)
        } else {
            (kind, low, high) = (4, try target(symbol, plus: Int(raw.immediate), here) - slot - 1, 0)
        }
        code[place + 1] = raw.destination | kind << 4
        code.setWord(UInt32(truncatingIfNeeded: low), at: place + 4)
        code.setWord(UInt32(truncatingIfNeeded: high), at: place + 12)
    }
}

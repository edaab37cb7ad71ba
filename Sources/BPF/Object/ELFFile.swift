/// The sections and symbols of a relocatable ELF file for the BPF machine, little-endian, 64 bits wide.
struct ELFFile {
    struct Section {
        enum Kind {
            static let symbols: UInt32 = 2
            static let noBits: UInt32 = 8
            static let relocations: UInt32 = 9
        }

        var name: String
        var kind: UInt32
        var flags: UInt64
        /// Where its octets lie in the file; empty for one of zeros.
        var range: Range<Int>
        var byteCount: Int
        var link: Int
        var info: Int

        var isExecutable: Bool { flags & 4 != 0 }
        var isAllocated: Bool { flags & 2 != 0 }
        var isWritable: Bool { flags & 1 != 0 }
    }

    struct Symbol {
        enum Kind {
            static let object: UInt8 = 1
            static let function: UInt8 = 2
            static let section: UInt8 = 3
        }

        var name: String
        var kind: UInt8
        /// Zero where the symbol is not defined.
        var section: Int
        var value: Int
        var byteCount: Int
    }

    struct Relocation {
        /// Where in the section that it changes.
        var offset: Int
        var kind: UInt32
        var symbol: Int
    }

    private static let machine: UInt16 = 247
    private static let relocatable: UInt16 = 1
    private static let largestByteCount = 1 << 28

    let octets: [UInt8]
    private(set) var sections: [Section] = []
    private(set) var symbols: [Symbol] = []

    init(_ octets: [UInt8]) throws(BPFError) {
        self.octets = octets
        let reader = OctetReader(octets)
        guard octets.starts(with: [0x7F, 0x45, 0x4C, 0x46]) else { throw BPFError(.notELF, .file(offset: 0)) }
        guard octets.count >= 64, octets[4] == 2, octets[5] == 1, octets.count <= Self.largestByteCount else {
            throw BPFError(.notELF, .file(offset: 4))
        }
        guard try reader.half(16) == Self.relocatable, try reader.half(18) == Self.machine else {
            throw BPFError(.notBPF, .file(offset: 16))
        }
        try readSections(reader)
        try readSymbols(reader)
    }

    /// The octets of a section.
    func content(of section: Int) -> [UInt8] {
        Array(octets[sections[section].range])
    }

    func section(_ name: String) -> Int? {
        sections.firstIndex { $0.name == name }
    }

    /// What changes a section before it can be used.
    func relocations(of section: Int) throws(BPFError) -> [Relocation] {
        var found: [Relocation] = []
        for table in sections where table.kind == Section.Kind.relocations && table.info == section {
            let reader = OctetReader(octets)
            for place in stride(from: table.range.lowerBound, to: table.range.upperBound - 15, by: 16) {
                let info = try reader.wide(place + 8)
                let symbol = Int(info >> 32)
                let offset = try reader.offset(place)
                guard symbol < symbols.count, offset < sections[section].byteCount else {
                    throw BPFError(.badRelocation, .section(table.name, offset: place - table.range.lowerBound))
                }
                found.append(
                    Relocation(offset: offset, kind: UInt32(truncatingIfNeeded: info), symbol: symbol))
            }
        }
        return found
    }

    private mutating func readSections(_ reader: OctetReader) throws(BPFError) {
        let table = try reader.offset(40)
        let (size, count, names) = (Int(try reader.half(58)), Int(try reader.half(60)), Int(try reader.half(62)))
        guard size == 64, names < count else { throw BPFError(.badSection, .file(offset: 58)) }
        guard table + count * size <= octets.count else { throw BPFError(.truncated, .file(offset: 40)) }
        var nameOffsets: [Int] = []
        for index in 0..<count {
            let place = table + index * size
            let kind = try reader.word(place + 4)
            let (offset, length) = (try reader.offset(place + 24), try reader.offset(place + 32))
            let isEmpty = kind == Section.Kind.noBits || kind == 0
            guard isEmpty || offset + length <= octets.count else { throw BPFError(.truncated, .file(offset: place)) }
            nameOffsets.append(Int(try reader.word(place)))
            sections.append(
                Section(
                    name: "", kind: kind, flags: try reader.wide(place + 8),
                    range: isEmpty ? 0..<0 : offset..<offset + length, byteCount: kind == 0 ? 0 : length,
                    link: Int(try reader.word(place + 40)), info: Int(try reader.word(place + 44))))
        }
        for index in 0..<count {
            sections[index].name = try reader.string(nameOffsets[index], in: sections[names].range)
        }
    }

    private mutating func readSymbols(_ reader: OctetReader) throws(BPFError) {
        guard let table = sections.first(where: { $0.kind == Section.Kind.symbols }) else { return }
        guard sections.indices.contains(table.link) else {
            throw BPFError(.badSection, .section(table.name, offset: 0))
        }
        let strings = sections[table.link].range
        for place in stride(from: table.range.lowerBound, to: table.range.upperBound - 23, by: 24) {
            let section = Int(try reader.half(place + 6))
            let here = BPFError.Place.section(table.name, offset: place - table.range.lowerBound)
            // From 0xFF00 on, numbers stand for something else than sections.
            let isInside = section == 0 || section >= 0xFF00 || section < sections.count
            guard isInside else { throw BPFError(.badSymbol, here) }
            symbols.append(
                Symbol(
                    name: try reader.string(Int(try reader.word(place)), in: strings),
                    kind: octets[place + 4] & 15, section: section >= 0xFF00 ? 0 : section,
                    value: try reader.offset(place + 8), byteCount: try reader.offset(place + 16)))
        }
    }
}

/// Little-endian numbers in octets, each look checked.
struct OctetReader {
    private let octets: [UInt8]
    private static let largestOffset: UInt64 = 1 << 40

    init(_ octets: [UInt8]) {
        self.octets = octets
    }

    func half(_ place: Int) throws(BPFError) -> UInt16 {
        guard place >= 0, place + 2 <= octets.count else { throw BPFError(.truncated, .file(offset: place)) }
        return UInt16(octets[place]) | UInt16(octets[place + 1]) << 8
    }

    func word(_ place: Int) throws(BPFError) -> UInt32 {
        guard place >= 0, place + 4 <= octets.count else { throw BPFError(.truncated, .file(offset: place)) }
        return octets.word(at: place)
    }

    func wide(_ place: Int) throws(BPFError) -> UInt64 {
        let low = UInt64(try word(place))
        return low | UInt64(try word(place + 4)) << 32
    }

    /// A place or a size, which no file needs to be so large that adding two overflows.
    func offset(_ place: Int) throws(BPFError) -> Int {
        let value = try wide(place)
        guard value <= Self.largestOffset else { throw BPFError(.truncated, .file(offset: place)) }
        return Int(value)
    }

    /// The text up to a zero octet.
    func string(_ offset: Int, in range: Range<Int>) throws(BPFError) -> String {
        let start = range.lowerBound + offset
        guard range.contains(start), let end = octets[start..<range.upperBound].firstIndex(of: 0) else {
            if offset == 0 { return "" }
            throw BPFError(.truncated, .file(offset: start))
        }
        return String(decoding: octets[start..<end], as: UTF8.self)
    }
}

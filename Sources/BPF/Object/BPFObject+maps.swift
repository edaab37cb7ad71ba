// Maps by the types of their definitions, and the data sections, which are maps of one value each.
extension BPFObject {
    /// Where a definition lies, so that references to it find it.
    struct MapPlace {
        var offset: Int
        var map: Int
        /// Where the values that it holds from the start are named; nil where it names none.
        var valuesOffset: Int?
        var byteCount: Int
    }

    /// Reads the definitions in `.maps` (libbpf's `__uint`, `__type` and `__array`).
    mutating func readMaps(_ file: ELFFile, _ types: TypeTable) throws(BPFError) -> [MapPlace] {
        guard let section = file.section(".maps") else { return [] }
        var places: [MapPlace] = []
        for (name, type) in types.variables(in: ".maps") {
            let symbol = file.symbols.first { $0.section == section && $0.name == name }
            guard let symbol, case .structure(let members, let byteCount) = types.resolved(type)?.kind else {
                throw BPFError(.badTypes, .map(name))
            }
            var reader = DefinitionReader(types: types, name: name)
            for member in members { try reader.read(member) }
            places.append(
                MapPlace(
                    offset: symbol.value, map: maps.count, valuesOffset: reader.valuesOffset,
                    byteCount: max(byteCount, symbol.byteCount)))
            maps.append(try reader.definition())
        }
        for symbol in file.symbols where symbol.section == section && symbol.kind == ELFFile.Symbol.Kind.object {
            guard places.contains(where: { $0.offset == symbol.value }) else {
                throw BPFError(.badTypes, .map(symbol.name))
            }
        }
        return places
    }

    /// Makes a map of each data section, by section number.
    mutating func readData(_ file: ELFFile, _ types: TypeTable) throws(BPFError) -> [(section: Int, map: Int)] {
        var found: [(section: Int, map: Int)] = []
        for (number, section) in file.sections.enumerated() {
            let prefixes = [".rodata", ".data", ".bss"]
            guard section.isAllocated, section.byteCount > 0,
                prefixes.contains(where: { section.name == $0 || section.name.hasPrefix($0 + ".") })
            else { continue }
            guard try file.relocations(of: number).isEmpty else {
                throw BPFError(.badRelocation, .section(section.name, offset: 0))
            }
            guard section.byteCount <= 1 << 20 else {
                throw BPFError(.badMapSize, .section(section.name, offset: 0))
            }
            var map = MapDefinition(
                name: section.name, kind: .array, keySize: 4, valueSize: section.byteCount, maxEntries: 1)
            let isZero = section.kind == ELFFile.Section.Kind.noBits
            map.content = isZero ? Array(repeating: 0, count: section.byteCount) : file.content(of: number)
            map.isReadOnly = section.name.hasPrefix(".rodata")
            for (name, type) in types.variables(in: section.name) {
                let symbol = file.symbols.first { $0.section == number && $0.name == name }
                guard let symbol, let byteCount = types.byteCount(of: type) else { continue }
                guard byteCount >= 0, symbol.value + byteCount <= section.byteCount else {
                    throw BPFError(.badTypes, .variable(name))
                }
                variables.append(
                    Variable(name: name, map: maps.count, offset: symbol.value, byteCount: byteCount))
            }
            found.append((number, maps.count))
            maps.append(map)
        }
        return found
    }

    /// Puts the programs that a program array's definition names into it.
    mutating func readProgramArrays(_ file: ELFFile, _ places: [MapPlace]) throws(BPFError) {
        guard let section = file.section(".maps") else { return }
        for relocation in try file.relocations(of: section) {
            let here = BPFError.Place.section(".maps", offset: relocation.offset)
            let place = places.first { $0.offset <= relocation.offset && relocation.offset < $0.offset + $0.byteCount }
            guard let place, let values = place.valuesOffset, relocation.offset >= place.offset + values,
                maps[place.map].kind == .programArray
            else { throw BPFError(.badRelocation, here) }
            let name = file.symbols[relocation.symbol].name
            guard program(name) != nil else { throw BPFError(.undefinedSymbol(name), here) }
            maps[place.map].programs.append(((relocation.offset - place.offset - values) / 8, name))
        }
    }
}

/// Gathers what the members of a map's definition say.
private struct DefinitionReader {
    let types: TypeTable
    let name: String
    private(set) var valuesOffset: Int?
    private var kind: UInt64 = 0
    private var keySize = 0
    private var valueSize = 0
    private var maxEntries = 0
    private var flags: UInt32 = 0

    init(types: TypeTable, name: String) {
        self.types = types
        self.name = name
    }

    mutating func read(_ member: TypeTable.Member) throws(BPFError) {
        switch member.name {
        case "type": kind = UInt64(try number(member))
        case "key": keySize = try size(member)
        case "value": valueSize = try size(member)
        case "key_size": keySize = try number(member)
        case "value_size": valueSize = try number(member)
        case "max_entries": maxEntries = try number(member)
        case "map_flags": flags = UInt32(truncatingIfNeeded: try number(member))
        case "values": valuesOffset = member.bitOffset / 8
        // What matters to a kernel alone.
        case "pinning", "numa_node", "map_extra": break
        default: throw BPFError(.unknownMapMember(member.name), .map(name))
        }
    }

    func definition() throws(BPFError) -> MapDefinition {
        guard let known = UInt32(exactly: kind).flatMap(MapKind.init) else {
            throw BPFError(.unknownMapKind(kind), .map(name))
        }
        // A program array's values are four octets whatever type its definition gives them.
        let (key, value) = known == .programArray ? (4, 4) : (keySize, valueSize)
        return MapDefinition(
            name: name, kind: known, keySize: key, valueSize: value, maxEntries: maxEntries, flags: flags)
    }

    /// `__uint(name, number)` is a pointer to an array of that many.
    private func number(_ member: TypeTable.Member) throws(BPFError) -> Int {
        guard case .pointer(let target) = types.resolved(member.type)?.kind,
            case .array(_, let count) = types.resolved(target)?.kind
        else { throw BPFError(.badTypes, .map(name)) }
        return count
    }

    /// `__type(name, type)` is a pointer to the type.
    private func size(_ member: TypeTable.Member) throws(BPFError) -> Int {
        guard case .pointer(let target) = types.resolved(member.type)?.kind,
            let byteCount = types.byteCount(of: target)
        else { throw BPFError(.badTypes, .map(name)) }
        return byteCount
    }
}

/// The types that an object describes itself with (BTF), as far as its maps and variables need them.
struct TypeTable {
    struct Member: Equatable {
        var name: String
        var type: Int
        var bitOffset: Int
    }

    enum Kind: Equatable {
        case void
        case integer(byteCount: Int)
        case pointer(Int)
        case array(element: Int, count: Int)
        case structure([Member], byteCount: Int)
        /// A typedef or a qualifier.
        case alias(Int)
        case variable(Int)
        case section([Member])
        case other
    }

    struct Entry: Equatable {
        var name: String
        var kind: Kind
    }

    /// By type number; number 0 is void.
    private(set) var entries = [Entry(name: "", kind: .void)]

    private static let magic: UInt16 = 0xEB9F
    /// Types may refer to one another in a ring; no honest one is deeper.
    private static let depthLimit = 32
    private static let largestByteCount = 1 << 32

    init() {}

    /// Reads the section called `section`.
    init(_ octets: [UInt8], section: String) throws(BPFError) {
        do throws(BPFError) {
            try read(octets)
        } catch {
            guard case .file(let offset) = error.place else { throw error }
            throw BPFError(.badTypes, .section(section, offset: offset))
        }
    }

    private mutating func read(_ octets: [UInt8]) throws(BPFError) {
        let reader = OctetReader(octets)
        guard try reader.half(0) == Self.magic, octets.count > 2, octets[2] == 1 else {
            throw BPFError(.badTypes, .file(offset: 0))
        }
        let header = Int(try reader.word(4))
        let (typeStart, typeCount) = (header + Int(try reader.word(8)), Int(try reader.word(12)))
        let (stringStart, stringCount) = (header + Int(try reader.word(16)), Int(try reader.word(20)))
        guard typeStart + typeCount <= octets.count, stringStart + stringCount <= octets.count else {
            throw BPFError(.badTypes, .file(offset: 8))
        }
        let strings = stringStart..<stringStart + stringCount
        var place = typeStart
        while place < typeStart + typeCount {
            let name = try reader.string(Int(try reader.word(place)), in: strings)
            let (kind, length) = try self.kind(at: place, reader, strings)
            entries.append(Entry(name: name, kind: kind))
            place += 12 + length
        }
    }

    /// What a type is, and how many octets follow its first twelve (Linux, `Documentation/bpf/btf.rst`).
    private func kind(
        at place: Int, _ reader: OctetReader, _ strings: Range<Int>
    ) throws(BPFError) -> (Kind, length: Int) {
        let info = try reader.word(place + 4)
        let size = Int(try reader.word(place + 8))
        let (count, hasBitfields) = (Int(info & 0xFFFF), info >> 31 != 0)
        let rest = place + 12
        switch info >> 24 & 0x1F {
        case 1: return (.integer(byteCount: size), 4)
        case 2: return (.pointer(size), 0)
        case 3:
            return (.array(element: Int(try reader.word(rest)), count: Int(try reader.word(rest + 8))), 12)
        case 4, 5:
            var members: [Member] = []
            for index in 0..<count {
                let here = rest + 12 * index
                let offset = Int(try reader.word(here + 8))
                members.append(
                    Member(
                        name: try reader.string(Int(try reader.word(here)), in: strings),
                        type: Int(try reader.word(here + 4)), bitOffset: hasBitfields ? offset & 0xFF_FFFF : offset))
            }
            return (.structure(members, byteCount: size), 12 * count)
        case 6: return (.integer(byteCount: size), 8 * count)
        case 7, 12: return (.other, 0)
        case 8, 9, 10, 11, 18: return (.alias(size), 0)
        case 13: return (.other, 8 * count)
        case 14: return (.variable(size), 4)
        case 15:
            var members: [Member] = []
            for index in 0..<count {
                let here = rest + 12 * index
                members.append(
                    Member(name: "", type: Int(try reader.word(here)), bitOffset: 8 * Int(try reader.word(here + 4))))
            }
            return (.section(members), 12 * count)
        case 16: return (.integer(byteCount: size), 0)
        case 17: return (.other, 4)
        case 19: return (.integer(byteCount: size), 12 * count)
        default: throw BPFError(.badTypes, .file(offset: place))
        }
    }

    /// A type with typedefs and qualifiers taken off; nil where there is none.
    func resolved(_ type: Int) -> Entry? {
        var type = type
        for _ in 0..<Self.depthLimit {
            guard entries.indices.contains(type) else { return nil }
            guard case .alias(let next) = entries[type].kind else { return entries[type] }
            type = next
        }
        return nil
    }

    /// How many octets a value of a type takes; nil for what has no size.
    func byteCount(of type: Int, depth: Int = 0) -> Int? {
        guard depth < Self.depthLimit, let entry = resolved(type) else { return nil }
        switch entry.kind {
        case .integer(let byteCount), .structure(_, let byteCount): return byteCount
        case .pointer: return 8
        case .array(let element, let count):
            guard let size = byteCount(of: element, depth: depth + 1) else { return nil }
            let (product, overflows) = size.multipliedReportingOverflow(by: count)
            return overflows || product > Self.largestByteCount ? nil : product
        case .variable(let type): return byteCount(of: type, depth: depth + 1)
        case .void, .alias, .section, .other: return nil
        }
    }

    /// The variables of a section, in order.
    func variables(in section: String) -> [(name: String, type: Int)] {
        for entry in entries where entry.name == section {
            guard case .section(let members) = entry.kind else { continue }
            return members.compactMap { member in
                guard entries.indices.contains(member.type), case .variable(let type) = entries[member.type].kind else {
                    return nil
                }
                return (entries[member.type].name, type)
            }
        }
        return []
    }
}

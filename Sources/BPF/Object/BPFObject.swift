// A compiled eBPF object, as clang writes it for `-target bpf`, and what running it needs:
//
// - way in: the octets of an ELF file (`BPFObject(parsing:)`), or bare instructions with their maps;
// - its sections are read, the `.maps` section by the types beside it (BTF), the functions of all
//   code sections joined into one list of instructions, references to maps, data and functions resolved;
// - constants of `.rodata` may be set by name, map sizes changed, and only then is it loaded: an
//   `XDPMachine` checks the instructions, makes the maps and runs programs on packets;
// - way out: a verdict for each packet, what the maps hold, records of ring buffers.
//
// Sources: RFC 9669 for instructions; the ELF and BTF pages of the Linux kernel's documentation;
// helpers and maps answer as Linux 6.18 does.

/// Programs and maps of one object file, joined and resolved, but not yet checked.
public struct BPFObject: Equatable, Sendable {
    /// A function that can be run on a packet.
    public struct Program: Equatable, Sendable {
        public var name: String
        public var section: String
        /// The slot in ``code`` at which it starts.
        public var start: Int
    }

    /// A variable in one of the data maps.
    public struct Variable: Equatable, Sendable {
        public var name: String
        public var map: Int
        public var offset: Int
        public var byteCount: Int
    }

    /// Every function of the object, one behind the other, eight octets a slot; map references are indices.
    public internal(set) var code: [UInt8]
    public internal(set) var programs: [Program]
    public internal(set) var maps: [MapDefinition]
    public internal(set) var variables: [Variable]
    public internal(set) var licence: String
    /// Slots at which functions start that are no programs.
    var functions: [Int] = []

    /// Bare instructions as one program, `main`; an immediate that names a map is its index in `maps`.
    public init(code: [UInt8], maps: [MapDefinition] = [], licence: String = "GPL") {
        self.code = code
        self.maps = maps
        self.licence = licence
        programs = [Program(name: "main", section: "", start: 0)]
        variables = []
    }

    init() {
        self.init(code: [], licence: "")
        programs = []
    }

    /// The index of a program.
    public func program(_ name: String) -> Int? {
        programs.firstIndex { $0.name == name }
    }

    /// The index of a map.
    public func map(_ name: String) -> Int? {
        maps.firstIndex { $0.name == name }
    }

    /// Whether the licence lets programs call helpers that are the GPL's.
    public var isGPLCompatible: Bool {
        let compatible = ["GPL", "GPL v2", "GPL and additional rights", "Dual BSD/GPL", "Dual MIT/GPL", "Dual MPL/GPL"]
        return compatible.contains(licence)
    }

    /// Gives a variable its value before anything is loaded.
    public mutating func set(_ variable: String, to octets: [UInt8]) throws(BPFError) {
        guard let found = variables.first(where: { $0.name == variable }) else {
            throw BPFError(.unknownName(variable), .variable(variable))
        }
        guard found.byteCount == octets.count else {
            throw BPFError(.wrongSize(expected: found.byteCount), .variable(variable))
        }
        maps[found.map].content.replaceSubrange(found.offset..<found.offset + found.byteCount, with: octets)
    }

    /// Gives a variable that is an integer its value before anything is loaded.
    public mutating func set(_ variable: String, to value: some FixedWidthInteger) throws(BPFError) {
        let octets = withUnsafeBytes(of: value.littleEndian) { [UInt8]($0) }
        try set(variable, to: octets)
    }

    /// Changes how many entries a map has room for.
    public mutating func resize(_ map: String, to maxEntries: Int) throws(BPFError) {
        guard let index = self.map(map), maps[index].content.isEmpty else {
            throw BPFError(.unknownName(map), .map(map))
        }
        maps[index].maxEntries = maxEntries
    }
}

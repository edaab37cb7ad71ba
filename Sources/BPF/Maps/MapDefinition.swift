/// One map of an object: what kind it is, how large, and what it holds from the start.
public struct MapDefinition: Equatable, Sendable {
    /// `BPF_F_NO_PREALLOC`, which a prefix map has to ask for.
    public static let noPreallocation: UInt32 = 1

    public var name: String
    public var kind: MapKind
    public var keySize: Int
    public var valueSize: Int
    public var maxEntries: Int
    public var flags: UInt32
    /// The value of key 0 from the start, for the object's own data; empty for any other map.
    public var content: [UInt8] = []
    /// Whether neither programs nor anybody else may write it once it is loaded.
    public var isReadOnly = false
    /// Which programs a program array holds from the start, by name.
    public var programs: [(index: Int, name: String)] = []

    public init(
        name: String, kind: MapKind, keySize: Int, valueSize: Int, maxEntries: Int, flags: UInt32 = 0
    ) {
        self.name = name
        self.kind = kind
        self.keySize = keySize
        self.valueSize = valueSize
        self.maxEntries = maxEntries
        self.flags = flags
    }

    public static func == (left: MapDefinition, right: MapDefinition) -> Bool {
        left.name == right.name && left.kind == right.kind && left.keySize == right.keySize
            && left.valueSize == right.valueSize && left.maxEntries == right.maxEntries && left.flags == right.flags
            && left.content == right.content && left.isReadOnly == right.isReadOnly
            && left.programs.elementsEqual(right.programs) { $0 == $1 }
    }

    /// How much memory one map may take.
    private static let largestByteCount = 1 << 29
    /// What a map keeps for an entry beside its key, twice in a tree of prefixes, and its value.
    private static let entryByteCount = 40

    /// Why Linux would refuse to make such a map; nil where it would not.
    var fault: BPFError.Fault? {
        guard maxEntries > 0, 0...1 << 20 ~= valueSize else { return .badMapSize }
        guard 0...512 ~= keySize, maxEntries <= Self.largestByteCount else { return .badMapSize }
        let entry = kind == .ring ? 2 : valueSize + 3 * keySize + Self.entryByteCount
        guard maxEntries * entry <= Self.largestByteCount else { return .badMapSize }
        let isSized: Bool
        switch kind {
        case .array, .perCPUArray: isSized = keySize == 4 && valueSize > 0
        case .programArray: isSized = keySize == 4 && valueSize == 4
        case .devices, .devicesHash: isSized = keySize == 4 && (valueSize == 4 || valueSize == 8)
        case .hash, .perCPUHash, .recentHash, .perCPURecentHash: isSized = 1...512 ~= keySize && valueSize > 0
        case .prefixes: isSized = 5...260 ~= keySize && valueSize > 0
        case .ring:
            isSized = keySize == 0 && valueSize == 0 && maxEntries % 4_096 == 0 && maxEntries & (maxEntries - 1) == 0
        }
        guard isSized else { return .badMapSize }
        if kind == .prefixes, flags & Self.noPreallocation == 0 { return .badMapFlags }
        return nil
    }
}

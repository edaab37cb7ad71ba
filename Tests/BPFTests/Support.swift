import BPF
import Basics
import Testing

/// A machine's maps and programs by name, with octets as arrays.
extension XDPMachine {
    struct Absent: Error {
        let name: String
    }

    func index(ofMap name: String) throws -> Int {
        guard let index = map(name) else { throw Absent(name: name) }
        return index
    }

    func index(ofProgram name: String) throws -> Int {
        guard let index = program(name) else { throw Absent(name: name) }
        return index
    }

    func value(_ map: Int, _ key: [UInt8]) throws(MapError) -> [UInt8]? {
        var octets = [UInt8](repeating: 0, count: maps[map].valueSize)
        var bytes = octets.mutableSpan
        var span = bytes.mutableBytes
        return try lookUp(map, key: key.span.bytes, into: &span) ? octets : nil
    }

    mutating func put(_ map: Int, _ key: [UInt8], _ value: [UInt8], _ asked: MapUpdate = .any) throws(MapError) {
        try update(map, key: key.span.bytes, value: value.span.bytes, asked)
    }

    mutating func remove(_ map: Int, _ key: [UInt8]) throws(MapError) {
        try delete(map, key: key.span.bytes)
    }

    /// All keys, in the order in which the map is walked.
    func keys(_ map: Int) throws(MapError) -> [[UInt8]] {
        var found: [[UInt8]] = []
        var key = [UInt8](repeating: 0, count: maps[map].keySize)
        var isThere = try withSpan(&key) { (span) throws(MapError) in try firstKey(map, into: &span) }
        while isThere {
            found.append(key)
            let last = key
            isThere = try withSpan(&key) { (span) throws(MapError) in
                try nextKey(map, after: last.span.bytes, into: &span)
            }
        }
        return found
    }

    private func withSpan(
        _ octets: inout [UInt8], _ body: (inout MutableRawSpan) throws(MapError) -> Bool
    ) throws(MapError) -> Bool {
        var bytes = octets.mutableSpan
        var span = bytes.mutableBytes
        return try body(&span)
    }
}

extension [UInt8] {
    /// A number as so many octets, the lowest first.
    init(_ number: UInt64, count: Int = 4) {
        self = (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt64(8 * $0)) }
    }

    /// The number that eight octets, or what there is, stand for, the lowest first.
    func number(at place: Int = 0, count: Int = 8) -> UInt64 {
        self[place...].prefix(count).reversed().reduce(0) { $0 << 8 | UInt64($1) }
    }
}

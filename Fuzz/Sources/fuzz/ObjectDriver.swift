import BPF
import Basics

/// Loads an eBPF object, or instructions that nobody verified, and runs its programs on a frame.
enum ObjectDriver {
    private static let budget = 2_000

    /// An object's maps may be large; what is not small is not made.
    static func load(_ octets: [UInt8]) {
        guard let object = try? BPFObject(parsing: octets),
            object.maps.allSatisfy({ $0.maxEntries <= 4_096 && $0.valueSize <= 256 }), object.maps.count <= 16
        else { return }
        run(object)
    }

    /// Instructions with a map of each family.
    static func run(_ code: [UInt8]) {
        func map(_ kind: MapKind, key: Int, value: Int, entries: Int, flags: UInt32 = 0) -> MapDefinition {
            MapDefinition(
                name: "map", kind: kind, keySize: key, valueSize: value, maxEntries: entries, flags: flags)
        }
        let maps = [
            map(.array, key: 4, value: 12, entries: 3), map(.hash, key: 6, value: 8, entries: 3),
            map(.recentHash, key: 4, value: 8, entries: 3), map(.prefixes, key: 8, value: 8, entries: 3, flags: 1),
            map(.devices, key: 4, value: 4, entries: 3), map(.ring, key: 0, value: 0, entries: 4_096),
            map(.programArray, key: 4, value: 4, entries: 3),
        ]
        run(BPFObject(code: code, maps: maps))
    }

    private static func run(_ object: BPFObject) {
        guard var machine = try? XDPMachine(object, random: SeededRandom(seed: 1)) else { return }
        machine.budget = budget
        var buffer = (0..<400).map { UInt8(truncatingIfNeeded: $0) }
        for program in machine.programs.indices.prefix(4) {
            for _ in 0..<2 {
                let result = buffer.withUnsafeMutableBytes {
                    machine.run(program, on: $0, frame: 256..<320, ingress: 1, at: Instant(nanoseconds: 1))
                }
                precondition(result.instructions <= budget)
                precondition(result.frame.lowerBound >= 40 && result.frame.upperBound <= buffer.count)
                precondition(result.frame.count >= 14)
            }
        }
        for map in machine.maps.indices where machine.maps[map].kind == .ring { machine.drain(map) { _ in } }
    }
}

import Basics
import Dataplane
import Glibc
import LinuxSystem
import Wire

/// What a run of the program made of a frame.
struct Outcome: Equatable {
    var verdict: DataplaneVerdict?
    var octets: [UInt8]
}

/// The program in this machine's kernel, on virtual time, run packet by packet.
final class KernelDataplane {
    private let kernel: LinuxSystem.KernelDataplane
    private var output: [UInt8] = []
    private var control: DataplaneControl<KernelDataplaneMaps>

    /// Only root may load programs.
    static let isPossible = geteuid() == 0

    init(limits: FloodGuardLimits = FloodGuardLimits(), _ change: (inout DataplaneSwitches) -> Void = { _ in }) throws {
        var switches = DataplaneSwitches()
        switches.virtualClock = true
        change(&switches)
        let kernel = try LinuxSystem.KernelDataplane(switches: switches)
        control = try DataplaneControl(kernel.maps(in: .current()), limits: limits)
        self.kernel = kernel
    }

    func apply(_ changes: DataplaneChange...) throws {
        for change in changes { try control.apply(change) }
    }

    func read<Value>(_ body: (inout DataplaneControl<KernelDataplaneMaps>) throws -> Value) rethrows -> Value {
        try body(&control)
    }

    var time = Instant.zero {
        didSet { try? control.apply(.setTime(time)) }
    }

    /// One frame through the program, or the same one many times over.
    @discardableResult
    func run(_ frame: [UInt8], count: Int = 1) throws -> Outcome {
        let result = try kernel.program.run(on: frame.span.bytes, times: count, into: &output)
        return Outcome(verdict: DataplaneVerdict(rawValue: result.verdict), octets: output)
    }

    /// Runs a frame and says which cause was counted for it.
    func cause(_ frame: [UInt8]) throws -> DataplaneCause? {
        let before = try control.counters()
        try run(frame)
        let after = try control.counters()
        let counted = DataplaneCause.allCases.filter { $0.verdict != nil && before[$0] != after[$0] }
        return counted.count == 1 ? counted[0] : nil
    }

    /// All records in the ring of samples.
    func samples() throws -> [DataplaneSample] {
        var ring = try RingBuffer(kernel.object.map(DataplaneMap.samples.rawValue))
        var samples: [DataplaneSample?] = []
        try ring.poll { samples.append(DataplaneSample(parsing: $0)) }
        return samples.compactMap { $0 }
    }

    /// Names and sizes of the maps as the kernel has them.
    func layout() throws -> [(name: String, key: Int, value: Int)] {
        try DataplaneMap.allCases.map { map in
            let found = try kernel.object.map(map.rawValue)
            return (found.name, found.keySize, found.valueSize)
        }
    }

    var constantsSize: Int {
        get throws { try kernel.object.map(".rodata").valueSize }
    }
}

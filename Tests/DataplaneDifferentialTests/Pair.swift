import BPF
import Basics
import Dataplane
import LinuxSystem
import Testing

/// The same octets twice, in the kernel and in the interpreter, with the same maps and the same time.
///
/// Lives on one thread in one namespace, whose ports exist.
struct Pair: ~Copyable {
    private let kernel: KernelDataplane
    private var kernelControl: DataplaneControl<KernelDataplaneMaps>
    private var control: DataplaneControl<InterpretedMaps>
    private var samples: RingBuffer
    private var output: [UInt8] = []
    private var buffer = [UInt8](repeating: 0, count: 256 + 4_096)
    private let processor: Int

    init(in namespace: borrowing NetworkNamespace, switches: DataplaneSwitches, processor: Int) throws {
        let kernel = try KernelDataplane(switches: switches)
        let kernelControl = try DataplaneControl(kernel.maps(in: namespace.shared()))
        let samples = try RingBuffer(kernel.object.map("samples"))
        var object = try BPFObject(parsing: DataplaneProgram.octets)
        try object.set(DataplaneSwitches.variable, to: switches.octets)
        let maps = try InterpretedMaps(machine: XDPMachine(object, random: SeededRandom(seed: 1)))
        control = try DataplaneControl(maps)
        self.samples = samples
        self.kernelControl = kernelControl
        self.kernel = kernel
        self.processor = processor
    }

    /// Makes a change in both, which must take it or refuse it alike.
    mutating func apply(_ change: DataplaneChange) throws {
        var errors: [DataplaneError?] = [nil, nil]
        do throws(DataplaneError) { try kernelControl.apply(change) } catch { errors[0] = error }
        do throws(DataplaneError) { try control.apply(change) } catch { errors[1] = error }
        try #require((errors[0] == nil) == (errors[1] == nil), "\(change): \(errors)")
    }

    /// Runs a frame through both and says how they differ; nil where they do not.
    mutating func difference(on frame: [UInt8], port: UInt32) throws -> String? {
        let theirs = try kernel.program.run(on: frame.span.bytes, from: InterfaceIndex(port), into: &output)
        buffer.withUnsafeMutableBytes { place in frame.withUnsafeBytes { place[256...].copyBytes(from: $0) } }
        let range = 256..<256 + frame.count
        let ours = buffer.withUnsafeMutableBytes {
            control.maps.machine.run(0, on: $0, frame: range, ingress: port, at: .zero)
        }
        let isSame = output.elementsEqual(buffer[ours.frame])
        if ours.fault == nil, ours.verdict.rawValue == theirs.verdict, isSame { return nil }
        return "kernel \(theirs.verdict) \(output), interpreter \(ours.verdict) \(Array(buffer[ours.frame])) "
            + "\(String(describing: ours.fault)), for \(frame) by port \(port)"
    }

    /// Takes the samples of both and says whether they are the same.
    mutating func drain() throws -> Bool {
        var theirs: [[UInt8]] = []
        try samples.poll { theirs.append($0.withUnsafeBytes { Array($0) }) }
        var ours: [[UInt8]] = []
        if let ring = control.maps.machine.map("samples") {
            control.maps.machine.drain(ring) { ours.append($0.withUnsafeBytes { Array($0) }) }
        }
        return ours == theirs
    }

    /// The names of maps that differ; `largest` leaves out those of more entries.
    mutating func differences(largest: Int = .max) throws -> [String] {
        var names: [String] = []
        for (index, map) in control.maps.machine.maps.enumerated() {
            guard ![".rodata", "samples"].contains(map.name), map.maxEntries <= largest else { continue }
            var theirs: [[UInt8]: [UInt8]] = [:]
            let kernelMap = try kernel.object.map(map.name)
            let (stride, isEach) = (kernelMap.valueStride, kernelMap.hasValueForEachCPU)
            let start = isEach ? processor * stride : 0
            let size = map.valueSize
            try kernelMap.forEachEntry { key, value in
                let mine = value.extracting(start..<start + size)
                if map.kind.isEverywhere, !mine.hasContent { return }
                theirs[key.withUnsafeBytes { Array($0) }] = mine.withUnsafeBytes { Array($0) }
            }
            if try entries(index, map) != theirs { names.append(map.name) }
        }
        return names
    }

    /// How many flows there are.
    mutating func flowCount() throws -> Int { try control.flows().count }

    /// The counters, which are the same in both.
    mutating func counters() throws -> DataplaneCounters { try control.counters() }

    private mutating func entries(_ index: Int, _ map: MapDefinition) throws -> [[UInt8]: [UInt8]] {
        map.kind.isEverywhere ? try places(index, map) : try keys(index, map)
    }

    /// What an array holds, where that is not all 0.
    private mutating func places(_ index: Int, _ map: MapDefinition) throws -> [[UInt8]: [UInt8]] {
        var found: [[UInt8]: [UInt8]] = [:]
        var value = [UInt8](repeating: 0, count: map.valueSize)
        for place in 0..<UInt32(map.maxEntries) {
            let key = [place]
            var valueSpan = value.mutableSpan
            var valueOctets = valueSpan.mutableBytes
            guard try control.maps.machine.lookUp(index, key: key.span.bytes, into: &valueOctets),
                value.span.bytes.hasContent
            else { continue }
            found[key.span.bytes.withUnsafeBytes { Array($0) }] = value
        }
        return found
    }

    private mutating func keys(_ index: Int, _ map: MapDefinition) throws -> [[UInt8]: [UInt8]] {
        var found: [[UInt8]: [UInt8]] = [:]
        var key = [UInt8](repeating: 0, count: map.keySize)
        var value = [UInt8](repeating: 0, count: map.valueSize)
        var isFirst = true
        while true {
            let former = key
            var keySpan = key.mutableSpan
            var keyOctets = keySpan.mutableBytes
            let isThere =
                isFirst
                ? try control.maps.machine.firstKey(index, into: &keyOctets)
                : try control.maps.machine.nextKey(index, after: former.span.bytes, into: &keyOctets)
            guard isThere else { return found }
            isFirst = false
            var valueSpan = value.mutableSpan
            var valueOctets = valueSpan.mutableBytes
            if try control.maps.machine.lookUp(index, key: key.span.bytes, into: &valueOctets) { found[key] = value }
        }
    }
}

extension MapKind {
    /// Whether a map has a value, if only zeros, for each of its keys from the start.
    fileprivate var isEverywhere: Bool { self == .array || self == .perCPUArray }
}

extension RawSpan {
    fileprivate var hasContent: Bool { withUnsafeBytes { $0.contains { $0 != 0 } } }
}

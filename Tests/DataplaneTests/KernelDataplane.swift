import Basics
import CTestBPF
import Dataplane
import Glibc
import Wire

/// What a run of the program made of a frame.
struct Outcome: Equatable {
    var verdict: DataplaneVerdict?
    var octets: [UInt8]
}

struct KernelError: Error {
    var step: String
    var code: Int32
}

/// The program in this machine's kernel, on virtual time, run packet by packet.
final class KernelDataplane {
    private let object: OpaquePointer
    private let program: Int32
    private var output = [UInt8](repeating: 0, count: 4096)
    private let maps: KernelMaps
    private var control: DataplaneControl<KernelMaps>

    /// Only root may load programs.
    static let isPossible = geteuid() == 0

    init(limits: FloodGuardLimits = FloodGuardLimits(), _ change: (inout DataplaneSwitches) -> Void = { _ in }) throws {
        var switches = DataplaneSwitches()
        switches.virtualClock = true
        change(&switches)
        let octets = DataplaneProgram.octets
        var options = bpf_object_open_opts()
        options.sz = MemoryLayout<bpf_object_open_opts>.size
        let opened = octets.withUnsafeBytes { bpf_object__open_mem($0.baseAddress, $0.count, &options) }
        guard let opened else { throw KernelError(step: "open", code: errno) }
        object = opened
        let constants = bpf_object__find_map_by_name(object, ".rodata")
        let code = switches.octets.withUnsafeBytes {
            bpf_map__set_initial_value(constants, $0.baseAddress, $0.count)
        }
        guard code == 0 else { throw KernelError(step: "constants", code: code) }
        let loaded = bpf_object__load(object)
        guard loaded == 0 else { throw KernelError(step: "load", code: loaded) }
        program = bpf_program__fd(bpf_object__find_program_by_name(object, DataplaneProgram.entryPoint))
        var descriptors: [DataplaneMap: Int32] = [:]
        for map in DataplaneMap.allCases {
            descriptors[map] = bpf_object__find_map_fd_by_name(object, map.rawValue)
        }
        maps = KernelMaps(descriptors: descriptors, processorCount: Int(libbpf_num_possible_cpus()))
        control = try DataplaneControl(maps, limits: limits)
    }

    deinit {
        bpf_object__close(object)
    }

    func apply(_ changes: DataplaneChange...) throws {
        for change in changes { try control.apply(change) }
    }

    func read<Value>(_ body: (inout DataplaneControl<KernelMaps>) throws -> Value) rethrows -> Value {
        try body(&control)
    }

    var time = Instant.zero {
        didSet { try? control.apply(.setTime(time)) }
    }

    /// One frame through the program, or the same one many times over.
    @discardableResult
    func run(_ frame: [UInt8], count: Int32 = 1, duration: UnsafeMutablePointer<UInt32>? = nil) throws -> Outcome {
        var options = bpf_test_run_opts()
        options.sz = MemoryLayout<bpf_test_run_opts>.size
        options.repeat = count
        let code = frame.withUnsafeBytes { input in
            output.withUnsafeMutableBytes { output in
                options.data_in = input.baseAddress
                options.data_size_in = UInt32(input.count)
                options.data_out = output.baseAddress
                options.data_size_out = UInt32(output.count)
                return bpf_prog_test_run_opts(program, &options)
            }
        }
        guard code == 0 else { throw KernelError(step: "run", code: code) }
        duration?.pointee = options.duration
        return Outcome(
            verdict: DataplaneVerdict(rawValue: options.retval), octets: Array(output[..<Int(options.data_size_out)]))
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
        final class Sink {
            var samples: [DataplaneSample?] = []
        }
        let sink = Sink()
        let ring = ring_buffer__new(
            maps.descriptors[.samples] ?? -1,
            { context, data, size in
                guard let context, let data else { return 0 }
                let sink = Unmanaged<Sink>.fromOpaque(context).takeUnretainedValue()
                let record = Array(UnsafeRawBufferPointer(start: data, count: size))
                sink.samples.append(DataplaneSample(parsing: record.span.bytes))
                return 0
            }, Unmanaged.passUnretained(sink).toOpaque(), nil)
        defer { ring_buffer__free(ring) }
        let count = ring_buffer__consume(ring)
        guard count >= 0 else { throw KernelError(step: "samples", code: count) }
        return sink.samples.compactMap { $0 }
    }

    /// The program's own running time: nanoseconds, and how many runs they are of.
    func runningTime() throws -> (nanoseconds: UInt64, runs: UInt64) {
        var info = bpf_prog_info()
        var size = UInt32(MemoryLayout<bpf_prog_info>.size)
        let code = bpf_obj_get_info_by_fd(program, &info, &size)
        guard code == 0 else { throw KernelError(step: "info", code: code) }
        return (info.run_time_ns, info.run_cnt)
    }

    /// Names and sizes of the maps as libbpf reads them, and the constants' size.
    func layout() -> [(name: String, key: Int, value: Int)] {
        DataplaneMap.allCases.map { map in
            let found = bpf_object__find_map_by_name(object, map.rawValue)
            return (map.rawValue, Int(bpf_map__key_size(found)), Int(bpf_map__value_size(found)))
        }
    }

    var constantsSize: Int { Int(bpf_map__value_size(bpf_object__find_map_by_name(object, ".rodata"))) }
}

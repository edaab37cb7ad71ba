public import Basics

/// One object, loaded: its programs run on packets, its maps are there to read and write.
///
/// Everything is deterministic: time and chance are handed in, one processor (number 0) runs
/// programs, so that per-CPU maps hold one value a key, and a map is walked in the order of its slots.
public struct XDPMachine: ~Copyable {
    /// So many instructions may a program run for one packet.
    public static var defaultBudget: Int { 1_000_000 }

    public let programs: [BPFObject.Program]
    public let maps: [MapDefinition]
    /// How many instructions a program may run before it is stopped.
    public var budget = XDPMachine.defaultBudget
    var interpreter: Interpreter

    /// Checks the object's code and makes its maps.
    public init(_ object: BPFObject, random: SeededRandom) throws(BPFError) {
        guard !object.programs.isEmpty else { throw BPFError(.noProgram, .object) }
        var region = AddressSpace.firstFree
        var loaded: [ProgramLoader.LoadedMap] = []
        for definition in object.maps {
            if let fault = definition.fault { throw BPFError(fault, .map(definition.name)) }
            let byteCount = BPFMap.valuesByteCount(definition)
            guard definition.content.count <= byteCount else { throw BPFError(.badMapSize, .map(definition.name)) }
            loaded.append(
                ProgramLoader.LoadedMap(address: AddressSpace.address(of: region), byteCount: definition.content.count))
            region += AddressSpace.regions(for: byteCount)
            guard region <= AddressSpace.count else { throw BPFError(.tooManyMaps, .map(definition.name)) }
        }
        let entries = object.programs.map(\.start) + object.functions
        let code = try ProgramLoader.load(
            object.code, entries: entries, maps: loaded, isGPL: object.isGPLCompatible)
        let initial = try Self.programArrays(object)
        let interpreter = Self.assemble(object, code, random)
        for (map, index, program) in initial { interpreter.environment.maps[map].hold(program, at: index) }
        programs = object.programs
        maps = object.maps
        self.interpreter = interpreter
    }

    /// What the program arrays hold from the start, once it is known that it is there.
    private static func programArrays(
        _ object: BPFObject
    ) throws(BPFError) -> [(map: Int, index: Int, program: Int)] {
        var found: [(map: Int, index: Int, program: Int)] = []
        for (map, definition) in object.maps.enumerated() {
            for (index, name) in definition.programs {
                guard let program = object.program(name) else {
                    throw BPFError(.unknownName(name), .map(definition.name))
                }
                guard definition.kind == .programArray, 0..<definition.maxEntries ~= index else {
                    throw BPFError(.badMapSize, .map(definition.name))
                }
                found.append((map, index, program))
            }
        }
        return found
    }

    /// Makes the memory that programs see: maps in their order, then what a run brings.
    private static func assemble(
        _ object: BPFObject, _ code: ProgramLoader.CheckedCode, _ random: SeededRandom
    ) -> Interpreter {
        let memory = AddressSpace()
        let maps = UnsafeMutablePointer<BPFMap>.allocate(capacity: max(1, object.maps.count))
        var region = AddressSpace.firstFree
        for (index, definition) in object.maps.enumerated() {
            (maps + index).initialize(to: BPFMap(definition, region: region))
            let count = maps[index].valuesByteCount
            memory.place(maps[index].values, count: count, at: region, isWritable: !definition.isReadOnly)
            region += AddressSpace.regions(for: count)
        }
        let environment = HelperEnvironment(maps: maps, mapCount: object.maps.count, random: random)
        memory.place(
            environment.context, count: MemoryLayout<XDPContext>.size, at: AddressSpace.context, isWritable: false)
        let program = LoadedProgram(code, entries: object.programs.map(\.start))
        return Interpreter(program, memory: memory, environment: environment)
    }

    /// The index of a program, to run it by.
    public func program(_ name: String) -> Int? {
        programs.firstIndex { $0.name == name }
    }

    /// The index of a map, to reach it by.
    public func map(_ name: String) -> Int? {
        maps.firstIndex { $0.name == name }
    }

    /// The tables that `bpf_fib_lookup` answers from.
    public var forwarding: XDPForwarding {
        get { interpreter.environment.forwarding }
        set { interpreter.environment.forwarding = newValue }
    }
}

// MARK: - Running

extension XDPMachine {
    /// The largest buffer that a packet may lie in.
    public static var largestBuffer: Int { 65_536 }

    /// Runs a program on the frame that lies at `frame` of `buffer`, in place.
    ///
    /// What lies in front of the frame is its headroom, of which Linux keeps 40 of 256 octets; what lies
    /// behind it is room to grow.
    public mutating func run(
        _ program: Int, on buffer: inout MutableRawSpan, frame: Range<Int>, ingress: UInt32, queue: UInt32 = 0,
        at now: Instant
    ) -> XDPResult {
        buffer.withUnsafeMutableBytes { bytes in
            run(program, on: bytes, frame: frame, ingress: ingress, queue: queue, at: now)
        }
    }

    /// Runs a program on the frame that lies at `frame` of `buffer`, in place; nothing is kept of the buffer.
    public mutating func run(
        _ program: Int, on buffer: UnsafeMutableRawBufferPointer, frame: Range<Int>, ingress: UInt32,
        queue: UInt32 = 0, at now: Instant
    ) -> XDPResult {
        precondition(frame.lowerBound >= 0 && frame.upperBound <= buffer.count, "the frame lies in its buffer")
        precondition(buffer.count <= Self.largestBuffer, "the buffer holds one packet")
        let entry = interpreter.program.entry(of: program)
        guard let base = buffer.baseAddress else {
            return XDPResult(verdict: .aborted, target: nil, frame: frame, metadataCount: 0, instructions: 0)
        }
        interpreter.environment.now = now
        interpreter.environment.present(
            frame: frame, of: buffer.count, at: base, ingress: ingress, queue: queue)
        interpreter.memory.place(base, count: frame.upperBound, at: AddressSpace.packet, isWritable: true)
        let context = AddressSpace.address(of: AddressSpace.context)
        let ending = interpreter.run(from: entry, context, 0, budget: budget)
        interpreter.memory.place(base, count: 0, at: AddressSpace.packet, isWritable: false)
        return result(ending, entry: entry)
    }

    private func result(_ ending: Interpreter.Ending, entry: Int) -> XDPResult {
        let (frame, metadataCount) = interpreter.environment.frame
        var fault = ending.fault
        var verdict = XDPVerdict.aborted
        if fault == nil {
            if let found = XDPVerdict(rawValue: UInt32(truncatingIfNeeded: ending.value)) {
                verdict = found
            } else {
                fault = XDPFault(.badVerdict, instruction: entry)
            }
        }
        return XDPResult(
            verdict: verdict, target: verdict == .redirect ? interpreter.environment.redirect : nil, frame: frame,
            metadataCount: metadataCount, instructions: ending.instructions, fault: fault)
    }

    /// What a run on plain memory came to.
    public struct PlainResult: Equatable, Sendable, BitwiseCopyable {
        /// What the program left in its register 0; meaningless after a fault.
        public var value: UInt64
        public var instructions: Int
        public var fault: XDPFault?
    }

    /// Runs a program that is none for packets: its arguments are the address and the size of `octets`.
    public mutating func run(_ program: Int, onPlain octets: inout [UInt8], at now: Instant) -> PlainResult {
        precondition(octets.count <= Self.largestBuffer, "the memory is no larger than a packet's")
        let entry = interpreter.program.entry(of: program)
        interpreter.environment.now = now
        let ending = octets.withUnsafeMutableBytes { bytes in
            let first = AddressSpace.address(of: AddressSpace.packet)
            if let base = bytes.baseAddress {
                interpreter.memory.place(base, count: bytes.count, at: AddressSpace.packet, isWritable: true)
                interpreter.environment.present(
                    frame: 0..<bytes.count, of: bytes.count, at: base, ingress: 0, queue: 0)
            }
            let ending = interpreter.run(
                from: entry, bytes.isEmpty ? 0 : first, UInt64(bytes.count), budget: budget)
            if let base = bytes.baseAddress {
                interpreter.memory.place(base, count: 0, at: AddressSpace.packet, isWritable: false)
            }
            return ending
        }
        return PlainResult(value: ending.value, instructions: ending.instructions, fault: ending.fault)
    }
}

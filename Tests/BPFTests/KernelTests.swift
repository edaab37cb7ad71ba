import BPF
import Basics
import CBPFSyscall
import Glibc
import TestKit
import Testing

/// Programs in the kernel, by bpf(2).
struct KernelProgram: ~Copyable {
    /// Why there is no kernel to compare with; nil where there is one.
    static let absence: String? = {
        guard geteuid() == 0 else { return "only root may load programs into the kernel" }
        return KernelProgram(Assembly.move(0, 2) + Assembly.exit) == nil ? "this kernel loads no XDP program" : nil
    }()

    private let descriptor: Int32

    /// Nil where the verifier refuses.
    init?(_ code: [UInt8]) {
        descriptor = cbpfsyscall_load(code, UInt32(code.count / 8), nil, 0)
        guard descriptor >= 0 else { return nil }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
    }

    /// What the program returns for a frame, and the frame as it leaves it.
    func run(_ frame: [UInt8]) -> (verdict: UInt32, frame: [UInt8])? {
        var output = [UInt8](repeating: 0, count: 4_096)
        var (size, value, nanoseconds) = (UInt32(output.count), UInt32(0), UInt32(0))
        let result = cbpfsyscall_run(
            descriptor, frame, UInt32(frame.count), &output, &size, 1, &value, &nanoseconds)
        return result == 0 ? (value, Array(output.prefix(Int(size)))) : nil
    }
}

/// What the same program does here, and the frame with its metadata, as the kernel hands it out.
func simulate(
    _ machine: inout XDPMachine, _ frame: [UInt8], program: Int = 0, at now: Instant = .zero
) -> (result: XDPResult, frame: [UInt8]) {
    var buffer = [UInt8](repeating: 0, count: 256 + 3_520)
    buffer.replaceSubrange(256..<256 + frame.count, with: frame)
    let result = buffer.withUnsafeMutableBytes {
        machine.run(program, on: $0, frame: 256..<256 + frame.count, ingress: 1, at: now)
    }
    return (result, Array(buffer[result.frame.lowerBound - result.metadataCount..<result.frame.upperBound]))
}

@Suite(.enabled(if: KernelProgram.absence == nil, Comment(rawValue: KernelProgram.absence ?? "")))
struct KernelTests {
    @Test func `generated programs do in the kernel what they do here`() {
        var (accepted, generated) = (0, 0)
        forEachSeed(400) { random in
            let code = ProgramGenerator.program(&random)
            generated += 1
            guard let kernel = KernelProgram(code) else { return }
            accepted += 1
            var machine = try XDPMachine(BPFObject(code: code), random: SeededRandom(seed: 1))
            for count in [14, 64, 65 + Int(random.below(1_400))] {
                let frame = random.octets(count)
                let answer = kernel.run(frame)
                let theirs = try #require(answer)
                let ours = simulate(&machine, frame)
                try #require(ours.result.fault == nil)
                try #require(ours.result.verdict.rawValue == theirs.verdict)
                try #require(ours.frame == theirs.frame)
            }
        }
        #expect(accepted * 10 >= generated * 9, "\(accepted) of \(generated) programs were accepted")
    }

    @Test func `helpers on the frame move its ends as the kernel's do`() throws {
        // What the helper answered goes to the frame's first octets, in the low 32 bits.
        func program(_ helper: Int32, _ delta: Int32) -> [UInt8] {
            Assembly.move(6, from: 1) + Assembly.move(2, delta) + Assembly.call(helper)
                + Assembly.load32(7, 6, 0) + Assembly.load32(8, 6, 4) + Assembly.move(2, from: 7) + Assembly.add(2, 8)
                + Assembly.slot(0x2D, 2, 8, offset: 1) + Assembly.store64(7, 0, from: 0)
                + Assembly.move(0, 2) + Assembly.exit
        }
        let head: [Int32] = [-256, -220, -217, -216, -215, -50, -4, 0, 4, 49, 50, 51, 60]
        let tail: [Int32] = [3_900, 3_457, 3_456, 3_455, 3_400, 100, 1, 0, -1, -49, -50, -51, -64]
        let meta: [Int32] = [-4, -32, -36, -216, -220, -252, -256, -6, 0, 4]
        let calls = head.map { (44, $0) } + tail.map { (65, $0) } + meta.map { (54, $0) }
        var random = SeededRandom(seed: 1)
        for (helper, delta) in calls {
            let code = program(Int32(helper), delta)
            guard let kernel = KernelProgram(code) else {
                Issue.record("the kernel refuses the program")
                return
            }
            var machine = try XDPMachine(BPFObject(code: code), random: SeededRandom(seed: 1))
            let frame = random.octets(64)
            let answer = kernel.run(frame)
            let theirs = try #require(answer)
            let ours = simulate(&machine, frame)
            #expect(ours.result.verdict.rawValue == theirs.verdict, "helper \(helper), \(delta)")
            // What a grown head or metadata brings in is the kernel's own, but for the answer written to it.
            let metadata = helper == 54 ? ours.result.metadataCount : 0
            #expect(ours.frame.count == theirs.frame.count, "helper \(helper), \(delta)")
            #expect(
                ours.frame.dropFirst(metadata).prefix(8) == theirs.frame.dropFirst(metadata).prefix(8),
                "helper \(helper), \(delta)")
            let kept = min(56, ours.frame.count - metadata - 8)
            #expect(ours.frame.suffix(kept) == theirs.frame.suffix(kept), "helper \(helper), \(delta)")
        }
    }

    @Test func `checksum differences are the kernel's`() {
        forEachSeed(100) { random in
            var code = Assembly.move(6, from: 1)
            let isSparse = random.below(4) == 0
            for place in stride(from: Int16(-64), to: 0, by: 4) {
                code += Assembly.store32(10, place, isSparse ? 0 : Int32(truncatingIfNeeded: random.next()))
            }
            let (from, to) = (Int32(random.below(9)) * 4, Int32(random.below(9)) * 4)
            code += Assembly.move(1, from: 10) + Assembly.add(1, -64) + Assembly.move(2, from)
            code += Assembly.move(3, from: 10) + Assembly.add(3, -32) + Assembly.move(4, to)
            let seed = isSparse ? 0 : Int32(truncatingIfNeeded: random.next())
            code += Assembly.slot(0xB4, 5, immediate: seed) + Assembly.call(28) + Assembly.exit
            guard let kernel = KernelProgram(code) else {
                Issue.record("the kernel refuses the program")
                return
            }
            let answer = kernel.run(random.octets(64))
            let theirs = try #require(answer)
            let ours = try value(of: code, memory: [0])
            try #require(ours.fault == nil)
            try #require(UInt32(truncatingIfNeeded: ours.value) == theirs.verdict)
        }
    }
}

import BPF
import Basics
import CBPFSyscall
import Glibc

/// Instructions of a program that the interpreter runs, on a frame that it does not change.
///
/// The peer is the kernel's just-in-time compiler, which runs the same octets by BPF_PROG_TEST_RUN where
/// the process is root: no interpreter, so that the ratio says how far from native code ours is. Its time
/// is the kernel's own, with what a run costs beside the program. The one interpreter to compare with, uBPF,
/// comes in no package.
func benchmarkInterpreter(_ name: String, _ code: [UInt8], runs: Int) -> Measurement {
    var buffer = [UInt8](repeating: 0, count: 256 + 1_408)
    buffer.replaceSubrange(256..<256 + BPFPrograms.frame.count, with: BPFPrograms.frame)
    guard var machine = try? XDPMachine(BPFObject(code: code), random: SeededRandom(seed: 1)) else {
        preconditionFailure("\(name) does not load")
    }
    var instructions = 0
    func run(_ count: Int) {
        buffer.withUnsafeMutableBytes { bytes in
            for _ in 0..<count {
                let result = machine.run(
                    0, on: bytes, frame: 256..<256 + BPFPrograms.frame.count, ingress: 1, at: .zero)
                precondition(result.verdict == .pass, "\(name) ends with \(result)")
                instructions &+= result.instructions
            }
        }
    }
    run(runs / 10 + 1)
    instructions = 0
    let seconds = measure { run(runs) }
    if let nanoseconds = kernelNanoseconds(code, runs: runs) {
        let rate = Double(instructions / runs) / nanoseconds * 1e9
        print("{\"bench\":\"\(name)\",\"peer\":\"kernel-jit\",\"ns_per_run\":\(nanoseconds),\"per_cpu_s\":\(rate)}")
    }
    return Measurement(
        name: name, unit: "instructions", count: UInt64(instructions), cpuSeconds: seconds,
        details: [("ns_per_run", seconds / Double(runs) * 1e9), ("instructions_per_run", Double(instructions / runs))])
}

/// What a run of the program costs in the kernel; nil where it cannot be asked.
private func kernelNanoseconds(_ code: [UInt8], runs: Int) -> Double? {
    let program = cbpfsyscall_load(code, UInt32(code.count / 8), nil, 0)
    guard program >= 0 else { return nil }
    defer { close(program) }
    var output = [UInt8](repeating: 0, count: 4_096)
    var (size, value, nanoseconds) = (UInt32(output.count), UInt32(0), UInt32(0))
    let frame = BPFPrograms.frame
    let result = cbpfsyscall_run(
        program, frame, UInt32(frame.count), &output, &size, UInt32(runs), &value, &nanoseconds)
    return result == 0 && nanoseconds > 0 ? Double(nanoseconds) : nil
}

/// The programs that are measured, by their instructions (RFC 9669 §3).
enum BPFPrograms {
    /// Ethernet, IPv4 and UDP with 86 octets behind them.
    static let frame: [UInt8] = {
        let head: [UInt8] = [
            2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0, 0, 114, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 1, 0,
            1,
            4, 0, 0, 80, 0, 94, 0, 0,
        ]
        return head + (0..<86).map { UInt8($0) }
    }()

    private static func slot(
        _ opcode: UInt8, _ destination: UInt8 = 0, _ source: UInt8 = 0, _ immediate: Int32 = 0, offset: Int16 = 0
    ) -> [UInt8] {
        let (place, operand) = (UInt16(bitPattern: offset), immediate)
        return [opcode, source << 4 | destination, UInt8(place & 255), UInt8(place >> 8)]
            + (0..<4).map { UInt8(truncatingIfNeeded: operand >> Int32(8 * $0)) }
    }

    /// Shifts, sums and products in a loop of 14 instructions.
    static let arithmetic: [UInt8] = {
        let setUp = slot(0xB7, 0, 0, 1) + slot(0xB7, 2, 0, 2_000) + slot(0xB7, 3, 0, 7)
        let round =
            slot(0x0F, 0, 3) + slot(0x67, 3, 0, 3) + slot(0xAF, 3, 0) + slot(0x77, 0, 0, 1) + slot(0x07, 0, 0, 12_345)
            + slot(0xBF, 4, 3) + slot(0x57, 4, 0, 255) + slot(0x0F, 0, 4) + slot(0x27, 0, 0, 31)
            + slot(0xA7, 0, 0, 0x5555) + slot(0x0C, 3, 4) + slot(0x47, 3, 0, 1) + slot(0x17, 2, 0, 1)
        return setUp + round + slot(0x55, 2, 0, 0, offset: -14) + slot(0xB7, 0, 0, 2) + slot(0x95)
    }()

    /// Finds a UDP packet's addresses and ports, mixes them, and sums the frame: what a data plane does all day.
    static let packet: [UInt8] = {
        // r6 to the frame, r0 the verdict where it is too short.
        var code = slot(0x61, 6, 1, offset: 0) + slot(0x61, 7, 1, offset: 4) + slot(0xBF, 2, 6)
        code += slot(0x07, 2, 0, Int32(frame.count)) + slot(0xBD, 2, 7, offset: 2) + slot(0xB7, 0, 0, 1) + slot(0x95)
        code += slot(0x69, 2, 6, offset: 12) + slot(0xDC, 2, 0, 16) + slot(0x15, 2, 0, 0x0800, offset: 2)
        code += slot(0xB7, 0, 0, 1) + slot(0x95)
        code += slot(0x71, 2, 6, offset: 23) + slot(0x15, 2, 0, 17, offset: 2) + slot(0xB7, 0, 0, 1) + slot(0x95)
        // The five-tuple onto the stack, then mixed word by word.
        code += slot(0x61, 2, 6, offset: 26) + slot(0x63, 10, 2, offset: -16) + slot(0x61, 2, 6, offset: 30)
        code += slot(0x63, 10, 2, offset: -12) + slot(0x61, 2, 6, offset: 34) + slot(0x63, 10, 2, offset: -8)
        code += slot(0xB7, 8, 0, 0x1234_5678)
        for place in [Int16(-16), -12, -8] {
            code += slot(0x61, 2, 10, offset: place) + slot(0xAC, 8, 2) + slot(0xBC, 3, 8) + slot(0x74, 3, 0, 16)
            code += slot(0xAC, 8, 3) + slot(0x24, 8, 0, 0x45D9_F3B) + slot(0xBC, 3, 8) + slot(0x74, 3, 0, 13)
            code += slot(0xAC, 8, 3)
        }
        // The one's complement sum of the frame's first 128 octets, two at a time.
        code += slot(0xB7, 9, 0, 0)
        for place in stride(from: Int16(0), to: 128, by: 2) {
            code += slot(0x69, 2, 6, offset: place) + slot(0xDC, 2, 0, 16) + slot(0x0F, 9, 2)
        }
        for _ in 0..<2 {
            code += slot(0xBF, 2, 9) + slot(0x77, 2, 0, 16) + slot(0x57, 9, 0, 0xFFFF) + slot(0x0F, 9, 2)
        }
        code += slot(0xAF, 8, 9) + slot(0x7B, 10, 8, offset: -24) + slot(0xB7, 0, 0, 2) + slot(0x95)
        return code
    }()
}

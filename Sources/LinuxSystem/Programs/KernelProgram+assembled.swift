import CBPF

/// What an XDP program says is to happen to a frame.
public enum XDPVerdict: UInt32, Sendable {
    /// Drop it, and report a fault.
    case aborted
    case drop
    /// Hand it to the kernel.
    case pass
    /// Send it back out of the port that it came in by.
    case transmit
    /// Send it where a helper was told.
    case redirect
}

// Programs so small that they are assembled here, and need neither a compiler nor an object (RFC 9669).
extension KernelProgram {
    /// Assembles the program that says the same of every frame.
    public static func answering(_ verdict: XDPVerdict) throws(SystemError) -> KernelProgram {
        try assemble(
            "patronus_\(verdict)", [move(Int32(verdict.rawValue), to: 0), instruction(BPF_JMP | BPF_EXIT)])
    }

    /// Assembles the program that lets every frame pass: what makes a veth's end poll.
    public static func passingEverything() throws(SystemError) -> KernelProgram {
        try answering(.pass)
    }

    /// Assembles the program that sends every frame out of another port of its namespace, unchanged.
    public static func redirecting(to interface: InterfaceIndex) throws(SystemError) -> KernelProgram {
        try assemble(
            "patronus_redir",
            [
                move(Int32(bitPattern: interface.number), to: 1), move(0, to: 2),
                instruction(BPF_JMP | BPF_CALL, immediate: Int32(BPF_FUNC_redirect.rawValue)),
                instruction(BPF_JMP | BPF_EXIT),
            ])
    }

    /// Hands instructions to the kernel as a program that takes frames in fragments, so that it limits no MTU.
    private static func assemble(_ name: String, _ instructions: [bpf_insn]) throws(SystemError) -> KernelProgram {
        let number = try explained(
            {
                var options = bpf_prog_load_opts()
                options.sz = MemoryLayout<bpf_prog_load_opts>.size
                options.prog_flags = BPF_F_XDP_HAS_FRAGS
                return bpf_prog_load(BPF_PROG_TYPE_XDP, name, "GPL", instructions, instructions.count, &options)
            }, fails: { $0 < 0 }, "load the program \(name)")
        return try KernelProgram(FileDescriptor(owning: number), name: name)
    }

    private static func move(_ value: Int32, to register: UInt8) -> bpf_insn {
        instruction(BPF_ALU64 | BPF_MOV | BPF_K, register, immediate: value)
    }

    private static func instruction(_ code: Int32, _ register: UInt8 = 0, immediate: Int32 = 0) -> bpf_insn {
        var instruction = bpf_insn()
        instruction.code = UInt8(truncatingIfNeeded: code)
        instruction.dst_reg = register
        instruction.imm = immediate
        return instruction
    }
}

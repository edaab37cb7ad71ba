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

    /// Assembles the program that gives every frame the same first octets and sends it back out of its port.
    ///
    /// It makes frames: those that it runs on live are used again and again, with what the last journey did to them.
    /// The head is written in words of four octets, what is over is left out; a shorter frame is dropped.
    public static func transmitting(_ head: RawSpan) throws(SystemError) -> KernelProgram {
        let words = min(head.byteCount / 4, 32)
        var instructions = [
            instruction(
                BPF_LDX | BPF_MEM | BPF_W, 2, from: 1, offset: Int16(MemoryLayout<xdp_md>.offset(of: \.data) ?? 0)),
            instruction(
                BPF_LDX | BPF_MEM | BPF_W, 3, from: 1, offset: Int16(MemoryLayout<xdp_md>.offset(of: \.data_end) ?? 4)),
            instruction(BPF_ALU64 | BPF_MOV | BPF_X, 4, from: 2),
            instruction(BPF_ALU64 | BPF_ADD | BPF_K, 4, immediate: Int32(4 * words)),
            instruction(BPF_JMP | BPF_JGT | BPF_X, 4, from: 3, offset: Int16(words + 2)),
        ]
        for word in 0..<words {
            let octets = head.unsafeLoadUnaligned(fromByteOffset: 4 * word, as: Int32.self)
            instructions.append(
                instruction(BPF_ST | BPF_MEM | BPF_W, 2, offset: Int16(4 * word), immediate: octets))
        }
        for verdict in [XDPVerdict.transmit, .drop] {
            instructions += [move(Int32(verdict.rawValue), to: 0), instruction(BPF_JMP | BPF_EXIT)]
        }
        return try assemble("patronus_gen", instructions)
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

    private static func instruction(
        _ code: Int32, _ register: UInt8 = 0, from source: UInt8 = 0, offset: Int16 = 0, immediate: Int32 = 0
    ) -> bpf_insn {
        var instruction = bpf_insn()
        instruction.code = UInt8(truncatingIfNeeded: code)
        instruction.dst_reg = register
        instruction.src_reg = source
        instruction.off = offset
        instruction.imm = immediate
        return instruction
    }
}

import CBPF
import Glibc

/// A program in the kernel, ready to run.
public struct KernelProgram: ~Copyable {
    public let name: String
    /// The kernel's number of the program, by which an interface says what it runs.
    public let identifier: UInt32
    /// Whether the licence that its object states lets it call the helpers that are for GPL programs only.
    public let isGPLCompatible: Bool
    let descriptor: FileDescriptor

    init(_ descriptor: consuming FileDescriptor, name: String) throws(SystemError) {
        var information = bpf_prog_info()
        var size = UInt32(MemoryLayout<bpf_prog_info>.size)
        try checked(bpf_obj_get_info_by_fd(descriptor.number, &information, &size), "look at the program \(name)")
        self.descriptor = descriptor
        self.name = name
        identifier = information.id
        isGPLCompatible = information.gpl_compatible != 0
    }

    /// Whether the kernel has a program of that number, whoever holds it.
    public static func exists(_ identifier: UInt32) throws(SystemError) -> Bool {
        let number = bpf_prog_get_fd_by_id(identifier)
        if number < 0, errno == ENOENT { return false }
        _ = FileDescriptor(owning: try checked(number, "look for the program \(identifier)"))
        return true
    }
}

extension KernelProgram {
    /// What a program made of a packet that was handed to it.
    public struct TestRun: Equatable, Sendable {
        /// What it returned.
        public var verdict: UInt32
        /// The time that one run took, averaged over all.
        public var nanosecondsEach: UInt32
    }

    /// Runs the program on a packet, `count` times, and leaves the packet as it came out of the last run in `output`.
    ///
    /// With `interface` the packet came in there; then the calling thread must be in that interface's namespace.
    public func run(
        on packet: RawSpan, times count: Int = 1, from interface: InterfaceIndex? = nil, into output: inout [UInt8]
    ) throws(SystemError) -> TestRun {
        // A program may make a packet longer by less than a page.
        let room = packet.byteCount + 4_096
        if output.count < room { output.append(contentsOf: repeatElement(0, count: room - output.count)) }
        var options = bpf_test_run_opts()
        options.sz = MemoryLayout<bpf_test_run_opts>.size
        options.repeat = Int32(clamping: count)
        options.data_size_out = UInt32(room)
        let result = output.withUnsafeMutableBytes { output in
            options.data_out = output.baseAddress
            return run(on: packet, from: interface, &options)
        }
        try checked(result, "run the program \(name)")
        output.removeLast(output.count - Int(options.data_size_out))
        return TestRun(verdict: options.retval, nanosecondsEach: options.duration)
    }

    /// Sends `count` copies of a packet through the program as if they came in at `interface`, with what follows from
    /// its verdict: they are passed up, sent back out, redirected or dropped.
    ///
    /// The calling thread must be in the interface's namespace. One long call is much cheaper than many short ones.
    public func runLive(
        on packet: RawSpan, times count: Int, from interface: InterfaceIndex, batch: Int = 64
    ) throws(SystemError) {
        var options = bpf_test_run_opts()
        options.sz = MemoryLayout<bpf_test_run_opts>.size
        options.repeat = Int32(clamping: count)
        options.flags = UInt32(BPF_F_TEST_XDP_LIVE_FRAMES)
        options.batch_size = UInt32(clamping: batch)
        try checked(run(on: packet, from: interface, &options), "run the program \(name) on live frames")
    }

    private func run(
        on packet: RawSpan, from interface: InterfaceIndex?, _ options: inout bpf_test_run_opts
    ) -> Int32 {
        packet.withUnsafeBytes { packet in
            options.data_in = packet.baseAddress
            options.data_size_in = UInt32(packet.count)
            guard let interface else { return bpf_prog_test_run_opts(descriptor.number, &options) }
            var context = xdp_md()
            context.data_end = UInt32(packet.count)
            context.ingress_ifindex = interface.number
            return withUnsafeBytes(of: &context) { context in
                options.ctx_in = context.baseAddress
                options.ctx_size_in = UInt32(context.count)
                return bpf_prog_test_run_opts(descriptor.number, &options)
            }
        }
    }
}

import Glibc
import LinuxSystem

// What a packet costs in the project's own program, and frames a CPU second through a node of veths: the kernel's
// forwarding, the project's program, a bare redirection, and any program given.
//   patronus-kernel-bench [--frames N] [--size OCTETS] [--object FILE --program NAME [--ports MAP]]
// Generator and sink are in the figure of each, so the ratio of two understates the difference.

var options: [String: String] = [:]
var words = CommandLine.arguments.dropFirst()
while let word = words.popFirst() {
    guard word.hasPrefix("--"), let value = words.popFirst() else {
        complain("usage: patronus-kernel-bench [--frames N] [--size N] [--object FILE --program NAME [--ports MAP]]")
        exit(2)
    }
    options[String(word.dropFirst(2))] = value
}
let frames = options["frames"].flatMap { Int($0) } ?? 2_000_000
let size = max(60, min(1_514, options["size"].flatMap { Int($0) } ?? 64))

func complain(_ text: String) {
    let octets = Array((text + "\n").utf8)
    _ = write(2, octets, octets.count)
}

/// The best of three runs, as one line of JSON.
func measure(_ subject: some Subject) throws(SystemError) -> String {
    var row = try Row()
    let running = try subject.prepare(row)
    let frame = Row.frame(size: size)
    var best = Double.infinity
    var delivered: UInt64 = 0
    for _ in 0..<3 {
        let before = try row.received()
        let start = cpuSeconds()
        try row.send(frame.span.bytes, times: frames)
        usleep(20_000)
        let seconds = cpuSeconds() - start
        let received = try row.received() - before
        if received > 0, seconds / Double(received) < best {
            best = seconds / Double(received)
            delivered = received
        }
    }
    extendLifetime(running)
    let rate = best.isFinite && best > 0 ? (1 / best).rounded() : 0
    let peer = subject.peer.map { ",\"peer\":\"\($0)\"" } ?? ""
    return "{\"bench\":\"\(subject.name)\"\(peer),\"frames\":\(frames),\"delivered\":\(delivered),"
        + "\"frame_bytes\":\(size),"
        + "\"ns_per_frame\":\((best * 1e10).rounded() / 10),\"per_cpu_s\":\(rate)}"
}

/// The program by itself, without what a run costs beside it; `limit` is what it may cost.
func report(_ name: String, _ nanoseconds: Double, limit: Double) -> String {
    "{\"bench\":\"\(name)\",\"ns_per_packet\":\(nanoseconds),\"limit_ns\":\(limit),"
        + "\"per_cpu_s\":\((1e9 / max(1, nanoseconds)).rounded())}"
}

func measureProgram() throws(SystemError) {
    let row = try Row()
    let dataplane = try KernelDataplane()
    let bench = try ProgramBench(dataplane, row)
    print(report("xdp-hot-flow", try bench.encapsulation(ports: 4_660..<4_661, runs: 200_000), limit: 235))
    print(report("xdp-16k-flows", try bench.encapsulation(ports: 10_000..<26_384, runs: 200_000), limit: 305))
    print(report("xdp-police-drop", try bench.policing(runs: 1_000_000), limit: 60))
}

do throws(SystemError) {
    try measureProgram()
    print(try measure(KernelForwarding()))
    print(try measure(OwnProgram()))
    print(try measure(BareRedirection()))
    if let object = options["object"], let program = options["program"] {
        let subject = try CompiledProgram(object: object, program: program, ports: options["ports"] ?? "ports")
        print(try measure(subject))
    }
} catch {
    complain("patronus-kernel-bench: \(error)")
    exit(1)
}

import Basics
import Emulator
import Glibc
import Links
import LinuxSystem
import Scenario
import Telemetry
import Wire

// What the userspace wire of a lab does to kernel sockets: how well it keeps a delay, a loss and a rate, what a frame
// costs, and what TCP gets through. Each row stands beside its bar.
//   patronus-wire-bench [delay|frames|loss|rate|tcp ...]

func row(_ bench: String, _ fields: [(String, Double)]) {
    print("{\"bench\":\"\(bench)\"" + fields.map { ",\"\($0.0)\":\(($0.1 * 1_000).rounded() / 1_000)" }.joined() + "}")
}

/// 2000 datagrams a second over a link of 20 ms.
func measureDelay() throws(SystemError) {
    let joint = try Joint(LinkProfile(delay: .milliseconds(20)))
    let arrivals = try joint.probe(6_000, size: 100, apart: 430)
    let errors = arrivals.map { ($0.transit - .milliseconds(20)).nanoseconds }.sorted()
    guard !errors.isEmpty else { return }
    func part(_ share: Double) -> Double { Double(errors[Int(Double(errors.count - 1) * share)]) / 1_000 }
    let lateness = joint.wire.lateness(of: 0, .forward)
    row(
        "wire-delay",
        [
            ("received", Double(errors.count)), ("error_p50_us", part(0.5)), ("limit_p50_us", 60),
            ("error_p99_us", part(0.99)), ("limit_p99_us", 500), ("error_max_us", part(1)),
            ("lateness_p50_us", Double(lateness.quantile(Ratio(0.5)).nanoseconds) / 1_000),
            ("lateness_p99_us", Double(lateness.quantile(Ratio(0.99)).nanoseconds) / 1_000),
            ("wire_cpu_share", joint.wire.processorTime.inSeconds / (joint.clock.now - .zero).inSeconds),
        ])
}

/// Frames of 64 octets, made in the kernel as fast as they go in, and dropped by a program where they arrive.
func measureFrames(_ name: String, _ profile: LinkProfile) throws(SystemError) {
    let joint = try Joint(profile)
    let drain = try XDPAttachment(.answering(.drop), to: joint.peer, in: joint.right)
    let frame: [UInt8] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x88, 0xB5] + [UInt8](repeating: 0, count: 50)
    let generator = try KernelProgram.transmitting(frame.span.bytes.extracting(0..<60))
    let before = joint.wire.counters(of: 0, .forward).link.delivered
    let (cpu, start) = (joint.wire.processorTime, joint.clock.now)
    // The queue in front of the wire holds ten thousand; what finds it full is dropped there.
    try joint.left.perform { () throws(SystemError) in
        try generator.runLive(on: frame.span.bytes, times: 8_000_000, from: joint.port)
    }
    let end = joint.clock.now
    let seconds = (joint.wire.processorTime - cpu).inSeconds
    let delivered = Double(joint.wire.counters(of: 0, .forward).link.delivered - before)
    row(
        name,
        [
            ("frames", delivered), ("frame_bytes", 64), ("us_per_frame", seconds / max(1, delivered) * 1e6),
            ("per_cpu_s", (delivered / seconds).rounded()), ("least_per_cpu_s", 350_000),
            ("per_second", (delivered / (end - start).inSeconds).rounded()),
        ])
    extendLifetime(drain)
}

/// Twenty thousand datagrams over a link that loses each hundredth.
func measureLoss() throws(SystemError) {
    for loss in [0.01, 0.1] {
        let joint = try Joint(LinkProfile(delay: .milliseconds(5), loss: .bernoulli(Ratio(loss))))
        let count = 20_000
        let arrivals = try joint.probe(count, size: 100, apart: 5)
        let found = 1 - Double(arrivals.count) / Double(count)
        let interval = 2.576 * (loss * (1 - loss) / Double(count)).squareRoot()
        row("wire-loss", [("asked", 100 * loss), ("found", 100 * found), ("limit_error", 100 * interval)])
    }
}

/// Datagrams faster than the link sends them.
func measureRate() throws(SystemError) {
    for megabits: UInt64 in [10, 100] {
        let joint = try Joint(LinkProfile(rate: .megabits(megabits), delay: .milliseconds(5), queue: .packets(100_000)))
        let count = 100 * Int(megabits)
        let arrivals = try joint.probe(count, size: 1_208, apart: 0)
        guard let first = arrivals.first, let last = arrivals.last, arrivals.count > 1 else { continue }
        let bits = Double((arrivals.count - 1) * 1_250 * 8)
        let found = bits / (last.arrivedAt - first.arrivedAt).inSeconds / 1e6
        row(
            "wire-rate",
            [
                ("asked_mbps", Double(megabits)), ("found_mbps", found),
                ("error_percent", 100 * (found / Double(megabits) - 1)), ("limit_error_percent", 1),
            ])
    }
}

/// One connection of the kernel's TCP over 100 Mbit/s, with 100 ms from end to end and back.
func measureStream() throws(SystemError) {
    let profile = LinkProfile(rate: .megabits(100), delay: .milliseconds(50), queue: .bytes(2_500_000))
    let joint = try Joint(profile, back: LinkProfile(delay: .milliseconds(50)))
    let stream = try KernelStream(from: joint.left, to: joint.right, at: Joint.rightAddress)
    let outcome = try stream.run(for: .seconds(12), warmUp: .seconds(4), joint.clock)
    let goodput = Double(8 * outcome.count) / outcome.time.inSeconds / 1e6
    // Of 1514 octets of a frame 1448 are the stream's.
    row(
        "wire-tcp",
        [
            ("rate_mbps", 100), ("round_trip_ms", 100), ("goodput_mbps", goodput),
            ("share_percent", goodput * 1_514 / 1_448), ("least_share_percent", 95),
        ])
    if !outcome.isWhole { complain("wire-tcp: octets came through changed") }
    for late in joint.wire.lateDirections() { complain("wire-tcp: \(late)") }
}

func complain(_ text: String) {
    let octets = Array((text + "\n").utf8)
    _ = write(2, octets, octets.count)
}

let asked = Set(CommandLine.arguments.dropFirst())
func isAsked(_ name: String) -> Bool { asked.isEmpty || asked.contains(name) }

do throws(SystemError) {
    if isAsked("delay") { try measureDelay() }
    if isAsked("frames") {
        try measureFrames("wire-frames", LinkProfile())
        try measureFrames("wire-frames-5ms", LinkProfile(delay: .milliseconds(5)))
    }
    if isAsked("loss") { try measureLoss() }
    if isAsked("rate") { try measureRate() }
    if isAsked("tcp") { try measureStream() }
} catch {
    complain("patronus-wire-bench: \(error)")
    exit(1)
}

import Basics
import Dataplane
import LinuxSystem
import Telemetry
import Wire

/// What one packet costs in the project's own program, run by BPF_PROG_TEST_RUN on one thread.
///
/// A packet that is encapsulated would meet the next repetition as what it has become, so such packets are run one
/// by one, and their time is that of a run less that of a program that does nothing, measured in the same way.
/// Packets that are dropped stay as they are and are repeated.
struct ProgramBench: ~Copyable {
    private let program: KernelProgram
    private let node: NetworkNamespace

    /// Points the row's traffic to a tunnel, with nothing limited but SYNs.
    init(_ dataplane: borrowing KernelDataplane, _ row: borrowing Row) throws(SystemError) {
        var limits = FloodGuardLimits.none
        limits.synchronize.source = FloodLimit(1, burst: 1)
        let node = try row.node.shared()
        let program = try dataplane.object.program(DataplaneProgram.entryPoint)
        let maps = try dataplane.maps(in: node.shared())
        do throws(DataplaneError) {
            try Self.configure(maps, limits)
        } catch {
            throw .refused("write the maps: \(error)", number: 22, explanation: "")
        }
        self.program = program
        self.node = node
    }

    private static func configure(
        _ maps: consuming KernelDataplaneMaps, _ limits: FloodGuardLimits
    ) throws(DataplaneError) {
        var control = try DataplaneControl(maps, limits: limits)
        let (near, far) = (DataplanePort(Row.nearPort.number), DataplanePort(Row.farPort.number))
        let remote = IPAddress.v4(IPv4Address(192, 0, 2, 2))
        try control.apply(.setPort(near, role: .lan, address: Row.nearMAC))
        try control.apply(.setPort(far, role: .wan, address: Row.nearMAC))
        try control.apply(
            .setNeighbor(
                remote, on: far, DataplaneNeighbor(Row.sinkMAC, from: Row.nearMAC, maximumPacketByteCount: 1_600)))
        var tunnel = DataplaneTunnel(
            from: .v4(IPv4Address(192, 0, 2, 1)), to: remote, on: far, nextHop: remote, firstSequence: 1)
        tunnel.maximumPacketByteCount = 1_600
        try control.apply(.setTunnel(TunnelID(7), tunnel))
        try control.apply(.setRoute(.v4(IPv4Prefix(Row.destination, length: 16)), .tunnel(TunnelID(7))))
    }

    /// Has the program know a flow for each source port, and that it was answered.
    func prime(ports: Range<Int>) throws(SystemError) {
        try node.perform { () throws(SystemError) in
            var output: [UInt8] = []
            for port in ports {
                for isAnswer in [false, true, false] {
                    let frame = Row.frame(size: 64, port: port, isAnswer: isAnswer)
                    _ = try program.run(on: frame.span.bytes, from: Row.nearPort, into: &output)
                }
            }
        }
    }

    /// Nanoseconds for each packet of as many flows as there are ports, one after the other.
    func encapsulation(ports: Range<Int>, runs: Int) throws(SystemError) -> Double {
        try prime(ports: ports)
        let idle = try KernelProgram.answering(.pass)
        let frames = ports.map { Row.frame(size: 64, port: $0) }
        return try node.perform { () throws(SystemError) in
            var output: [UInt8] = []
            var (own, other) = ([UInt32](), [UInt32]())
            for run in 0..<runs {
                let frame = frames[run % frames.count]
                let result = try program.run(on: frame.span.bytes, from: Row.nearPort, into: &output)
                guard result.verdict == XDPVerdict.redirect.rawValue else {
                    throw .notAsAsked("the program", asked: "redirection", found: "verdict \(result.verdict)")
                }
                own.append(result.nanosecondsEach)
                other.append(try idle.run(on: frame.span.bytes, from: Row.nearPort, into: &output).nanosecondsEach)
            }
            return middle(own) - middle(other)
        }
    }

    /// Nanoseconds for each SYN of a source that has used up what it may send.
    func policing(runs: Int) throws(SystemError) -> Double {
        var frame = Row.frame(size: 64)
        frame[23] = 6
        frame[46] = 0x50
        frame[47] = 2
        let idle = try KernelProgram.answering(.drop)
        return try node.perform { () throws(SystemError) in
            var output: [UInt8] = []
            var best = Double.infinity
            for _ in 0..<5 {
                let own = try program.run(on: frame.span.bytes, times: runs, from: Row.nearPort, into: &output)
                let other = try idle.run(on: frame.span.bytes, times: runs, from: Row.nearPort, into: &output)
                guard own.verdict == XDPVerdict.drop.rawValue else {
                    throw .notAsAsked("the program", asked: "a drop", found: "verdict \(own.verdict)")
                }
                best = min(best, Double(own.nanosecondsEach) - Double(other.nanosecondsEach))
            }
            return best
        }
    }
}

/// The median.
private func middle(_ values: [UInt32]) -> Double {
    Double(values.sorted()[values.count / 2])
}

import LinuxSystem
import TestKit
import Testing
import Wire

/// Programs that need no compiler.
@Suite(.enabled(if: Kernel.isWilling, "\(Kernel.reason)"))
struct AssembledProgramTests {
    private let packet = (0..<64).map { UInt8($0) }

    @Test(arguments: [XDPVerdict.aborted, .drop, .pass, .transmit]) func `an assembled program answers as it was told`(
        verdict: XDPVerdict
    ) throws {
        let program = try KernelProgram.answering(verdict)
        var output: [UInt8] = []
        let run = try program.run(on: packet.span.bytes, into: &output)
        #expect(run.verdict == verdict.rawValue && output == packet)
        let isGPLCompatible = program.isGPLCompatible
        #expect(isGPLCompatible)
    }

    @Test(arguments: [4, 20, 64]) func `a generator gives frames their head and leaves the rest`(count: Int) throws {
        let head = [UInt8](repeating: 0xA5, count: count)
        let program = try KernelProgram.transmitting(head.span.bytes)
        var output: [UInt8] = []
        let run = try program.run(on: packet.span.bytes, into: &output)
        #expect(run.verdict == XDPVerdict.transmit.rawValue && output == head + packet.dropFirst(count))
        let short = try program.run(on: packet.span.bytes.extracting(0..<14), into: &output)
        #expect(short.verdict == (count > 14 ? XDPVerdict.drop : .transmit).rawValue)
    }

    @Test func `live frames go out of a port, through a redirection, and are counted at the end`() throws {
        var lab = try Lab()
        let near = try PreparedVeth(Lab.nodePort, in: lab.node, peerIn: lab.host, leastMTU: 1_500)
        let far = try PreparedVeth(Lab.farPort, in: lab.node, peerIn: lab.sink, leastMTU: 1_500)
        let attachment = try XDPAttachment(.redirecting(to: Lab.farPort), to: Lab.nodePort, in: lab.node)
        let generator = try KernelProgram.answering(.transmit)
        let before = try lab.sinkRoutes.existingLink(.index(Lab.sinkEnd)).counters
        try lab.host.perform { () throws(SystemError) in
            try generator.runLive(on: packet.span.bytes, times: 640, from: Lab.hostEnd)
        }
        var received: UInt64 = 0
        _ = try eventually {
            received = try lab.sinkRoutes.existingLink(.index(Lab.sinkEnd)).counters.receivedPackets
            return received - before.receivedPackets >= 640
        }
        #expect(received - before.receivedPackets == 640)
        attachment.detach()
        extendLifetime(near, far)
    }
}

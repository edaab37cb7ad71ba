import Foundation
import Glibc
import LinuxSystem
import TestKit
import Testing
import Wire

@Suite(.enabled(if: Kernel.canCompile, "\(Kernel.compilerReason)"))
struct AttachmentTests {
    private func program(at interface: InterfaceIndex, _ routes: inout RouteSocket) throws(SystemError)
        -> LinkState.AttachedProgram?
    {
        try routes.existingLink(.index(interface)).program
    }

    @Test func `a natively attached program passes and drops real packets`() throws {
        var lab = try Lab()
        let object = try TestObject.load("filter")
        let stub = try KernelProgram.passingEverything()
        let first = try XDPAttachment(stub, to: Lab.nodePort, in: lab.node)
        let attachment = try XDPAttachment(object.program("filter"), to: Lab.hostEnd, in: lab.host)
        let mode = attachment.mode
        #expect(mode == .native)
        let node = InterfaceAddress(.v4(IPv4Address(10, 0, 0, 3)), prefixLength: 24, on: Lab.nodePort)
        let host = Neighbour(Lab.hostAddress, at: Lab.hostMAC, on: Lab.nodePort)
        try lab.nodeRoutes.change {
            $0.addAddress(node)
            $0.addNeighbour(host)
        }
        let sender = try DatagramSocket(in: lab.node)
        let allowed = try DatagramSocket(in: lab.host, port: 5_000)
        let forbidden = try DatagramSocket(in: lab.host, port: 9)
        var sent = 0
        for _ in 0..<100 {
            sent += sender.send(2, to: Lab.hostAddress, port: 5_000) + sender.send(1, to: Lab.hostAddress, port: 9)
        }
        let (passed, dropped) = (allowed.received(expecting: 200), forbidden.received(expecting: 100))
        #expect(sent == 300 && passed == 200 && dropped == 0)
        var counted = [0, 0]
        try object.map("counters").forEachEntry { key, value in
            guard key.unsafeLoadUnaligned(as: UInt32.self) == 0 else { return }
            for cpu in stride(from: 0, to: value.byteCount, by: 16) {
                counted[0] += Int(value.unsafeLoadUnaligned(fromByteOffset: cpu, as: UInt32.self))
                counted[1] += Int(value.unsafeLoadUnaligned(fromByteOffset: cpu + 4, as: UInt32.self))
            }
        }
        #expect(counted == [200, 100])
        first.detach()
    }

    @Test func `the interface says which program it runs, and none when the value is gone`() throws {
        var lab = try Lab()
        let stub = try KernelProgram.passingEverything()
        do {
            let attachment = try XDPAttachment(stub, to: Lab.nodePort, in: lab.node)
            let found = try program(at: Lab.nodePort, &lab.nodeRoutes)
            let identifier = stub.identifier
            #expect(found?.mode == .native && found?.identifier == identifier)
            let isInEffect = try attachment.isInEffect
            #expect(isInEffect)
        }
        let left = try program(at: Lab.nodePort, &lab.nodeRoutes)
        #expect(left == nil)
    }

    @Test func `a program is replaced while packets flow, and none is lost`() throws {
        let lab = try Lab()
        let object = try TestObject.load("redirect")
        let one = try object.program("redirect")
        try lab.pointToFarPort(object)
        let near = try PreparedVeth(Lab.nodePort, in: lab.node, peerIn: lab.host, leastMTU: 1_500)
        let far = try PreparedVeth(Lab.farPort, in: lab.node, peerIn: lab.sink, leastMTU: 1_500)
        let attachment = try XDPAttachment(one, to: Lab.nodePort, in: lab.node)
        let second = try TestObject.load("redirect")
        try lab.pointToFarPort(second)
        let successor = try second.program("redirect")
        let sender = try DatagramSocket(in: lab.host)
        let receiver = try DatagramSocket(in: lab.sink, port: 5_000)
        var sent = 0
        for round in 0..<20 {
            sent += sender.send(10, to: Lab.sinkAddress, port: 5_000)
            if round.isMultiple(of: 2) {
                try attachment.replace(by: successor)
            } else {
                try attachment.replace(by: one)
            }
        }
        let received = receiver.received(expecting: sent)
        let (runs, expected) = (try attachment.programIdentifier, one.identifier)
        #expect(sent == 200 && received == 200 && runs == expected)
        extendLifetime(near, far)
    }

    @Test func `a second program is refused, and the first stays`() throws {
        var lab = try Lab()
        let stub = try KernelProgram.passingEverything()
        let first = try XDPAttachment(stub, to: Lab.nodePort, in: lab.node)
        for modes in [XDPAttachment.AllowedModes.nativeOnly, .genericIfRefused] {
            #expect {
                _ = try XDPAttachment(.passingEverything(), to: Lab.nodePort, in: lab.node, allowing: modes)
            } throws: { error in
                (error as? SystemError)?.number == EBUSY
            }
        }
        let found = try program(at: Lab.nodePort, &lab.nodeRoutes)
        let identifier = stub.identifier
        #expect(found?.identifier == identifier && found?.mode == .native)
        first.detach()
    }

    @Test func `generic mode is taken only when allowed, and says so and why`() throws {
        let namespace = try NetworkNamespace()
        var routes = try RouteSocket(in: namespace)
        let stub = try KernelProgram.passingEverything()
        let loopback = InterfaceIndex(1)
        var thrown: SystemError?
        do throws(SystemError) {
            _ = try XDPAttachment(stub, to: loopback, in: namespace)
        } catch {
            thrown = error
        }
        #expect(thrown?.number == EOPNOTSUPP || thrown?.number == EINVAL)
        let none = try program(at: loopback, &routes)
        #expect(none == nil)
        let attachment = try XDPAttachment(stub, to: loopback, in: namespace, allowing: .genericIfRefused)
        let (mode, reason) = (attachment.mode, attachment.reasonForGeneric)
        #expect(mode == .generic && reason == thrown)
        let found = try program(at: loopback, &routes)
        #expect(found?.mode == .generic)
        attachment.detach()
    }

    @Test func `an MTU that the driver does not take natively is an error that says so`() throws {
        let lab = try Lab(mtu: 9_000)
        let object = try TestObject.load("answer")
        #expect {
            _ = try XDPAttachment(object.program("answer"), to: Lab.nodePort, in: lab.node)
        } throws: { error in
            (error as? SystemError)?.number == ERANGE && "\(error)".contains("MTU")
        }
        let asked = try XDPAttachment(
            object.program("answer"), to: Lab.nodePort, in: lab.node, allowing: .genericIfRefused)
        let (mode, number) = (asked.mode, asked.reasonForGeneric?.number)
        #expect(mode == .generic && number == ERANGE)
    }

    @Test func `an attachment outlives its interface without effect`() throws {
        var lab = try Lab()
        let attachment = try XDPAttachment(.passingEverything(), to: Lab.nodePort, in: lab.node)
        try lab.nodeRoutes.change { $0.deleteLink(.index(Lab.nodePort)) }
        let isInEffect = try attachment.isInEffect
        #expect(!isInEffect)
    }

    /// The name by which a child of this process finds its parent's namespace.
    private static func name(_ process: Int32) -> String { "patronus-test-child-\(process)" }

    /// Attaches a program in the parent's namespace for the rest of this process's life, and checks that it is so.
    private static func attachForLife() throws -> XDPAttachment {
        let namespace = try NetworkNamespace(named: name(getppid()))
        let attachment = try XDPAttachment(.passingEverything(), to: Lab.nodePort, in: namespace)
        var routes = try RouteSocket(in: namespace)
        guard try routes.existingLink(.index(Lab.nodePort)).program?.mode == .native else { exit(3) }
        return attachment
    }

    @Test func `a program goes with its process, whether that exits or is killed`() async throws {
        let lab = try Lab()
        try lab.node.publish(as: Self.name(getpid()))
        defer { try? NetworkNamespace.withdraw(Self.name(getpid())) }
        await #expect(processExitsWith: .signal(SIGKILL)) {
            let attachment = try AttachmentTests.attachForLife()
            kill(getpid(), SIGKILL)
            extendLifetime(attachment)
        }
        var routes = try RouteSocket(in: lab.node)
        let isGone = try eventually { try routes.existingLink(.index(Lab.nodePort)).program == nil }
        #expect(isGone)
        await #expect(processExitsWith: .exitCode(7)) {
            leave(status: 7, holding: try AttachmentTests.attachForLife())
        }
        let isGoneAgain = try eventually { try routes.existingLink(.index(Lab.nodePort)).program == nil }
        #expect(isGoneAgain)
    }

    @Test func `a pinned attachment stays until it is unpinned`() throws {
        var lab = try Lab()
        let folder = NSTemporaryDirectory() + "bpf-\(UUID().uuidString)"
        #expect(mkdir(folder, 0o700) == 0)
        defer { rmdir(folder) }
        try #require(mount("bpf", folder, "bpf", 0, nil) == 0)
        defer { umount2(folder, Int32(MNT_DETACH)) }
        let path = folder + "/attachment"
        do {
            let attachment = try XDPAttachment(.passingEverything(), to: Lab.nodePort, in: lab.node)
            try attachment.pin(at: path)
        }
        let stays = try program(at: Lab.nodePort, &lab.nodeRoutes)
        #expect(stays?.mode == .native)
        try XDPAttachment.unpin(path)
        let isGone = try eventually { try program(at: Lab.nodePort, &lab.nodeRoutes) == nil }
        #expect(isGone)
        #expect(throws: SystemError.self) { try XDPAttachment.unpin(path) }
        #expect(throws: SystemError.self) {
            try XDPAttachment(.passingEverything(), to: Lab.nodePort, in: lab.node).pin(at: "/proc/nowhere")
        }
    }
}

/// Ends the process without giving back what it holds.
private func leave(status: Int32, holding attachment: borrowing XDPAttachment) {
    exit(status)
}

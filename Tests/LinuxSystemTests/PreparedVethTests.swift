import Glibc
import LinuxSystem
import TestKit
import Testing
import Wire

/// Each way in which a veth swallows packets, shown first and then prevented.
@Suite(.serialized, .enabled(if: Kernel.canCompile, "\(Kernel.compilerReason)"))
struct PreparedVethTests {
    private static let count = 200

    /// Sends datagrams from host to sink and returns how many arrive.
    private func deliver(_ lab: borrowing Lab, size: Int = 100) throws -> Int {
        let sender = try DatagramSocket(in: lab.host)
        let receiver = try DatagramSocket(in: lab.sink, port: 5_000)
        let sent = sender.send(Self.count, size: size, to: Lab.sinkAddress, port: 5_000)
        #expect(sent == Self.count)
        return receiver.received(expecting: sent)
    }

    /// Loads a program that sends what it sees out of the far port.
    private func redirector(_ name: String, of lab: borrowing Lab) throws -> KernelProgram {
        let object = try TestObject.load(name)
        try lab.pointToFarPort(object)
        return try object.program(name)
    }

    @Test func `redirection into a bare veth delivers nothing, into a prepared one everything`() throws {
        let lab = try Lab()
        try lab.hostRoutes.set(.transmitChecksum, of: "h0", to: false)
        let attachment = try XDPAttachment(redirector("redirect", of: lab), to: Lab.nodePort, in: lab.node)
        let without = try deliver(lab)
        #expect(without == 0)
        let far = try PreparedVeth(Lab.farPort, in: lab.node, peerIn: lab.sink, leastMTU: 1_500)
        let with = try deliver(lab)
        #expect(with == Self.count)
        let (mode, hasStub) = (far.peerMode, far.hasStub)
        #expect(mode == .native && hasStub)
        attachment.detach()
    }

    @Test func `a peer that only aggregates gets nothing back, a prepared one everything`() throws {
        func reflect(_ lab: borrowing Lab) throws -> Int {
            let socket = try DatagramSocket(in: lab.host, port: 5_000)
            // The port is the source's own, so that what comes back finds the socket.
            _ = socket.send(Self.count, to: Lab.sinkAddress, port: 5_000)
            return socket.received(expecting: Self.count)
        }
        let program = try TestObject.load("reflect").program("reflect")
        do {
            let lab = try Lab()
            try lab.hostRoutes.set(.transmitChecksum, of: "h0", to: false)
            try lab.hostRoutes.set(.genericReceive, of: "h0", to: true)
            let attachment = try XDPAttachment(program, to: Lab.nodePort, in: lab.node)
            let without = try reflect(lab)
            #expect(without == 0)
            attachment.detach()
        }
        let lab = try Lab()
        let near = try PreparedVeth(Lab.nodePort, in: lab.node, peerIn: lab.host, leastMTU: 1_500)
        let attachment = try XDPAttachment(program, to: Lab.nodePort, in: lab.node)
        let with = try reflect(lab)
        #expect(with == Self.count)
        attachment.detach()
        extendLifetime(near)
    }

    @Test func `checksums left to a card that is not there are refused, and filled in on a prepared veth`() throws {
        let lab = try Lab()
        try lab.hostRoutes.set(.transmitChecksum, of: "h0", to: true)
        let far = try PreparedVeth(Lab.farPort, in: lab.node, peerIn: lab.sink, leastMTU: 1_500)
        let attachment = try XDPAttachment(redirector("redirect", of: lab), to: Lab.nodePort, in: lab.node)
        let before = try lab.sink.checksumErrors()
        let without = try deliver(lab)
        let errors = try lab.sink.checksumErrors() - before
        #expect(without == 0 && errors == Self.count)
        let near = try PreparedVeth(Lab.nodePort, in: lab.node, peerIn: lab.host, leastMTU: 1_500)
        let isOn = try lab.hostRoutes.isOn(.transmitChecksum, of: "h0")
        #expect(!isOn)
        let with = try deliver(lab)
        let after = try lab.sink.checksumErrors() - before
        #expect(with == Self.count && after == errors)
        attachment.detach()
        extendLifetime(near, far)
    }

    /// Sends full datagrams through an encapsulation of 50 octets and returns how many frames reach the sink's end.
    private func encapsulate(_ lab: inout Lab) throws -> Int {
        let before = try lab.sinkRoutes.existingLink(.index(Lab.sinkEnd)).counters.receivedPackets
        let sender = try DatagramSocket(in: lab.host)
        let sent = sender.send(Self.count, size: 1_472, to: Lab.sinkAddress, port: 5_000)
        #expect(sent == Self.count)
        var received = 0
        _ = try eventually(within: 0.4) {
            let now = try lab.sinkRoutes.existingLink(.index(Lab.sinkEnd)).counters.receivedPackets
            received = Int(now - before)
            return received >= Self.count
        }
        return received
    }

    @Test func `what no longer fits after encapsulation is dropped, and fits through a prepared veth`() throws {
        var lab = try Lab()
        let near = try PreparedVeth(Lab.nodePort, in: lab.node, peerIn: lab.host, leastMTU: 1_500)
        let attachment = try XDPAttachment(redirector("encapsulate", of: lab), to: Lab.nodePort, in: lab.node)
        do {
            let far = try PreparedVeth(Lab.farPort, in: lab.node, peerIn: lab.sink, leastMTU: 1_500)
            let without = try encapsulate(&lab)
            #expect(without == 0)
            extendLifetime(far)
        }
        let far = try PreparedVeth(Lab.farPort, in: lab.node, peerIn: lab.sink, leastMTU: 1_550)
        let mtu = far.mtu
        #expect(mtu == 1_550)
        let with = try encapsulate(&lab)
        #expect(with == Self.count)
        attachment.detach()
        extendLifetime(near, far)
    }

    @Test func `an MTU that may not be raised is an error with both figures, and changes nothing`() throws {
        var lab = try Lab()
        #expect(throws: SystemError.linkTooSmall("n1", mtu: 1_500, needed: 1_550)) {
            _ = try PreparedVeth(Lab.farPort, in: lab.node, peerIn: lab.sink, leastMTU: 1_550, policy: .demand)
        }
        try lab.nodeRoutes.change { $0.changeLink(.named("n1"), LinkChange(mtu: 1_550)) }
        var words = ""
        do throws(SystemError) {
            _ = try PreparedVeth(Lab.farPort, in: lab.node, peerIn: lab.sink, leastMTU: 1_550, policy: .demand)
        } catch {
            words = error.description
        }
        #expect(words == "s0 has an MTU of 1500 and would silently drop what is larger: it needs 1550")
        let state = try lab.sinkRoutes.existingLink(.index(Lab.sinkEnd))
        let isOn = try lab.sinkRoutes.isOn(.transmitChecksum, of: "s0")
        #expect(state.mtu == 1_500 && state.program == nil && isOn)
    }

    @Test func `a peer in another namespace than the one given is not mistaken for it`() throws {
        let lab = try Lab()
        #expect {
            _ = try PreparedVeth(Lab.nodePort, in: lab.node, peerIn: lab.sink, leastMTU: 1_500)
        } throws: { error in
            "\(error)".contains("the peer of n0")
        }
        #expect(throws: SystemError.self) {
            _ = try PreparedVeth(InterfaceIndex(1), in: lab.node, peerIn: lab.sink, leastMTU: 1_500)
        }
    }

    @Test func `a peer with a native program needs no stub, one with a generic program is refused`() throws {
        let lab = try Lab()
        let stub = try KernelProgram.passingEverything()
        do {
            let native = try XDPAttachment(stub, to: Lab.sinkEnd, in: lab.sink)
            let far = try PreparedVeth(Lab.farPort, in: lab.node, peerIn: lab.sink, leastMTU: 1_500)
            let hasStub = far.hasStub
            #expect(!hasStub)
            native.detach()
        }
        let generic = try XDPAttachment(stub, to: Lab.sinkEnd, in: lab.sink, allowing: .genericOnly)
        #expect {
            _ = try PreparedVeth(Lab.farPort, in: lab.node, peerIn: lab.sink, leastMTU: 1_500)
        } throws: { error in
            "\(error)".contains("generic")
        }
        generic.detach()
    }

    @Test func `nothing is left behind`() throws {
        let witness = try NetworkNamespace()
        var routes = try RouteSocket(in: witness)
        var programs: [UInt32] = []
        do {
            var lab = try Lab()
            let far = try PreparedVeth(Lab.farPort, in: lab.node, peerIn: lab.sink, leastMTU: 1_550)
            let near = try PreparedVeth(Lab.nodePort, in: lab.node, peerIn: lab.host, leastMTU: 1_550)
            let program = try redirector("redirect", of: lab)
            let attachment = try XDPAttachment(program, to: Lab.nodePort, in: lab.node)
            try lab.nodeRoutes.change { $0.createVeth(VethEnd("w0"), peer: VethEnd("w1"), in: witness) }
            let states = [
                try lab.hostRoutes.existingLink(.index(Lab.hostEnd)),
                try lab.sinkRoutes.existingLink(.index(Lab.sinkEnd)),
                try lab.nodeRoutes.existingLink(.index(Lab.nodePort)),
            ]
            programs = states.compactMap { $0.program?.identifier }
            let areLoaded = try programs.allSatisfy { identifier throws in try KernelProgram.exists(identifier) }
            let link = try routes.link(.named("w1"))
            #expect(programs.count == 3 && areLoaded && link != nil)
            extendLifetime(attachment)
            extendLifetime(near, far)
        }
        // The witness's end goes when the node's namespace, which has the other, is gone.
        let areLinksGone = try eventually { try routes.link(.named("w1")) == nil }
        let areProgramsGone = try eventually { try !programs.contains { try KernelProgram.exists($0) } }
        #expect(areLinksGone && areProgramsGone)
    }
}

/// Keeps two handles until here.
func extendLifetime(_ one: borrowing PreparedVeth, _ other: borrowing PreparedVeth) {}

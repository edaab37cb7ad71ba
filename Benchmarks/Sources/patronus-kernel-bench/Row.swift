import LinuxSystem
import Wire

/// Three namespaces in a row - generator, node, sink - joined by veths: where a data plane is measured.
///
/// Frames are made in the kernel (BPF_PROG_TEST_RUN with live frames) at the generator's end, come in at the node's
/// near port, and are counted and dropped at the sink's end by a program, before a packet is made of them.
struct Row: ~Copyable {
    let generator: NetworkNamespace
    let node: NetworkNamespace
    let sink: NetworkNamespace
    private var sinkRoutes: RouteSocket
    private let stub: XDPAttachment
    private let drain: XDPAttachment

    static let generatorEnd = InterfaceIndex(10)
    static let nearPort = InterfaceIndex(11)
    static let farPort = InterfaceIndex(12)
    static let sinkEnd = InterfaceIndex(13)
    static let nearMAC = MACAddress(locallyAdministered: 11)
    static let generatorMAC = MACAddress(locallyAdministered: 10)
    static let sinkMAC = MACAddress(locallyAdministered: 13)
    static let source = IPv4Address(10, 0, 0, 1)
    static let destination = IPv4Address(10, 1, 0, 1)

    /// Makes the row; veths have room for what encapsulation adds.
    init(mtu: UInt32 = 1_600) throws(SystemError) {
        let generator = try NetworkNamespace()
        let node = try NetworkNamespace()
        let sink = try NetworkNamespace()
        for name in ["all", "default"] {
            try generator.setParameter("ipv6/conf/\(name)/disable_ipv6", to: "1")
            try node.setParameter("ipv6/conf/\(name)/disable_ipv6", to: "1")
            try sink.setParameter("ipv6/conf/\(name)/disable_ipv6", to: "1")
        }
        var routes = try RouteSocket(in: node)
        var generatorRoutes = try RouteSocket(in: generator)
        var sinkRoutes = try RouteSocket(in: sink)
        try routes.change { batch in
            batch.createVeth(
                VethEnd("n0", index: Self.nearPort, mtu: mtu, address: Self.nearMAC),
                peer: VethEnd("g0", index: Self.generatorEnd, mtu: mtu, address: Self.generatorMAC), in: generator)
            batch.createVeth(
                VethEnd("n1", index: Self.farPort, mtu: mtu),
                peer: VethEnd("s0", index: Self.sinkEnd, mtu: mtu, address: Self.sinkMAC), in: sink)
            for port in [Self.nearPort, Self.farPort] { batch.changeLink(.index(port), LinkChange(isUp: true)) }
        }
        try generatorRoutes.change { $0.changeLink(.index(Self.generatorEnd), LinkChange(isUp: true)) }
        try sinkRoutes.change { $0.changeLink(.index(Self.sinkEnd), LinkChange(isUp: true)) }
        let stub = try XDPAttachment(.passingEverything(), to: Self.generatorEnd, in: generator)
        let drain = try XDPAttachment(.answering(.drop), to: Self.sinkEnd, in: sink)
        self.generator = generator
        self.node = node
        self.sink = sink
        self.sinkRoutes = sinkRoutes
        self.stub = stub
        self.drain = drain
    }

    /// Has the node's kernel forward from the near port to the far one, as a router without a data plane.
    func forward() throws(SystemError) {
        var routes = try RouteSocket(in: node)
        try routes.change { batch in
            batch.addAddress(
                InterfaceAddress(.v4(IPv4Address(10, 0, 0, 254)), prefixLength: 24, on: Self.nearPort))
            batch.addAddress(
                InterfaceAddress(.v4(IPv4Address(10, 1, 0, 254)), prefixLength: 16, on: Self.farPort))
            batch.addNeighbour(Neighbour(.v4(Self.destination), at: Self.sinkMAC, on: Self.farPort))
        }
        // What receives frames from a program has to poll, and without a program it polls only to aggregate.
        try routes.set(.genericReceive, of: "n0", to: true)
        try node.setParameter("ipv4/ip_forward", to: "1")
        for name in ["all", "n0"] { try node.setParameter("ipv4/conf/\(name)/rp_filter", to: "0") }
    }

    /// How many frames have reached the sink.
    mutating func received() throws(SystemError) -> UInt64 {
        try sinkRoutes.existingLink(.index(Self.sinkEnd)).counters.receivedPackets
    }

    /// Sends `count` copies of a frame into the near port.
    func send(_ frame: RawSpan, times count: Int) throws(SystemError) {
        let program = try KernelProgram.transmitting(frame.extracting(0..<60))
        try generator.perform { () throws(SystemError) in
            try program.runLive(on: frame, times: count, from: Self.generatorEnd)
        }
    }

    /// A UDP datagram from the generator to the sink in an Ethernet frame of `size` octets, without a UDP checksum.
    ///
    /// An answer goes the other way, though by the same port.
    static func frame(size: Int, port: Int = 0x1234, isAnswer: Bool = false) -> [UInt8] {
        func two(_ value: Int) -> [UInt8] { [UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)] }
        func address(_ address: IPv4Address) -> [UInt8] {
            two(Int(address.bits >> 16)) + two(Int(address.bits & 0xFFFF))
        }
        func hardware(_ address: MACAddress) -> [UInt8] {
            (0..<6).map { UInt8(truncatingIfNeeded: address.bits >> (40 - 8 * $0)) }
        }
        var ip: [UInt8] = [0x45, 0] + two(size - 14) + [0, 1, 0, 0, 64, 17, 0, 0]
        ip += isAnswer ? address(destination) + address(source) : address(source) + address(destination)
        var sum = stride(from: 0, to: 20, by: 2).reduce(0) { $0 + (Int(ip[$1]) << 8 | Int(ip[$1 + 1])) }
        while sum > 0xFFFF { sum = (sum & 0xFFFF) + (sum >> 16) }
        ip.replaceSubrange(10..<12, with: two(~sum & 0xFFFF))
        let udp = (isAnswer ? two(5_000) + two(port) : two(port) + two(5_000)) + two(size - 34) + [0, 0]
        let frame = hardware(nearMAC) + hardware(generatorMAC) + [8, 0] + ip + udp
        return frame + [UInt8](repeating: 0, count: max(0, size - frame.count))
    }
}

import Glibc
import LinuxSystem

/// What is put into the node of a row to be measured.
protocol Subject {
    var name: String { get }
    /// What it is, when it is there for others of its name to be compared with.
    var peer: String? { get }

    /// Puts itself into the node; what it returns stays attached while it is measured, nil for the kernel itself.
    func prepare(_ row: borrowing Row) throws(SystemError) -> Running
}

/// The project's own program: the flow goes into a tunnel out of the far port.
struct OwnProgram: Subject {
    let name = "veth-forwarding"

    func prepare(_ row: borrowing Row) throws(SystemError) -> Running {
        let dataplane = try KernelDataplane()
        let bench = try ProgramBench(dataplane, row)
        try bench.prime(ports: 0x1234..<0x1235)
        return try Running(attachment: XDPAttachment(dataplane.program, to: Row.nearPort, in: row.node))
    }
}

/// What runs while frames flow, and goes when it is dropped.
struct Running: ~Copyable {
    let attachment: XDPAttachment?
}

extension Subject {
    var peer: String? { nil }
}

/// The kernel's own forwarding, which the others are compared with.
struct KernelForwarding: Subject {
    let name = "veth-forwarding"
    let peer: String? = "kernel-ip"

    func prepare(_ row: borrowing Row) throws(SystemError) -> Running {
        try row.forward()
        return Running(attachment: nil)
    }
}

/// A program that does nothing but send every frame out of the far port.
struct BareRedirection: Subject {
    let name = "veth-xdp-redirect"

    func prepare(_ row: borrowing Row) throws(SystemError) -> Running {
        try Running(attachment: XDPAttachment(.redirecting(to: Row.farPort), to: Row.nearPort, in: row.node))
    }
}

/// A program of an object, of which `ports`, a map of devices, gets the far port as each of its entries.
struct CompiledProgram: Subject {
    let name: String
    let octets: [UInt8]
    let program: String
    let ports: String

    init(object path: String, program: String, ports: String) throws(SystemError) {
        name = "veth-xdp-\(program)"
        octets = try contents(of: path)
        self.program = program
        self.ports = ports
    }

    func prepare(_ row: borrowing Row) throws(SystemError) -> Running {
        var file = try ObjectFile(octets.span.bytes, name: "bench")
        try file.keepOnly(programs: [program])
        let object = try file.load()
        let map = try object.map(ports)
        try row.node.perform { () throws(SystemError) in
            for entry in 0..<UInt32(map.maximumEntries) {
                try map.update([entry].span.bytes, to: [Row.farPort.number].span.bytes)
            }
        }
        return try Running(attachment: XDPAttachment(object.program(program), to: Row.nearPort, in: row.node))
    }
}

private func contents(of path: String) throws(SystemError) -> [UInt8] {
    let file = try FileDescriptor(path: path, flags: O_RDONLY)
    var octets: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(file.number, &piece, piece.count)
        guard count > 0 else { return octets }
        octets += piece.prefix(count)
    }
}

import Glibc
public import LinuxSystem

// A lab's ground, made: namespaces and links that are held by descriptors.
//
// Everything hangs on this value's descriptors and on nothing else. When they are closed, by `tearDown`, at the end of
// the process or because it was killed, the kernel takes namespaces, veths and TAPs away in the background.

/// The namespaces and links of a lab, for as long as this value lives.
public struct Ground: ~Copyable {
    public let plan: GroundPlan
    public let lab: LabName
    var sites: [Site]
    var wires: [Wire?]

    /// One namespace, with the socket that was opened inside it.
    final class Site {
        let namespace: NetworkNamespace
        var routes: RouteSocket
        /// By which index the kernel knows each port.
        var interfaces: [InterfaceIndex] = []

        init(_ namespace: consuming NetworkNamespace, _ routes: consuming RouteSocket) {
            self.namespace = namespace
            self.routes = routes
        }
    }

    /// The TAPs of one link until somebody takes them.
    final class Wire {
        var first: TapDevice?
        var second: TapDevice?
    }

    /// The two ends of a wire: what is read from one is what its node sent.
    public struct TapPair: ~Copyable {
        public let first: TapDevice
        public let second: TapDevice
    }

    init(_ plan: GroundPlan, _ lab: LabName, _ sites: [Site]) {
        self.plan = plan
        self.lab = lab
        self.sites = sites
        wires = plan.links.map { $0.kind == .wire ? Wire() : nil }
    }

    /// Another owner of a node's namespace.
    public func namespace(ofNode index: Int) throws(SystemError) -> NetworkNamespace {
        try sites[index].namespace.shared()
    }

    /// By which index the kernel knows a port, given by its number, in its node's namespace.
    public func interface(ofNode index: Int, port: Int) -> InterfaceIndex {
        sites[index].interfaces[port]
    }

    /// Hands out the TAPs of a wire, once.
    public mutating func takeTaps(ofLink index: Int) -> TapPair? {
        guard let wire = wires[index], let first = wire.first.take(), let second = wire.second.take() else {
            return nil
        }
        wires[index] = nil
        return TapPair(first: first, second: second)
    }

    /// Lets go of everything; the kernel clears up by itself.
    public consuming func tearDown() {}
}

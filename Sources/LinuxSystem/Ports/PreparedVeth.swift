// A veth that a data plane can transmit on and receive from.
//
// veth drops in silence what it cannot do, so whoever runs an XDP program on one end has to see to the other end first:
//
// - A frame that is redirected or sent back out (XDP_REDIRECT, XDP_TX) is delivered only to an end that polls, and
//   the one way of making it poll that serves both is an XDP program there: the peer gets one that passes everything.
// - Attaching XDP does not switch off the peer's transmit checksum offload, so a host's UDP and TCP would leave with
//   empty checksums and be redirected so: it is switched off.
// - A frame larger than the MTU of either end and an Ethernet header is dropped: the MTU has to have room for what
//   encapsulation adds, and is raised, or its want is an error.
// - A driver that does not take the program natively would take it in generic mode, where other rules hold: the mode is
//   demanded and read back.
//
// What was done to MTU and offload stays; the programs go with this value.

/// One end of a veth with its other end made ready for a data plane.
public struct PreparedVeth: ~Copyable {
    /// The end on which the data plane runs.
    public let port: InterfaceIndex
    /// The other end, by its index in its own namespace.
    public let peer: InterfaceIndex
    /// The MTU of the peer, which bounds what can be sent to it.
    public let mtu: UInt32
    /// How the peer's program is attached.
    public let peerMode: XDPMode
    private let stub: XDPAttachment?

    /// What to do about a veth whose MTU is too small.
    public enum MTUPolicy: Sendable {
        /// Raise it at both ends.
        case raise
        /// Refuse it, with both figures.
        case demand
    }

    /// Prepares the veth of which `port` is one end.
    ///
    /// `leastMTU` is the size of the largest IP packet that will be sent to the peer, encapsulation included.
    public init(
        _ port: InterfaceIndex, in namespace: borrowing NetworkNamespace,
        peerIn peerNamespace: borrowing NetworkNamespace, leastMTU: UInt32, policy: MTUPolicy = .raise
    ) throws(SystemError) {
        var routes = try RouteSocket(in: namespace)
        var peerRoutes = try RouteSocket(in: peerNamespace)
        let own = try routes.existingLink(.index(port))
        let peer = try Self.peer(of: own, &peerRoutes)
        let mtu = try Self.makeRoom(leastMTU, policy, own, &routes, peer, &peerRoutes)
        try peerRoutes.set(.transmitChecksum, of: peer.name, to: false)
        if let program = peer.program {
            // Both ends of a veth may be data planes; then each is prepared, and neither needs a stub.
            guard program.mode == .native else {
                throw .notAsAsked(
                    "XDP on \(peer.name)", asked: "a native program", found: "a \(program.mode.rawValue) one")
            }
            stub = nil
            peerMode = program.mode
        } else {
            let attachment = try XDPAttachment(.passingEverything(), to: peer.index, in: peerNamespace)
            peerMode = attachment.mode
            stub = consume attachment
        }
        self.port = port
        self.peer = peer.index
        self.mtu = mtu
    }

    /// The other end of a veth, which must be where it is looked for and know of this one.
    private static func peer(of own: LinkState, _ routes: inout RouteSocket) throws(SystemError) -> LinkState {
        guard own.kind == "veth", let index = own.peer else {
            throw .notAsAsked(own.name, asked: "a veth", found: own.kind.isEmpty ? "another device" : own.kind)
        }
        let found = try routes.link(.index(index))
        guard let peer = found, peer.kind == "veth", peer.peer == own.index else {
            throw .notAsAsked(
                "the peer of \(own.name)", asked: "\(index) of the namespace given",
                found: found.map { "\($0.name), which is not it" } ?? "none there")
        }
        return peer
    }

    /// Sees to the MTUs of both ends, for the kernel looks at both, and returns the peer's.
    private static func makeRoom(
        _ needed: UInt32, _ policy: MTUPolicy, _ own: LinkState, _ routes: inout RouteSocket, _ peer: LinkState,
        _ peerRoutes: inout RouteSocket
    ) throws(SystemError) -> UInt32 {
        try raise(own, to: needed, policy, &routes)
        return try raise(peer, to: needed, policy, &peerRoutes)
    }

    @discardableResult
    private static func raise(
        _ link: LinkState, to needed: UInt32, _ policy: MTUPolicy, _ routes: inout RouteSocket
    ) throws(SystemError) -> UInt32 {
        if link.mtu >= needed { return link.mtu }
        guard policy == .raise else { throw .linkTooSmall(link.name, mtu: link.mtu, needed: needed) }
        try routes.change { $0.changeLink(.index(link.index), LinkChange(mtu: needed)) }
        let mtu = try routes.existingLink(.index(link.index)).mtu
        guard mtu >= needed else { throw .linkTooSmall(link.name, mtu: mtu, needed: needed) }
        return mtu
    }

    /// Whether the peer got a program only to make it poll.
    public var hasStub: Bool { stub != nil }
}

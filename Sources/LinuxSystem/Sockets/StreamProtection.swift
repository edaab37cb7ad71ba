import CLinux
import Glibc
import Wire

/// What keeps strangers out of connections with one peer.
public struct StreamProtection: Equatable, Sendable {
    /// Signs every segment to and from the peer (RFC 2385); empty for nothing.
    public var digestKey: [UInt8] = []
    /// What comes with a lower hop limit is not taken (RFC 5082).
    public var leastHopLimit: UInt8?
    /// What is sent carries it.
    public var hopLimit: UInt8?

    public init() {}
}

extension StreamProtection {
    func apply(to socket: borrowing FileDescriptor, peer: SocketAddress) throws(SystemError) {
        let isIPv4 = peer.address.isIPv4
        if let leastHopLimit {
            try setOption(
                peer.address.optionLevel, isIPv4 ? IP_MINTTL : IPV6_MINHOPCOUNT, to: Int32(leastHopLimit), of: socket,
                "the least hop limit")
        }
        if let hopLimit { try setHopLimit(hopLimit, of: socket, for: peer) }
        if !digestKey.isEmpty { try setDigestKey(digestKey, of: socket, for: peer) }
    }
}

/// Sets what packets to a peer carry as their hop limit.
func setHopLimit(_ hopLimit: UInt8, of socket: borrowing FileDescriptor, for peer: SocketAddress) throws(SystemError) {
    try setOption(
        peer.address.optionLevel, peer.address.isIPv4 ? IP_TTL : IPV6_UNICAST_HOPS, to: Int32(hopLimit), of: socket,
        "the hop limit")
}

/// Has every segment to and from a peer carry a keyed digest (RFC 2385).
func setDigestKey(
    _ key: [UInt8], of socket: borrowing FileDescriptor, for peer: SocketAddress
) throws(SystemError) {
    var address = peer.kernelForm
    try checked(
        clinux_set_digest_key(socket.number, &address, key, key.count), "sign segments to and from \(peer.address)")
}

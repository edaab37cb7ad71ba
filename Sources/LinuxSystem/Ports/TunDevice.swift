import Glibc

/// A TUN: an interface whose other side is a descriptor, one IP packet a read or write.
///
/// It is gone when the descriptor is closed.
public struct TunDevice: ~Copyable, Sendable {
    public let interface: InterfaceIndex
    public let name: String
    /// Neither blocking nor inherited by children; with offloads, packets have a header of the kernel's in front.
    public let descriptor: FileDescriptor
    private let hasOffloads: Bool

    /// Makes a TUN of that name, which is not up yet; its MTU is 1500 unless given.
    ///
    /// `alias` is the mark by which what made it finds it again. As many packets as `transmitQueueLength` wait for the
    /// reader, after which the kernel drops. With offloads what is read are ``OffloadedPackets``.
    public init(
        named name: String, in namespace: borrowing NetworkNamespace, mtu: UInt32? = nil, alias: String? = nil,
        hasOffloads: Bool = false, transmitQueueLength: UInt32 = 10_000
    ) throws(SystemError) {
        let change = LinkChange(mtu: mtu, alias: alias)
        let made = try namespace.perform { () throws(SystemError) in
            try OtherSide(
                ofInterface: name, hasEthernet: false, hasOffloads ? .both : .none, change, transmitQueueLength)
        }
        self.name = name
        self.hasOffloads = hasOffloads
        interface = made.interface
        descriptor = made.takeDescriptor()
    }

    /// Says whether the other side is there, which the kernel tells all who watch the interface.
    public func setCarrier(_ isUp: Bool) throws(SystemError) {
        try OtherSide.setCarrier(isUp, by: descriptor, of: name)
    }

    /// Hands the kernel a packet, whole and with its checksums, as if it had arrived; false where it does not take it.
    public func write(_ packet: RawSpan) -> Bool {
        packet.withUnsafeBytes { packet in
            guard hasOffloads else { return Glibc.write(descriptor.number, packet.baseAddress, packet.count) > 0 }
            // Ten octets of zero: nothing is left to be done to what follows.
            var header: (UInt64, UInt16) = (0, 0)
            return withUnsafeMutableBytes(of: &header) { header in
                var pieces = (
                    iovec(iov_base: header.baseAddress, iov_len: OffloadedPackets.headerByteCount),
                    iovec(iov_base: UnsafeMutableRawPointer(mutating: packet.baseAddress), iov_len: packet.count)
                )
                return withUnsafeBytes(of: &pieces) {
                    writev(descriptor.number, $0.baseAddress?.assumingMemoryBound(to: iovec.self), 2) > 0
                }
            }
        }
    }
}

/// A TUN: an interface whose other side is a descriptor, one IP packet a read or write.
///
/// It is gone when the descriptor is closed.
public struct TunDevice: ~Copyable, Sendable {
    public let interface: InterfaceIndex
    public let name: String
    /// Neither blocking nor inherited by children; packets have no header of the kernel's in front.
    public let descriptor: FileDescriptor

    /// Makes a TUN of that name, which is not up yet; its MTU is 1500 unless given.
    ///
    /// `alias` is the mark by which what made it finds it again. As many packets as `transmitQueueLength` wait for the
    /// reader, after which the kernel drops.
    public init(
        named name: String, in namespace: borrowing NetworkNamespace, mtu: UInt32? = nil, alias: String? = nil,
        transmitQueueLength: UInt32 = 10_000
    ) throws(SystemError) {
        let change = LinkChange(mtu: mtu, alias: alias)
        let made = try namespace.perform { () throws(SystemError) in
            try OtherSide(ofInterface: name, hasEthernet: false, change, transmitQueueLength)
        }
        self.name = name
        interface = made.interface
        descriptor = made.takeDescriptor()
    }

    /// Says whether the other side is there, which the kernel tells all who watch the interface.
    public func setCarrier(_ isUp: Bool) throws(SystemError) {
        try OtherSide.setCarrier(isUp, by: descriptor, of: name)
    }
}

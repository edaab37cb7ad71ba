public import Wire

/// A TAP: an interface whose other side is a descriptor, one Ethernet frame a read or write.
///
/// It is gone when the descriptor is closed.
public struct TapDevice: ~Copyable, Sendable {
    public let interface: InterfaceIndex
    public let name: String
    /// Neither blocking nor inherited by children; where segments are taken together, frames have the kernel's header
    /// in front.
    public let descriptor: FileDescriptor
    /// Whether what is written may be ``JoinedSegments``.
    public let takesJoinedSegments: Bool

    /// Makes a TAP of that name, which is not up yet; its MTU is 1500 unless given.
    ///
    /// `alias` is the mark by which what made it finds it again. As many frames as `transmitQueueLength` wait for the
    /// reader, after which the kernel drops: many, for what a link loses is the link's to decide.
    public init(
        named name: String, in namespace: borrowing NetworkNamespace, address: MACAddress? = nil, mtu: UInt32? = nil,
        alias: String? = nil, takesJoinedSegments: Bool = false, transmitQueueLength: UInt32 = 10_000
    ) throws(SystemError) {
        let change = LinkChange(mtu: mtu, address: address, alias: alias)
        let made = try namespace.perform { () throws(SystemError) in
            try OtherSide(
                ofInterface: name, hasEthernet: true, takesJoinedSegments ? .written : .none, change,
                transmitQueueLength)
        }
        self.name = name
        self.takesJoinedSegments = takesJoinedSegments
        interface = made.interface
        descriptor = made.takeDescriptor()
    }

    /// Says whether the other side is there, which the kernel tells all who watch the interface.
    public func setCarrier(_ isUp: Bool) throws(SystemError) {
        try OtherSide.setCarrier(isUp, by: descriptor, of: name)
    }
}

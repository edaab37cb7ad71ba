import CLinux
public import Wire

/// Sends whole IP packets, with whatever source they name, from the namespace in which it was opened.
public struct RawSocket: ~Copyable {
    private let descriptor: FileDescriptor
    private let isIPv4: Bool

    /// A socket for packets of one family.
    public init(isIPv4: Bool) throws(SystemError) {
        self.isIPv4 = isIPv4
        descriptor = try FileDescriptor(
            owning: checked(clinux_raw_socket(isIPv4 ? 1 : 0), "open a socket for whole packets"))
    }

    /// Sends a packet by the kernel's route to a destination; false where there is no room for it now.
    public func send(_ packet: RawSpan, to destination: IPAddress) throws(SystemError) -> Bool {
        let octets = destination.networkOctets
        let status = packet.withUnsafeBytes { bytes in
            clinux_send_raw(descriptor.number, octets, isIPv4 ? 1 : 0, bytes.baseAddress, bytes.count)
        }
        if status == 0 { return true }
        guard status > 0 else { throw .refused("send a packet to \(destination)", number: -status, explanation: "") }
        return false
    }
}

extension IPAddress {
    fileprivate var networkOctets: [UInt8] {
        switch self {
        case .v4(let address): withUnsafeBytes(of: address.bits.bigEndian) { Array($0) }
        case .v6(let address):
            withUnsafeBytes(of: address.high.bigEndian) { Array($0) }
                + withUnsafeBytes(of: address.low.bigEndian) { Array($0) }
        }
    }
}

import CLinux
import Wire

extension SocketAddress {
    /// The address as the kernel's calls take it.
    var kernelForm: clinux_address {
        switch address {
        case .v4(let address):
            clinux_address(high: 0, low: UInt64(address.bits), port: port, is_ipv4: 1)
        case .v6(let address):
            clinux_address(high: address.high, low: address.low, port: port, is_ipv4: 0)
        }
    }

    init(_ form: clinux_address) {
        self.init(
            form.is_ipv4 != 0
                ? .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: form.low)))
                : .v6(IPv6Address(high: form.high, low: form.low)),
            port: form.port)
    }
}

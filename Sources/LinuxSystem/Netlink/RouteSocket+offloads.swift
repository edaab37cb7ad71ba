import CLinux

/// Work that a driver may take from the kernel, or put off.
public enum Offload: String, Sendable {
    /// The sender leaves checksums empty, for the card to fill in; a veth has no card.
    case transmitChecksum = "transmit checksum"
    case receiveChecksum = "receive checksum"
    /// Packets of a flow are handed up as one.
    case genericReceive = "generic receive (GRO)"
    case genericSegmentation = "generic segmentation (GSO)"
    case tcpSegmentation = "TCP segmentation (TSO)"
    /// The card hands packets of a flow up as one, which cannot be undone and so must not be forwarded.
    case largeReceive = "large receive (LRO)"

    fileprivate var feature: clinux_ethtool_feature {
        switch self {
        case .transmitChecksum: CLINUX_TRANSMIT_CHECKSUM
        case .receiveChecksum: CLINUX_RECEIVE_CHECKSUM
        case .genericReceive: CLINUX_GENERIC_RECEIVE
        case .genericSegmentation: CLINUX_GENERIC_SEGMENTATION
        case .tcpSegmentation: CLINUX_TCP_SEGMENTATION
        case .largeReceive: CLINUX_LARGE_RECEIVE
        }
    }
}

extension RouteSocket {
    /// Whether an interface has an offload switched on.
    public func isOn(_ offload: Offload, of interface: String) throws(SystemError) -> Bool {
        try checked(
            clinux_get_feature(number, interface, offload.feature), "read the \(offload.rawValue) of \(interface)") != 0
    }

    /// Switches an offload, and reads back that it is so: a driver may keep what it cannot do without.
    public func set(_ offload: Offload, of interface: String, to isOn: Bool) throws(SystemError) {
        let name = "the \(offload.rawValue) of \(interface)"
        try checked(clinux_set_feature(number, interface, offload.feature, isOn ? 1 : 0), "switch \(name)")
        let found = try self.isOn(offload, of: interface)
        if found != isOn { throw .notAsAsked(name, asked: isOn ? "on" : "off", found: found ? "on" : "off") }
    }

    /// The name of the driver behind an interface.
    public func driver(of interface: String) throws(SystemError) -> String {
        var name = [CChar](repeating: 0, count: 32)
        try checked(clinux_driver(number, interface, &name), "read the driver of \(interface)")
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

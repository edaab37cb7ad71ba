import Basics
import Machine
import Wire

/// A kernel's attachment to a link.
struct Port {
    let name: String
    /// The link direction that leads away from here.
    let direction: Int
    let hardware: MACAddress
    let address4: IPv4Address?
    let address6: IPv6Address?
    /// The other end's addresses, which packets without a nearer route on this port go to.
    let gateway4: IPv4Address?
    let gateway6: IPv6Address?
    /// The largest IP packet.
    var mtu: Int
    var isUp = true
}

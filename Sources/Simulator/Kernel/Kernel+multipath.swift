import Basics
import Wire

/// Routes with several hops: each flow takes one of them (RFC 2992).
extension Kernel {
    /// The hop that a packet takes, whose IP header is written.
    func hop(of group: Int, for packet: PacketID, _ network: borrowing Network) -> PortHop {
        hop(of: group, flowHash: network.pool.flowHash(of: packet))
    }

    /// The hop of a flow: the hash's range is divided evenly among the hops whose port has a carrier.
    ///
    /// Where none has, the flow keeps to one of them, and its packets are dropped there.
    func hop(of group: Int, flowHash: UInt32) -> PortHop {
        let hops = forwarding.groups[group]
        let live = hops.count { ports[$0.port].isUp }
        let place = Self.place(of: salted(flowHash), among: live > 0 ? live : hops.count)
        guard live > 0 else { return hops[place] }
        var chosen = hops[0]
        var ahead = place
        for hop in hops where ports[hop.port].isUp {
            chosen = hop
            guard ahead > 0 else { break }
            ahead -= 1
        }
        return chosen
    }

    /// The smallest largest packet of a set's ports.
    func mtu(ofGroup group: Int) -> Int {
        forwarding.groups[group].map { ports[$0.port].mtu }.min() ?? 1_500
    }

    private static func place(of hash: UInt32, among count: Int) -> Int {
        Int(truncatingIfNeeded: (UInt64(hash) &* UInt64(count)) >> 32)
    }

    /// Every kernel divides otherwise: of the flows that one has sent one way, the next would send all one way as well.
    private func salted(_ hash: UInt32) -> UInt32 {
        var mixed = hash ^ (UInt32(truncatingIfNeeded: device) &* 0x9E37_79B9)
        mixed = (mixed ^ (mixed >> 16)) &* 0x85EB_CA6B
        mixed = (mixed ^ (mixed >> 13)) &* 0xC2B2_AE35
        return mixed ^ (mixed >> 16)
    }
}

import CMnl
import Glibc

/// What this machine's kernel can do, found out by trying.
public enum KernelAbilities {
    /// Whether the kernel can delay packets by itself (`tc-netem(8)`), tried in a namespace made for it.
    ///
    /// Only told: impairments are those of the userspace wire on every kernel, so that a link is the same everywhere.
    public static func hasNetem() throws(SystemError) -> Bool {
        let namespace = try NetworkNamespace()
        var routes = try RouteSocket(in: namespace)
        do throws(SystemError) {
            try routes.change { $0.addNetem(to: InterfaceIndex(1)) }
            return true
        } catch {
            guard [ENOENT, EOPNOTSUPP, ENODEV].contains(error.number) else { throw error }
            return false
        }
    }
}

extension NetlinkBatch {
    /// Gives an interface a queue that holds a thousand packets and does nothing to them.
    fileprivate mutating func addNetem(to interface: InterfaceIndex) {
        append(RTM_NEWQDISC, ChangeFlags.create, "add netem to \(interface)") { message in
            var header = tcmsg()
            header.tcm_family = UInt8(AF_UNSPEC)
            header.tcm_ifindex = Int32(bitPattern: interface.number)
            header.tcm_parent = UInt32.max
            message.put(structure: header)
            message.put(Int(TCA_KIND), "netem")
            var options = tc_netem_qopt()
            options.limit = 1_000
            message.put(Int(TCA_OPTIONS), octets: withUnsafeBytes(of: &options) { Array($0) })
        }
    }
}

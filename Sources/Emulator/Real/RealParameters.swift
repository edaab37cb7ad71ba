import LinuxHost
import LinuxSystem
import Wire

/// The kernel's parameters that make taken interfaces behave as a node's ports, those interfaces' own as far as can be.
enum RealParameters {
    struct Parameter: Equatable, Sendable {
        let name: String
        let value: String
    }

    /// Those of a port, which are all below its own interface's name.
    static func wanted(for port: RealPlan.Port) -> [Parameter] {
        guard let interface = port.interface else { return [] }
        var found = [
            Parameter(name: "ipv4/conf/\(interface)/forwarding", value: "1"),
            // Answers may come by another way than questions left: that is what several providers are for.
            Parameter(name: "ipv4/conf/\(interface)/rp_filter", value: reversePathFilter),
            Parameter(name: "ipv4/conf/\(interface)/send_redirects", value: "0"),
            // Two ports on one segment each speak for their own addresses.
            Parameter(name: "ipv4/conf/\(interface)/arp_ignore", value: "1"),
            Parameter(name: "ipv4/conf/\(interface)/arp_announce", value: "2"),
        ]
        if port.addresses.contains(where: { !$0.address.isIPv4 }) {
            found += [("disable_ipv6", "0"), ("accept_ra", "0"), ("autoconf", "0"), ("keep_addr_on_down", "1")].map {
                Parameter(name: "ipv6/conf/\(interface)/\($0.0)", value: $0.1)
            }
        }
        return found
    }

    /// Those that have the flows of a route with several next hops told apart by their ports too.
    ///
    /// They are the whole machine's: its other routes of that kind divide flows in the same way while the node runs.
    static let spreadingFlows = ["ipv4", "ipv6"].map {
        Parameter(name: "\($0)/fib_multipath_hash_policy", value: "1")
    }

    /// The greater of an interface's own value and that of all counts: where all are strict, loose is what can be had.
    private static var reversePathFilter: String {
        value(of: "ipv4/conf/all/rp_filter") == "0" ? "0" : "2"
    }

    /// Those that have IPv6 forwarded between interfaces.
    ///
    /// Older kernels forward by all interfaces or by none; then each interface's own value is named too, for setting
    /// the one changes the others.
    static func forwardingIPv6(by interfaces: [String], among all: [String]) -> [Parameter] {
        let own = interfaces.map { "ipv6/conf/\($0)/force_forwarding" }
        if own.allSatisfy({ value(of: $0) != nil }) { return own.map { Parameter(name: $0, value: "1") } }
        let others = ["default"] + all.filter { !interfaces.contains($0) }
        return believingRouters(by: others)
            + (["all", "default"] + all).map { Parameter(name: "ipv6/conf/\($0)/forwarding", value: "1") }
    }

    /// Those that have interfaces believe routers as they do now, though they are going to forward.
    ///
    /// Without, the kernel forgets at once the default routes that routers have told it.
    private static func believingRouters(by interfaces: [String]) -> [Parameter] {
        let believing = interfaces.filter { name in
            value(of: "ipv6/conf/\(name)/accept_ra") == "1" && value(of: "ipv6/conf/\(name)/forwarding") == "0"
        }
        return believing.map { Parameter(name: "ipv6/conf/\($0)/accept_ra", value: "2") }
    }

    private static func value(of name: String) -> String? {
        (try? KernelParameters.value(of: name)) ?? nil
    }

    /// Those of the overlay interface, which go with it and so need not be kept.
    static func wanted(forOverlay name: String, forwardsIPv6: Bool) -> [Parameter] {
        var found = [
            Parameter(name: "ipv4/conf/\(name)/forwarding", value: "1"),
            Parameter(name: "ipv4/conf/\(name)/rp_filter", value: reversePathFilter),
        ]
        if forwardsIPv6 {
            found.append(Parameter(name: "ipv6/conf/\(name)/force_forwarding", value: "1"))
        }
        return found
    }
}

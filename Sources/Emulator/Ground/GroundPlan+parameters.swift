import Scenario
import Wire

extension GroundPlan.Namespace {
    /// The kernel's parameters that make the namespace behave like a simulated kernel.
    var neededParameters: [GroundPlan.Parameter] {
        var parameters: [GroundPlan.Parameter] = []
        func set(_ name: String, _ value: String) {
            parameters.append(GroundPlan.Parameter(name: name, value: value))
        }
        func setIfThere(_ name: String, _ value: String) {
            parameters.append(GroundPlan.Parameter(name: name, value: value, isOptional: true))
        }
        let forwards = kind != .host
        let hasIPv6 = kind == .linux || ports.contains { $0.addresses.contains { !$0.address.isIPv4 } }
        // Answers may come by another way than questions left: that is what several providers are for.
        for name in ["all", "default"] { set("ipv4/conf/\(name)/rp_filter", "0") }
        if forwards {
            set("ipv4/ip_forward", "1")
            for name in ["all", "default"] { set("ipv4/conf/\(name)/send_redirects", "0") }
        }
        // The kernel's limit for all destinations together stays: the simulator has that one.
        set("ipv4/icmp_ratelimit", "0")
        if hasIPv6 {
            if forwards { set("ipv6/conf/all/forwarding", "1") }
            set("ipv6/icmp/ratelimit", "0")
            // Nobody is asked whether an address is free, and nobody tells addresses to others.
            for name in ["accept_dad", "accept_ra", "autoconf"] { set("ipv6/conf/default/\(name)", "0") }
            // What goes down keeps its addresses, as IPv4 does.
            set("ipv6/conf/default/keep_addr_on_down", "1")
        } else {
            for name in ["all", "default"] { setIfThere("ipv6/conf/\(name)/disable_ipv6", "1") }
        }
        if kind == .host || kind == .linux {
            // Room for a fast link with a long way; and one connection teaches the next nothing.
            set("ipv4/tcp_rmem", "4096 131072 33554432")
            set("ipv4/tcp_wmem", "4096 65536 33554432")
            set("ipv4/tcp_no_metrics_save", "1")
        }
        // By ports as well as addresses, as the simulator does; a kernel that cannot spread has none of these.
        if spreadsFlows { for family in ["ipv4", "ipv6"] { setIfThere("\(family)/fib_multipath_hash_policy", "1") } }
        if ownPrefixes.contains(where: { !$0.isIPv4 }) { set("ipv6/ip_nonlocal_bind", "1") }
        return parameters
    }
}

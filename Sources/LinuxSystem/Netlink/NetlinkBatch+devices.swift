import CMnl
import Glibc

/// A link that the kernel makes by itself, without hardware, and that has one end only.
public enum DeviceKind: Hashable, Sendable {
    /// Passes frames on between its ports.
    case bridge
    /// Sends what was redirected to it, through a queue of its own.
    case intermediate
    /// Another hardware address on an interface, whose others it reaches.
    case secondAddress(on: InterfaceIndex)

    /// The kernel's word for it.
    public var name: String {
        switch self {
        case .bridge: "bridge"
        case .intermediate: "ifb"
        case .secondAddress: "macvlan"
        }
    }
}

extension NetlinkBatch {
    /// Makes a link of one end.
    public mutating func createDevice(_ kind: DeviceKind, _ name: String, index: InterfaceIndex? = nil) {
        append(RTM_NEWLINK, ChangeFlags.create, "make the \(kind.name) \(name)") { message in
            var header = ifinfomsg()
            if let index { header.ifi_index = Int32(bitPattern: index.number) }
            message.put(structure: header)
            message.put(IFLA_IFNAME, name)
            if case .secondAddress(let lower) = kind { message.put(IFLA_LINK, lower.number) }
            message.nest(IFLA_LINKINFO) {
                message.put(IFLA_INFO_KIND, kind.name)
                if case .secondAddress = kind {
                    message.nest(IFLA_INFO_DATA) {
                        message.put(Int(IFLA_MACVLAN_MODE), UInt32(MACVLAN_MODE_BRIDGE.rawValue))
                    }
                }
            }
        }
    }

    /// Makes an interface a port of a bridge; nil makes it none again.
    public mutating func setBridge(_ bridge: InterfaceIndex?, of interface: InterfaceIndex) {
        append(RTM_NEWLINK, ChangeFlags.change, "set the bridge of \(interface)") { message in
            var header = ifinfomsg()
            header.ifi_index = Int32(bitPattern: interface.number)
            message.put(structure: header)
            message.put(IFLA_MASTER, bridge?.number ?? 0)
        }
    }
}

/// Which packets are routed by which table (ip-rule(8)).
public struct RoutingRule: Hashable, Sendable {
    public var isIPv4: Bool
    /// The least goes first.
    public var priority: UInt32
    public var table: UInt32
    /// A mark that packets must carry.
    public var mark: UInt32?
    /// The interface by which packets must have come.
    public var input: String?

    public init(priority: UInt32, table: UInt32, isIPv4: Bool = true, mark: UInt32? = nil, input: String? = nil) {
        self.isIPv4 = isIPv4
        self.priority = priority
        self.table = table
        self.mark = mark
        self.input = input
    }
}

extension NetlinkBatch {
    /// Adds a rule.
    public mutating func addRule(_ rule: RoutingRule) {
        changeRule(RTM_NEWRULE, ChangeFlags.create, "add", rule)
    }

    /// Removes a rule.
    public mutating func removeRule(_ rule: RoutingRule) {
        changeRule(RTM_DELRULE, ChangeFlags.change, "remove", rule)
    }

    private mutating func changeRule(_ type: Int, _ flags: Int32, _ verb: String, _ rule: RoutingRule) {
        append(type, flags, "\(verb) the rule \(rule.priority)") { message in
            var header = fib_rule_hdr()
            header.family = UInt8(rule.isIPv4 ? AF_INET : AF_INET6)
            header.action = UInt8(FR_ACT_TO_TBL)
            header.table = rule.table < 256 ? UInt8(rule.table) : 0
            message.put(structure: header)
            message.put(Int(FRA_PRIORITY), rule.priority)
            message.put(Int(FRA_TABLE), rule.table)
            if let mark = rule.mark { message.put(Int(FRA_FWMARK), mark) }
            if let input = rule.input { message.put(Int(FRA_IIFNAME), input) }
        }
    }

    mutating func askForRules() {
        append(RTM_GETRULE, NLM_F_DUMP, "list the rules") { $0.put(structure: fib_rule_hdr()) }
    }
}

extension RoutingRule {
    /// A rule that leads to a table, as the kernel tells it.
    init?(_ message: UnsafePointer<nlmsghdr>) {
        guard mnl_nlmsg_get_payload_len(message) >= MemoryLayout<fib_rule_hdr>.size,
            let header = mnl_nlmsg_get_payload(message)?.loadUnaligned(as: fib_rule_hdr.self),
            Int(header.action) == Int(FR_ACT_TO_TBL)
        else { return nil }
        self.init(priority: 0, table: UInt32(header.table), isIPv4: header.family == UInt8(AF_INET))
        NetlinkAttributes(of: message, after: MemoryLayout<fib_rule_hdr>.size).forEach { type, attribute in
            switch type {
            case Int(FRA_PRIORITY): priority = attribute.number(UInt32.self)
            case Int(FRA_TABLE): table = attribute.number(UInt32.self)
            case Int(FRA_FWMARK): mark = attribute.number(UInt32.self)
            case Int(FRA_IIFNAME): input = attribute.text
            default: break
            }
        }
    }
}

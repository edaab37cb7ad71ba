import Glibc
import LinuxSystem
import Wire

/// The interfaces by which people and the rest of the network reach this machine.
struct ManagementInterfaces {
    private var reasons: [(interface: InterfaceIndex, reason: String)] = []

    init(_ routes: inout RouteSocket, _ links: [LinkState]) throws(SystemError) {
        for route in try routes.savedRoutes() where route.isDefault && !route.isOfLocalTable {
            for interface in route.interfaces { add(interface, "the interface of a default route") }
        }
        if let connection = SecureShellConnection.current() {
            let addresses = try routes.savedAddresses()
            if let own = addresses.first(where: { $0.address == connection.server }) {
                add(own.interface, "the interface of this SSH session")
            }
            if let way = try routes.interface(towards: connection.client) {
                add(way, "the interface of this SSH session")
            }
        }
        addParts(links)
    }

    private mutating func add(_ interface: InterfaceIndex, _ reason: String) {
        if !reasons.contains(where: { $0.interface == interface }) { reasons.append((interface, reason)) }
    }

    /// What such an interface stands on, or consists of, is as dear as itself.
    private mutating func addParts(_ links: [LinkState]) {
        var place = 0
        while place < reasons.count {
            let (interface, reason) = reasons[place]
            let whole = links.first { $0.index == interface }
            for link in links where link.controller == interface || link.index == whole?.lower {
                add(link.index, "below \(whole?.name ?? "\(interface)"), which is \(reason)")
            }
            place += 1
        }
    }

    func reason(against interface: InterfaceIndex) -> String? {
        reasons.first { $0.interface == interface && $0.interface != Self.loopback }?.reason
    }

    /// In every namespace.
    private static let loopback = InterfaceIndex(1)
}

/// The two ends of the SSH session in which this process runs.
struct SecureShellConnection: Equatable {
    let client: IPAddress
    let server: IPAddress

    /// Reads what sshd leaves in the environment: `CLIENT PORT SERVER PORT`.
    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 4, let client = Self.address(words[0]), let server = Self.address(words[2]) else {
            return nil
        }
        self.client = client
        self.server = server
    }

    /// An address, with the name of an interface behind it where it is one of a link alone.
    private static func address(_ text: Substring) -> IPAddress? {
        IPAddress(String(text.prefix { $0 != "%" }))
    }

    /// The session of this process, or of one that it descends from: sudo and others drop the variable.
    static func current() -> SecureShellConnection? {
        if let text = environmentVariable(name), let found = SecureShellConnection(text) { return found }
        var process = getppid()
        for _ in 0..<deepestDescent where process > 1 {
            if let text = variable(of: process), let found = SecureShellConnection(text) { return found }
            guard let parent = parent(of: process), parent != process else { break }
            process = parent
        }
        return nil
    }

    private static let name = "SSH_CONNECTION"
    private static let deepestDescent = 64

    private static func variable(of process: Int32) -> String? {
        let variables = wholeContents(of: "/proc/\(process)/environ")?.split(separator: 0) ?? []
        let prefix = Array("\(name)=".utf8)
        guard let found = variables.first(where: { $0.starts(with: prefix) }) else { return nil }
        return String(decoding: found.dropFirst(prefix.count), as: UTF8.self)
    }

    private static func parent(of process: Int32) -> Int32? {
        guard let octets = contents(of: "/proc/\(process)/stat"), let end = octets.lastIndex(of: UInt8(ascii: ")"))
        else { return nil }
        // Behind the name, which may hold anything, come the state and the parent (proc_pid_stat(5)).
        let fields = octets[(end + 1)...].split(separator: UInt8(ascii: " "))
        return fields.count > 1 ? Int32(String(decoding: fields[1], as: UTF8.self)) : nil
    }
}

import Basics
import Emulator
import Foundation
import Glibc
import LinuxSystem
import Plan
import Scenario
import ScenarioFiles
import Wire

/// What this machine lets tests of labs do.
enum Privilege {
    /// Whether namespaces and TAPs can be made.
    static let isThere: Bool = {
        do throws(GroundError) {
            try Ground.checkPrivilege()
            return access("/dev/net/tun", R_OK | W_OK) == 0
        } catch {
            return false
        }
    }()
    static let reason = "needs root on a kernel with network namespaces, veth and TUN"
}

/// A folder for the state of labs, removed when it is let go of.
final class StateFolder {
    let path = FileManager.default.temporaryDirectory.appending(path: "labs-\(UUID().uuidString)").path
    var store: LabStore { LabStore(root: path) }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

func shippedScenario(_ name: String) throws -> Scenario {
    try ScenarioLoader(.disk).load(projectFolder.appending(path: "scenarios/\(name).json").path).scenario
}

func plan(_ topology: Topology, events: [ScriptedEvent] = []) throws -> GroundPlan {
    let scenario = Scenario(name: topology.name, topology: topology, duration: .seconds(1), events: events)
    return try GroundPlan(scenario, RunPlan(scenario, replays: []))
}

/// Host - router - router - router - host, with links that do nothing to packets.
func row(_ settings: LinkSettings = LinkSettings()) -> Topology {
    let kinds: [NodeKind] = [.host, .router, .router, .router, .host]
    return Topology(
        name: "row", nodes: kinds.enumerated().map { TopologyNode(name: "n\($0)", kind: $1) },
        links: (0..<4).map { LinkDeclaration(EndDeclaration($0), EndDeclaration($0 + 1), forward: settings) })
}

/// Two hosts on the LAN of a node that has nobody else.
func site(prefix: String = "10.1.0.0/16") throws -> Topology {
    var nodes = [TopologyNode(name: "node", kind: .patronus)]
    nodes[0].lan = [IPPrefix(prefix), IPPrefix("fd00:1::/64")].compactMap { $0 }
    for name in ["a", "b"] {
        var host = TopologyNode(name: name, kind: .host)
        host.attachment = 0
        nodes.append(host)
    }
    return Topology(name: "site", nodes: nodes, links: [])
}

/// A UDP socket of a namespace.
struct Talker: ~Copyable {
    private let descriptor: FileDescriptor
    private let isIPv4: Bool

    init(in namespace: borrowing NetworkNamespace, at address: IPAddress, port: UInt16) throws(SystemError) {
        let isIPv4 = address.isIPv4
        descriptor = try namespace.perform { () throws(SystemError) in
            let family = isIPv4 ? AF_INET : AF_INET6
            let number = socket(family, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard number >= 0 else { throw .refused("socket", number: errno, explanation: "") }
            let made = FileDescriptor(owning: number)
            let status = withSocketAddress(address, port) { bind(number, $0, $1) }
            guard status == 0 else { throw .refused("bind to \(address)", number: errno, explanation: "") }
            return made
        }
        self.isIPv4 = isIPv4
    }

    func send(_ octets: [UInt8], to address: IPAddress, port: UInt16) -> Bool {
        withSocketAddress(address, port) { sendto(descriptor.number, octets, octets.count, 0, $0, $1) } == octets.count
    }

    /// The next datagram; nil when none comes in time.
    func receive(milliseconds: Int32 = 2_000) -> [UInt8]? {
        var waiting = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, milliseconds) > 0 else { return nil }
        var buffer = [UInt8](repeating: 0, count: 2_048)
        let count = recv(descriptor.number, &buffer, buffer.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : Array(buffer.prefix(count))
    }
}

private func withSocketAddress<Result>(
    _ address: IPAddress, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
) -> Result {
    switch address {
    case .v4(let address):
        var value = sockaddr_in()
        value.sin_family = sa_family_t(AF_INET)
        value.sin_port = port.bigEndian
        value.sin_addr.s_addr = address.bits.bigEndian
        return withUnsafePointer(to: &value) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    case .v6(let address):
        var value = sockaddr_in6()
        value.sin6_family = sa_family_t(AF_INET6)
        value.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &value.sin6_addr) { $0.storeBytes(of: address.bits.bigEndian, as: UInt128.self) }
        return withUnsafePointer(to: &value) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }
}

/// A datagram there and another one back.
func exchange(
    _ from: borrowing NetworkNamespace, at source: IPAddress, _ to: borrowing NetworkNamespace, at target: IPAddress
) throws -> Bool {
    let asker = try Talker(in: from, at: source, port: 5_001)
    let answerer = try Talker(in: to, at: target, port: 5_002)
    guard asker.send([1, 2, 3], to: target, port: 5_002), answerer.receive() == [1, 2, 3] else { return false }
    return answerer.send([4, 5], to: source, port: 5_001) && asker.receive() == [4, 5]
}

extension StateFolder {
    /// Whether no lab, not even a draft of one, is written down.
    var isEmpty: Bool {
        ((try? FileManager.default.contentsOfDirectory(atPath: "\(path)/labs")) ?? []).isEmpty
    }

    /// The folder, made now.
    var made: String {
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        return path
    }
}

/// A supervisor in a process of its own, to be killed; see Sources/ground-victim.
final class Victim {
    let number: pid_t
    private let output: FileHandle
    private var isOver = false

    /// Starts it in the calling thread's namespace.
    init(_ arguments: [String]) throws(SystemError) {
        let tests = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        let program = tests.deletingLastPathComponent().appending(path: "ground-victim").path
        // Foundation's pipes are inherited by whatever the child starts.
        var pipe: [Int32] = [0, 0]
        guard Glibc.pipe(&pipe) == 0 else { throw .refused("make a pipe", number: errno, explanation: "") }
        for number in pipe { _ = fcntl(number, F_SETFD, FD_CLOEXEC) }
        let end = FileDescriptor(owning: pipe[1])
        output = FileHandle(fileDescriptor: pipe[0], closeOnDealloc: true)
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, end.number, STDOUT_FILENO)
        posix_spawn_file_actions_adddup2(&actions, end.number, STDERR_FILENO)
        let words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process = pid_t()
        let failure = posix_spawn(&process, program, &actions, nil, words, environ)
        guard failure == 0 else { throw .refused("start \(program)", number: failure, explanation: "") }
        number = process
        try end.close()
    }

    deinit {
        guard !isOver else { return }
        kill()
        _ = wait()
    }

    /// The first line that it says; nil where it ends without one.
    func waitForLine() -> String? {
        var octets: [UInt8] = []
        while let octet = try? output.read(upToCount: 1)?.first, octet != UInt8(ascii: "\n") { octets.append(octet) }
        return octets.isEmpty ? nil : String(decoding: octets, as: UTF8.self)
    }

    func kill() { Glibc.kill(number, SIGKILL) }

    /// Waits for its end; how it ended, as waitpid(2) says it.
    func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(number, &status, 0) < 0, errno == EINTR {}
        isOver = true
        return status
    }
}

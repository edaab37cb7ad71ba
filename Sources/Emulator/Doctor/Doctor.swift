import Basics
import Glibc
import LinuxHost
import LinuxSystem

/// What this machine can do of all that labs and nodes ask of it, each thing tried where it can do no harm.
public enum Doctor {
    /// One thing that was tried.
    public struct Finding: Sendable {
        /// How it went.
        public enum Verdict: Sendable {
            case works
            /// Something else is done instead.
            case missing
            /// Without it there are no labs.
            case fails
        }

        public let subject: String
        public let verdict: Verdict
        /// What was found, or what to do about it.
        public let text: String
    }

    /// Tries everything; what it makes lies in namespaces of its own and goes with them.
    public static func findings() -> [Finding] {
        var findings: [Finding] = []
        for trial in trials { findings.append(trial.finding()) }
        return findings
    }

    private struct Trial {
        let subject: String
        var isNeeded = true
        let remedy: String
        let attempt: () throws(SystemError) -> String

        func finding() -> Finding {
            do throws(SystemError) {
                return Finding(subject: subject, verdict: .works, text: try attempt())
            } catch {
                let isForbidden = [EPERM, EACCES].contains(error.number)
                let advice = isForbidden && isNeeded ? "it takes the privileges of root; run it with sudo" : remedy
                return Finding(subject: subject, verdict: isNeeded ? .fails : .missing, text: "\(error); \(advice)")
            }
        }
    }

    private static var trials: [Trial] {
        [
            Trial(
                subject: "network namespaces", remedy: "run it as root (CAP_SYS_ADMIN, CAP_NET_ADMIN)"
            ) { () throws(SystemError) in
                _ = try NetworkNamespace()
                return "made and left"
            },
            Trial(subject: "veth", remedy: "load the kernel's module veth", attempt: tryVeth),
            Trial(subject: "TAP, with native XDP", remedy: "load the kernel's module tun", attempt: tryTap),
            Trial(subject: "TUN", remedy: "load the kernel's module tun") { () throws(SystemError) in
                _ = try TunDevice(named: "trial", in: NetworkNamespace())
                return "made and left"
            },
            Trial(
                subject: "the data plane's program", remedy: "it takes a kernel with BPF and its JIT, and CAP_BPF"
            ) { () throws(SystemError) in
                "the verifier takes it, as program \(try KernelDataplane().program.identifier)"
            },
            Trial(
                subject: "BTF of the kernel", isNeeded: false, remedy: "nothing here needs it"
            ) { () throws(SystemError) in
                _ = try FileDescriptor(path: "/sys/kernel/btf/vmlinux", flags: O_RDONLY)
                return "there, though nothing here needs it"
            },
            Trial(
                subject: "real-time threads", isNeeded: false,
                remedy: "wires run by turns and are later; allow CAP_SYS_NICE", attempt: tryRealTime),
            Trial(
                subject: "netem", isNeeded: false, remedy: "links are impaired by the wire in user space anyway"
            ) { () throws(SystemError) in
                guard try KernelAbilities.hasNetem() else {
                    throw .refused("delay packets in the kernel", number: ENOENT, explanation: "it has no netem")
                }
                return "there, though links are impaired by the wire in user space on every kernel"
            },
            Trial(
                subject: "open files", isNeeded: false, remedy: "raise it with ulimit -n for labs of hundreds of nodes",
                attempt: readOpenFiles),
            Trial(
                subject: "neighbours", isNeeded: false,
                remedy: "only the machine's first network namespace says how many there may be; look there",
                attempt: readNeighbours),
        ]
    }

    /// A veth as a data plane needs it: what it swallows in silence otherwise is prevented, and read back.
    private static func tryVeth() throws(SystemError) -> String {
        let near = try NetworkNamespace()
        let far = try NetworkNamespace()
        var routes = try RouteSocket(in: near)
        var batch = NetlinkBatch()
        batch.createVeth(
            VethEnd("near", index: InterfaceIndex(10)), peer: VethEnd("far", index: InterfaceIndex(10)), in: far)
        batch.changeLink(.named("near"), LinkChange(isUp: true))
        try routes.commit(batch)
        let prepared = try PreparedVeth(InterfaceIndex(10), in: near, peerIn: far, leastMTU: 1_550)
        let program = try KernelProgram.passingEverything()
        let attachment = try XDPAttachment(program, to: InterfaceIndex(10), in: near)
        return
            "XDP \(attachment.mode.rawValue); the peer polls by a \(prepared.peerMode.rawValue) program, sends whole "
            + "checksums and takes \(prepared.mtu) octets"
    }

    private static func tryTap() throws(SystemError) -> String {
        let namespace = try NetworkNamespace()
        let tap = try TapDevice(named: "trial", in: namespace)
        let attachment = try XDPAttachment(KernelProgram.passingEverything(), to: tap.interface, in: namespace)
        return "XDP \(attachment.mode.rawValue)"
    }

    private static func readOpenFiles() throws(SystemError) -> String {
        let openFiles = try KernelLimits.current().openFiles
        // Two for a namespace, and one for each end of a link; most nodes have one or two links.
        let nodes = max(0, openFiles - 128) / 6
        return "at most \(openFiles), room for a lab of some \(nodes) nodes; more with ulimit -n"
    }

    /// A neighbour for each end of each link is known, and the kernel has one table of them for all namespaces.
    private static func readNeighbours() throws(SystemError) -> String {
        let limits = try KernelLimits.current()
        guard let ipv4 = limits.ipv4Neighbours else {
            throw .refused("read net/\(KernelLimits.ipv4NeighboursName)", number: ENOENT, explanation: "")
        }
        let ipv6 = limits.ipv6Neighbours
        let words = ipv6.map { "\(ipv4) over IPv4 and \($0) over IPv6" } ?? "\(ipv4) over IPv4"
        var remedies = [KernelLimits.remedy(KernelLimits.ipv4NeighboursName, for: 4 * ipv4)]
        if let ipv6 { remedies.append(KernelLimits.remedy(KernelLimits.ipv6NeighboursName, for: 4 * ipv6)) }
        return "\(words), of all namespaces together: room for labs of some \(ipv4 / 2) links; more with "
            + remedies.map { "`\($0)`" }.joined(separator: " and ")
    }

    private static func tryRealTime() throws(SystemError) -> String {
        let thread = try RealTimeThread(named: "trial") {}
        thread.join()
        if let refusal = thread.refusals.first { throw refusal }
        return "permitted"
    }
}

import Glibc
public import LinuxSystem
import Wire

/// How much this kernel has room for, of what labs need much of.
public struct KernelLimits: Sendable {
    /// How many neighbours the kernel knows at once, in all namespaces together; nil where that cannot be read.
    public var ipv4Neighbours: Int?
    public var ipv6Neighbours: Int?
    /// How many files a process may have open at once, if it asks for as many as it may.
    public var openFiles: Int

    static let ipv4NeighboursName = "ipv4/neigh/default/gc_thresh3"
    static let ipv6NeighboursName = "ipv6/neigh/default/gc_thresh3"

    public init(ipv4Neighbours: Int?, ipv6Neighbours: Int?, openFiles: Int) {
        self.ipv4Neighbours = ipv4Neighbours
        self.ipv6Neighbours = ipv6Neighbours
        self.openFiles = openFiles
    }

    /// Those of the kernel and process that ask; only the machine's first network namespace shows all.
    public static func current() throws(SystemError) -> KernelLimits {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return KernelLimits(
            ipv4Neighbours: try KernelParameters.value(of: ipv4NeighboursName).flatMap { Int($0) },
            ipv6Neighbours: try KernelParameters.value(of: ipv6NeighboursName).flatMap { Int($0) },
            openFiles: Int(clamping: limit.rlim_max))
    }

    /// How to have room for so many neighbours.
    static func remedy(_ parameter: String, for count: Int) -> String {
        var room = 4_096
        while room < count { room *= 2 }
        return "sysctl -w net.\(parameter.split(separator: "/").joined(separator: "."))=\(room)"
    }
}

extension GroundPlan {
    /// How many descriptors a lab's supervisor has open: two for each namespace, one for each TAP, some for all else.
    var neededDescriptors: Int { namespaces.count * 2 + links.count { $0.kind == .wire } * 2 + 128 }

    /// What this plan has more of than the kernel has room for, with what to do about it.
    public func warnings(under limits: KernelLimits) -> [String] {
        var warnings: [String] = []
        for (isIPv4, room, parameter) in [
            (true, limits.ipv4Neighbours, KernelLimits.ipv4NeighboursName),
            (false, limits.ipv6Neighbours, KernelLimits.ipv6NeighboursName),
        ] {
            let needed = neighbours(isIPv4: isIPv4)
            guard let room, needed > room else { continue }
            warnings.append(
                "up to \(needed) \(isIPv4 ? "IPv4" : "IPv6") neighbours at once, and the kernel keeps \(room), of all "
                    + "namespaces together: packets to the others are lost; "
                    + "run `\(KernelLimits.remedy(parameter, for: needed))`")
        }
        if neededDescriptors > limits.openFiles {
            warnings.append(
                "\(neededDescriptors) open files, and a process may have \(limits.openFiles); "
                    + "raise the limit (ulimit -n)")
        }
        return warnings
    }

    /// How many neighbours there may be: at each end of each link one, over IPv6 by its link's address too.
    private func neighbours(isIPv4: Bool) -> Int {
        let ports = namespaces.reduce(0) { sum, namespace in
            sum + namespace.ports.count { $0.addresses.contains { $0.address.isIPv4 == isIPv4 } }
        }
        return isIPv4 ? ports + namespaces.count { $0.overlay != nil } : 2 * ports
    }
}

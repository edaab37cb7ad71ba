import Glibc
public import LinuxSystem

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

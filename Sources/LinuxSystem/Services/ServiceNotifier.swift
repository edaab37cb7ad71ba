import CLinux
import Glibc

// What a service tells the manager that started it (sd_notify(3)): a datagram of `KEY=VALUE` lines to the socket that
// the environment names. A service that no manager started has nobody to tell.

/// The way to the service manager.
public final class ServiceNotifier: Sendable {
    /// How often the manager wants a sign of life, at least; nil where it wants none.
    public let watchdogMicroseconds: UInt64?
    private let descriptor: FileDescriptor

    /// Finds the manager by `NOTIFY_SOCKET`; nil where none is named.
    ///
    /// `WATCHDOG_USEC` counts unless `WATCHDOG_PID` is somebody else.
    public init?(environment variable: (String) -> String? = environmentVariable) throws(SystemError) {
        guard let path = variable("NOTIFY_SOCKET"), !path.isEmpty else { return nil }
        let made = FileDescriptor(owning: try checked(clinux_unix_datagrams(), "open a socket"))
        try Self.connect(made.number, to: path)
        let isOurs = variable("WATCHDOG_PID").map { Int32($0) == getpid() } ?? true
        let period = variable("WATCHDOG_USEC").flatMap { UInt64($0) } ?? 0
        watchdogMicroseconds = isOurs && period > 0 ? period : nil
        descriptor = made
    }

    /// What a service can say.
    public enum Word: Equatable, Sendable {
        case ready
        case stopping
        /// A sign of life.
        case watchdog
        /// One line for people.
        case status(String)

        var text: String {
            switch self {
            case .ready: "READY=1"
            case .stopping: "STOPPING=1"
            case .watchdog: "WATCHDOG=1"
            case .status(let line): "STATUS=" + line.replacing("\n", with: " ")
            }
        }
    }

    /// Says something, all of it in one datagram.
    public func tell(_ words: Word...) throws(SystemError) {
        let octets = Array(words.map(\.text).joined(separator: "\n").utf8)
        let descriptor = descriptor.number
        let sent = uninterrupted { clinux_send(descriptor, octets, octets.count) }
        try checked(Int32(sent), "tell the service manager")
    }

    /// A path, or a name that lies in no folder where it starts with `@`.
    private static func connect(_ descriptor: Int32, to path: String) throws(SystemError) {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        var octets = Array(path.utf8)
        guard octets.count < MemoryLayout.size(ofValue: address.sun_path), ["/", "@"].contains(path.prefix(1)) else {
            throw .refused("use the service manager's socket \(path)", number: EINVAL, explanation: "")
        }
        if octets[0] == UInt8(ascii: "@") { octets[0] = 0 }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: octets) }
        // The length ends a name in no folder, and does a path no harm.
        let size = MemoryLayout<sa_family_t>.size + octets.count
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(size))
            }
        }
        try checked(status, "reach the service manager at \(path)")
    }
}

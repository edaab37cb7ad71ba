import CLinux
import Glibc
public import LinuxSystem

/// A process that no later one of the same number is taken for.
public struct ProcessIdentity: Hashable, Sendable {
    public let number: Int32
    /// When it started, in ticks of the kernel's clock since the machine did (proc_pid_stat(5), field 22).
    public let start: UInt64

    public init(number: Int32, start: UInt64) {
        self.number = number
        self.start = start
    }

    /// The process that has the number now; nil where there is none, or where it has ended and waits to be noticed.
    public init?(of number: Int32) {
        guard let octets = contents(of: "/proc/\(number)/stat") else { return nil }
        // The name, in brackets, may hold anything; what is behind the last bracket does not.
        guard let end = octets.lastIndex(of: UInt8(ascii: ")")) else { return nil }
        let fields = octets[(end + 1)...].split(separator: UInt8(ascii: " "))
        guard fields.count > 19, fields[0] != [UInt8(ascii: "Z")], fields[0] != [UInt8(ascii: "X")] else { return nil }
        guard let start = UInt64(String(decoding: fields[19], as: UTF8.self)) else { return nil }
        self.init(number: number, start: start)
    }

    /// The process that asks.
    public static var own: ProcessIdentity {
        ProcessIdentity(of: getpid()) ?? ProcessIdentity(number: getpid(), start: 0)
    }

    public var isAlive: Bool { ProcessIdentity(of: number) == self }

    /// Kills it, if it still is the same, and waits for its end for at most `milliseconds`; false where it was none.
    @discardableResult
    public func kill(waiting milliseconds: Int32 = 2_000) throws(SystemError) -> Bool {
        let opened = clinux_open_process(number)
        if opened < 0 {
            let error = errno
            if error == ESRCH { return false }
            throw .refused("open process \(number)", number: error, explanation: "")
        }
        let process = FileDescriptor(owning: opened)
        // Looked at after it was opened: what is killed is what was looked at.
        guard isAlive else { return false }
        if clinux_signal_process(process.number, SIGKILL) < 0 {
            let error = errno
            if error == ESRCH { return false }
            throw .refused("kill process \(number)", number: error, explanation: "")
        }
        var ended = pollfd(fd: process.number, events: Int16(POLLIN), revents: 0)
        _ = poll(&ended, 1, milliseconds)
        return true
    }
}

/// What a file holds, as far as 64 KiB go; nil where it cannot be read.
func contents(of path: String) -> [UInt8]? {
    let number = open(path, O_RDONLY | O_CLOEXEC)
    guard number >= 0 else { return nil }
    let file = FileDescriptor(owning: number)
    return [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
        count = max(0, read(file.number, buffer.baseAddress, buffer.count))
    }
}

import CLinux
import Glibc

/// How a process ended.
public enum ProcessEnd: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)

    /// Reads what waitpid(2) gives.
    init(status: Int32) {
        self = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: status & 0x7F)
    }
}

/// A process that this one started, held by a descriptor; killed, and seen off, when its owner is gone.
///
/// What it inherits is named: standard streams, and descriptors under the numbers that it expects them under. Whether
/// it also ends when the starting thread does is for itself to arrange, by ``dieWithParent(_:)``.
public struct ChildProcess: ~Copyable {
    public let identifier: Int32
    private let handle: FileDescriptor
    private var mayOutliveOwner = false
    /// Set once it has been waited for.
    public private(set) var end: ProcessEnd?

    /// A descriptor of ours, and the number that the child has it under.
    public struct Inheritance: Sendable {
        public let ours: Int32
        public let theirs: Int32

        public init(_ ours: Int32, as theirs: Int32) {
            self.ours = ours
            self.theirs = theirs
        }
    }

    /// Starts a program, with the environment of this process.
    ///
    /// `theirs` of an inheritance must not be the number of another's `ours`. With `isFirst` it is the first process of
    /// a new process namespace (pid_namespaces(7)): when it ends, the kernel kills all that it has started.
    public init(
        _ path: String, _ arguments: [String], inheriting inheritances: [Inheritance] = [], isFirst: Bool = false
    ) throws(SystemError) {
        let identifier =
            isFirst
            ? try inNewProcessNamespace { () throws(SystemError) in try Self.spawn(path, arguments, inheritances) }
            : try Self.spawn(path, arguments, inheritances)
        let number = clinux_open_process(identifier)
        guard number >= 0 else {
            let failure = errno
            Glibc.kill(identifier, SIGKILL)
            waitpid(identifier, nil, 0)
            throw .refused("hold process \(identifier)", number: failure, explanation: "")
        }
        self.identifier = identifier
        handle = FileDescriptor(owning: number)
    }

    private static func spawn(
        _ path: String, _ arguments: [String], _ inheritances: [Inheritance]
    ) throws(SystemError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for inheritance in inheritances {
            posix_spawn_file_actions_adddup2(&actions, inheritance.ours, inheritance.theirs)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // Signals that this process blocks or ignores are its own affair.
        var none = sigset_t()
        var all = sigset_t()
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var identifier = pid_t()
        let status = posix_spawn(&identifier, path, &actions, &attributes, &words, environ)
        guard status == 0 else { throw .refused("start \(path)", number: status, explanation: "") }
        return identifier
    }

    deinit {
        guard end == nil, !mayOutliveOwner else { return }
        clinux_signal_process(handle.number, SIGKILL)
        waitpid(identifier, nil, 0)
    }

    /// Readable once the process has ended.
    public var descriptor: Int32 { handle.number }

    /// Sends a signal, if it still lives.
    public func signal(_ number: Int32) {
        guard end == nil, !mayOutliveOwner else { return }
        clinux_signal_process(handle.number, number)
    }

    /// Waits for it to end; nil where it still lives after so many milliseconds.
    public mutating func wait(milliseconds: Int32) -> ProcessEnd? {
        if let end { return end }
        var poll = pollfd(fd: handle.number, events: Int16(POLLIN), revents: 0)
        guard Glibc.poll(&poll, 1, milliseconds) == 1 else { return nil }
        var status: Int32 = 0
        guard waitpid(identifier, &status, WNOHANG) == identifier else { return nil }
        end = ProcessEnd(status: status)
        return end
    }

    /// Leaves it running when its owner is gone.
    public mutating func letGo() { mayOutliveOwner = true }

    /// Kills it and waits until it is gone.
    public mutating func kill() {
        signal(SIGKILL)
        while end == nil, wait(milliseconds: 1_000) == nil {}
    }

    /// Gives this process a /proc in which the processes of its own process namespace are.
    public static func mountOwnProcesses() throws(SystemError) {
        try checked(clinux_mount_own_processes(), "mount /proc")
    }

    /// Sees off every process that is left to this one until there is none, and returns how `identifier` ended.
    public static func reapAll(watching identifier: Int32) -> ProcessEnd? {
        var result: ProcessEnd?
        while true {
            var status: Int32 = 0
            let ended = waitpid(-1, &status, 0)
            if ended < 0, errno == EINTR { continue }
            guard ended > 0 else { return result }
            if ended == identifier { result = ProcessEnd(status: status) }
        }
    }

    /// Has this process killed when the thread that started it ends.
    public static func dieWithParent(_ parent: Int32) throws(SystemError) {
        try checked(clinux_die_with_parent(parent), "stay with the process that started this one")
    }
}

/// Runs `body` so that the first process which it starts is the first of a new process namespace.
private func inNewProcessNamespace<Value>(_ body: () throws(SystemError) -> Value) throws(SystemError) -> Value {
    let own = try FileDescriptor(path: "/proc/thread-self/ns/pid", flags: O_RDONLY)
    try checked(clinux_unshare_processes(), "make a process namespace")
    // What this thread starts next is its own affair again; to its own namespace it may always return.
    defer { _ = clinux_rejoin_processes(own.number) }
    return try body()
}

import CLinux
import Glibc

/// How a process ended.
public enum ProcessEnd: Equatable, Sendable {
    case exited(Int32)
    case killed(signal: Int32)
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
    /// `theirs` of an inheritance must not be the number of another's `ours`.
    public init(
        _ path: String, _ arguments: [String], inheriting inheritances: [Inheritance] = []
    ) throws(SystemError) {
        let identifier = try Self.spawn(path, arguments, inheritances)
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
        end = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: status & 0x7F)
        return end
    }

    /// Leaves it running when its owner is gone.
    public mutating func letGo() { mayOutliveOwner = true }

    /// Kills it and waits until it is gone.
    public mutating func kill() {
        signal(SIGKILL)
        while end == nil, wait(milliseconds: 1_000) == nil {}
    }

    /// Has this process killed when the thread that started it ends.
    public static func dieWithParent(_ parent: Int32) throws(SystemError) {
        try checked(clinux_die_with_parent(parent), "stay with the process that started this one")
    }
}

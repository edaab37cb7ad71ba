import Glibc
import LinuxSystem

/// Standard streams for a child that is to hold nobody's terminal: it hears nothing, and what it says goes to a file.
struct StandardStreams: ~Copyable {
    private let silence: FileDescriptor
    private let log: FileDescriptor

    /// What is said goes to the end of the file.
    init(log: String) throws(SystemError) {
        let silence = try FileDescriptor(path: "/dev/null", flags: O_RDONLY)
        let file = try FileDescriptor.appending(to: log)
        self.silence = silence
        self.log = file
    }

    var inheritances: [ChildProcess.Inheritance] {
        [
            ChildProcess.Inheritance(silence.number, as: STDIN_FILENO),
            ChildProcess.Inheritance(log.number, as: STDOUT_FILENO),
            ChildProcess.Inheritance(log.number, as: STDERR_FILENO),
        ]
    }
}

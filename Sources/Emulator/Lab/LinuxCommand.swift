import Glibc
import LinuxSystem

/// A program that runs in the namespace of a `linux` node, as its topology says.
public final class LinuxCommand {
    private var process: ChildProcess

    /// Starts it; what it says goes to the end of a file.
    init(
        _ command: String, program: String, namespace: borrowing NetworkNamespace, log: String
    ) throws(SystemError) {
        let inherited = try FileDescriptor.duplicate(of: namespace.descriptorNumber, from: 64)
        let streams = try StandardStreams(log: log)
        process = try ChildProcess(
            program, ["lab", "enter", "--", "/bin/sh", "-c", command],
            inheriting: streams.inheritances
                + [ChildProcess.Inheritance(inherited.number, as: ProgramChild.namespaceDescriptor)])
    }

    var identifier: Int32 { process.identifier }

    /// Ends it, and what it has started that has not left its group.
    func kill() {
        if process.end == nil { Glibc.kill(-process.identifier, SIGKILL) }
        process.kill()
    }

    /// Puts the calling process, before it becomes the program, where the program is to run.
    public static func enter() throws(LabError) {
        try inLab { () throws(SystemError) in
            try ChildProcess.dieWithParent(getppid())
            try NetworkNamespace(owning: FileDescriptor(owning: ProgramChild.namespaceDescriptor)).enter()
        }
        setpgid(0, 0)
    }
}

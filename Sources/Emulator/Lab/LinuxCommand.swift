import Basics
import Glibc
public import LinuxSystem

/// A program that runs in the namespace of a `linux` node, as its topology says.
///
/// It has a process namespace too, whose first process is this program: whatever it starts, in the background or as a
/// daemon, ends with the lab, however that ends.
public final class LinuxCommand {
    let node: Int
    private var process: ChildProcess
    /// Closed when the lab is gone.
    private let lifeline: UnixSocket

    /// Starts it; what it says goes to the end of a file.
    init(
        _ command: String, of node: Int, program: String, namespace: borrowing NetworkNamespace, log: String
    ) throws(SystemError) {
        let pair = try UnixSocket.Pair()
        // High numbers of our own cannot be taken for those that the child expects.
        let theirs = try FileDescriptor.duplicate(of: pair.second.descriptor.number, from: 64)
        let inherited = try FileDescriptor.duplicate(of: namespace.descriptorNumber, from: 64)
        let streams = try StandardStreams(log: log)
        self.node = node
        lifeline = UnixSocket(owning: try FileDescriptor.duplicate(of: pair.first.descriptor.number))
        process = try ChildProcess(
            program, ["lab", "enter", "--", "/bin/sh", "-c", command],
            inheriting: streams.inheritances + [
                ChildProcess.Inheritance(theirs.number, as: ProgramChild.channelDescriptor),
                ChildProcess.Inheritance(inherited.number, as: ProgramChild.namespaceDescriptor),
            ], isFirst: true)
    }

    var identifier: Int32 { process.identifier }

    /// Ends it, and all that it has started.
    func kill() { process.kill() }

    /// Runs the program in the calling process's place, as the first process of a process namespace: returns how it
    /// ended once nothing of it runs any more.
    public static func run(_ command: [String]) throws(LabError) -> ProcessEnd? {
        try inLab { () throws(SystemError) -> ProcessEnd? in
            // The lab is outside, and has no number in here; whether it is still there its end of a socket says.
            try ChildProcess.dieWithParent(0)
            let lifeline = FileDescriptor(owning: ProgramChild.channelDescriptor)
            guard readableDescriptors(among: [lifeline.number], within: .zero).isEmpty else { return nil }
            try lifeline.close()
            try NetworkNamespace(owning: FileDescriptor(owning: ProgramChild.namespaceDescriptor)).enter()
            // Where that is forbidden, the program sees the machine's processes instead of its own.
            try? ChildProcess.mountOwnProcesses()
            var child = try ChildProcess(command[0], Array(command.dropFirst()))
            child.letGo()
            return ChildProcess.reapAll(watching: child.identifier)
        }
    }
}

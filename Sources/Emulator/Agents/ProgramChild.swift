public import LinuxSystem

/// A process of this program with a channel to it.
public struct ProgramChild: ~Copyable {
    public var process: ChildProcess
    public let channel: MessageChannel

    /// The number that the child has its channel under.
    public static var channelDescriptor: Int32 { 3 }

    /// The number that a child which lives in a namespace of a lab has that under.
    static var namespaceDescriptor: Int32 { 4 }

    /// Starts `program` with arguments.
    public init(
        _ program: String, _ arguments: [String], inheriting inheritances: [ChildProcess.Inheritance] = []
    ) throws(SystemError) {
        let pair = try UnixSocket.Pair()
        // High numbers of our own cannot be taken for those that the child expects.
        let theirs = try FileDescriptor.duplicate(of: pair.second.descriptor.number, from: 64)
        let ours = try FileDescriptor.duplicate(of: pair.first.descriptor.number)
        let made = try ChildProcess(
            program, arguments,
            inheriting: inheritances + [ChildProcess.Inheritance(theirs.number, as: Self.channelDescriptor)])
        process = made
        channel = MessageChannel(UnixSocket(owning: ours))
    }
}

public import LinuxSystem

/// A connection to a living lab.
public struct LabClient {
    private let channel: MessageChannel

    /// Connects to the control socket at a path.
    public init(connectingTo path: String) throws(SystemError) {
        channel = MessageChannel(try UnixSocket(connectingTo: path))
    }

    /// Asks, and waits for the answer.
    public func ask(_ order: LabOrder) throws(SystemError) -> LabAnswer {
        try channel.send(order)
        guard let answer = try channel.wait(for: LabAnswer.self) else { throw Self.hungUp }
        return answer
    }

    private static var hungUp: SystemError {
        .refused("ask the lab", number: 104, explanation: "it ended without an answer")
    }
}

public import LinuxSystem

/// What somebody asks of a node, over its control socket: one JSON document a line.
public enum RealOrder: Codable, Equatable, Sendable {
    case inspect
    /// The machine can still be reached: nothing is to be undone.
    case confirm
    /// Gives everything back and ends.
    case down
    /// From now on, what the node says of itself.
    case watch
}

/// What the node answers.
public enum RealAnswer: Codable, Sendable {
    case done
    case state(RealState)
    case telemetry([AgentRecord])
}

/// What a node on this machine's own interfaces looks like at one instant.
public struct RealState: Codable, Sendable {
    /// An interface, and what it is.
    public struct Port: Codable, Sendable {
        public var name: String
        public var interface: String
        /// How the data plane is attached; nil where there is none.
        public var xdp: String?
    }

    public var node: NodeState
    public var topology: String
    public var process: Int32
    public var ports: [Port]
    /// Seconds that are left to confirm; nil where nobody has to.
    public var secondsToConfirm: Double?
}

/// A connection to a node on this machine.
public struct RealClient {
    private let channel: MessageChannel

    /// Connects to the control socket at a path.
    public init(connectingTo path: String) throws(SystemError) {
        channel = MessageChannel(try UnixSocket(connectingTo: path))
    }

    /// Asks, and waits for the answer.
    public func ask(_ order: RealOrder) throws(SystemError) -> RealAnswer {
        try channel.send(order)
        guard let answer = try channel.wait(for: RealAnswer.self) else {
            throw .refused("ask the node", number: 104, explanation: "it ended without an answer")
        }
        return answer
    }

    /// Has the node end, and returns when it has begun to give everything back.
    public func down() throws(SystemError) {
        try channel.send(RealOrder.down)
        while try channel.wait(for: RealAnswer.self) != nil {}
    }
}

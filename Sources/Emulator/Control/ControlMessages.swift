/// What somebody asks of a living lab, over its control socket: one JSON document a line.
public enum LabOrder: Codable, Equatable, Sendable {
    /// What all nodes, or the one of that name, say of themselves.
    case inspect(node: String?)
    /// Why packets of a node to a prefix or an address go where they go.
    case explain(node: String, route: String)
    /// Does something to a node's BGP session with a peer, which is named as `inspect` names it.
    case session(node: String, peer: String, SessionOrder)
    /// Changes what is configured of a link, in the words of topology files; the direction is `both`, `forward` or
    /// `reverse`.
    case setLink(name: String, settings: [String: String], direction: String)
    /// Takes a link up or down.
    case setCarrier(link: String, isUp: Bool)
    /// Where a link's packets can all be seen.
    case place(link: String)
    /// Ends the lab.
    case down
}

/// What is to become of a BGP session.
public enum SessionOrder: Codable, Equatable, Sendable {
    /// Ends and begins again.
    case reset
    /// Stays, and everything is asked for again (RFC 2918).
    case refresh
    /// Ends until it is started; the peer's operator is told why (RFC 9003).
    case stop(reason: String)
    case start
}

/// What the lab answers.
public enum LabAnswer: Codable, Sendable {
    case done
    case states([NodeState])
    case place(LabPlace)
    case explanation([String])
    /// What it cannot do, and why, in the user's words.
    case refused(String)
}

/// An interface of a lab.
public struct LabPlace: Codable, Equatable, Sendable {
    public var node: String
    public var interface: String

    public init(node: String, interface: String) {
        self.node = node
        self.interface = interface
    }
}

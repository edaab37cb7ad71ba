/// A link as a file declares it, before names and addresses are filled in.
public struct LinkDeclaration: Equatable, Sendable {
    public var name: String?
    public var first: EndDeclaration
    public var second: EndDeclaration
    public var forward: LinkSettings
    public var reverse: LinkSettings

    public init(
        name: String? = nil, _ first: EndDeclaration, _ second: EndDeclaration,
        forward: LinkSettings = LinkSettings(), reverse: LinkSettings? = nil
    ) {
        self.name = name
        self.first = first
        self.second = second
        self.forward = forward
        self.reverse = reverse ?? forward
    }
}

/// One end of a declared link: a node, and what the file says of its port.
public struct EndDeclaration: Equatable, Sendable {
    /// The node's index.
    public var node: Int
    public var port: String?
    /// Empty where they are to be allotted.
    public var addresses: [PortAddress]

    public init(_ node: Int, port: String? = nil, addresses: [PortAddress] = []) {
        self.node = node
        self.port = port
        self.addresses = addresses
    }
}

/// How many packets a node's data plane treated in one way.
public struct DataplaneAccount: Equatable, Codable, Sendable {
    /// The node's index in the topology.
    public var node: Int
    /// Why, in the data plane's own word, such as `encapsulated` or `denied`.
    public var cause: String
    /// What became of them: `pass` to the kernel, `drop` or `redirect`; nil for what happened beside that.
    public var verdict: String?
    public var packets: UInt64
    public var bytes: UInt64

    public init(node: Int, cause: String, verdict: String?, packets: UInt64, bytes: UInt64) {
        self.node = node
        self.cause = cause
        self.verdict = verdict
        self.packets = packets
        self.bytes = bytes
    }
}

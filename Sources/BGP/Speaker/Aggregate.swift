public import Wire

/// A prefix that is originated while there is a route to any part of it (RFC 4271 §9.2.2.2).
public struct Aggregate: Hashable, Sendable {
    public var prefix: IPPrefix
    /// Whether no peer is told of the parts.
    public var isSummaryOnly: Bool

    public init(_ prefix: IPPrefix, isSummaryOnly: Bool = false) {
        self.prefix = prefix
        self.isSummaryOnly = isSummaryOnly
    }
}

/// One tunnel of the overlay: its index in the topology's list, the same at both ends.
public struct TunnelID: Hashable, Comparable, Codable, Sendable, BitwiseCopyable {
    public var rawValue: UInt32

    @inlinable
    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    @inlinable
    public static func < (left: TunnelID, right: TunnelID) -> Bool { left.rawValue < right.rawValue }
}

/// One direction of a flow: a hash of its five-tuple.
public struct FlowKey: Hashable, Codable, Sendable, BitwiseCopyable {
    public var rawValue: UInt64

    @inlinable
    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }
}

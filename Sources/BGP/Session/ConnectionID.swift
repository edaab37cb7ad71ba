/// One TCP connection, numbered by the caller; no two that live at the same time share a number.
public struct ConnectionID: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var rawValue: UInt32

    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static func < (left: ConnectionID, right: ConnectionID) -> Bool { left.rawValue < right.rawValue }
}

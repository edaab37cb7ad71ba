/// Why a session last changed its state, as its packets say it (RFC 5880 §4.1).
///
/// Not an enumeration: the codes from 9 to 31 are reserved, and a peer may send them.
public struct Diagnostic: RawRepresentable, Hashable, Sendable, BitwiseCopyable {
    public let rawValue: UInt8

    /// The code in the low five bits of `rawValue`.
    @inlinable
    public init(rawValue: UInt8) {
        self.rawValue = rawValue & 0x1F
    }

    public static let none = Diagnostic(rawValue: 0)
    public static let detectionExpired = Diagnostic(rawValue: 1)
    public static let echoFailed = Diagnostic(rawValue: 2)
    public static let neighborSignaled = Diagnostic(rawValue: 3)
    public static let forwardingPlaneReset = Diagnostic(rawValue: 4)
    public static let pathDown = Diagnostic(rawValue: 5)
    public static let concatenatedPathDown = Diagnostic(rawValue: 6)
    public static let administrativelyDown = Diagnostic(rawValue: 7)
    public static let reverseConcatenatedPathDown = Diagnostic(rawValue: 8)
}

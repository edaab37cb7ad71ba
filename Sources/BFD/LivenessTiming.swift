public import Basics

/// How often BFD packets go, and how many may be missing (RFC 5880 §6.8.4).
public struct LivenessTiming: Equatable, Sendable {
    public var interval: Interval
    public var detectMultiplier: UInt8

    public init(interval: Interval = .milliseconds(300), detectMultiplier: UInt8 = 3) {
        self.interval = interval
        self.detectMultiplier = detectMultiplier
    }
}

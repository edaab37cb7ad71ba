/// What a map refuses, by the number that Linux answers with (`errno`).
public enum MapError: Int32, Error, Sendable, BitwiseCopyable {
    /// The map may only be read.
    case notPermitted = 1
    /// No such key.
    case notFound = 2
    /// A ring buffer has no room.
    case again = 11
    /// An argument lies outside the frame.
    case badAddress = 14
    /// The key is there already.
    case exists = 17
    case invalidArgument = 22
    /// A prefix map is full.
    case noSpace = 28
    /// A map is full, or an index lies behind its end.
    case full = 7
    /// Access denied: metadata of a length that cannot be.
    case denied = 13
    /// A map of that kind cannot do that.
    case unsupported = 95
    case unsupportedFamily = 97

    /// The answer as a helper returns it.
    var answer: UInt64 { UInt64(bitPattern: Int64(-rawValue)) }
}

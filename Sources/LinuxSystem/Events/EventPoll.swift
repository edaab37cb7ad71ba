public import Basics
import CLinux
import Glibc

/// What a descriptor is waited for, or is ready for.
public struct Readiness: OptionSet, Sendable {
    public let rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public static let readable = Readiness(rawValue: CLINUX_READABLE.rawValue)
    public static let writable = Readiness(rawValue: CLINUX_WRITABLE.rawValue)
    /// Told without being asked for.
    public static let failed = Readiness(rawValue: CLINUX_FAILED.rawValue)
    /// Told without being asked for: nothing more comes or goes.
    public static let hungUp = Readiness(rawValue: CLINUX_HUNG_UP.rawValue)
}

/// Waits for many descriptors at once (epoll(7)); each is told apart by a number of the caller's.
///
/// One thread waits; others may add descriptors meanwhile.
public struct EventPoll: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    public init() throws(SystemError) {
        descriptor = FileDescriptor(owning: try checked(clinux_poll(), "open a poll"))
    }

    /// The descriptor's number: it is readable when something is ready.
    public var number: Int32 { descriptor.number }

    /// Waits for a descriptor from now on; one that is closed everywhere is forgotten by itself.
    public func add(_ number: Int32, for readiness: Readiness, token: UInt64) throws(SystemError) {
        try checked(clinux_poll_add(descriptor.number, number, readiness.rawValue, token), "wait for a descriptor")
    }

    /// Changes what a descriptor is waited for.
    public func change(_ number: Int32, for readiness: Readiness, token: UInt64) throws(SystemError) {
        try checked(clinux_poll_change(descriptor.number, number, readiness.rawValue, token), "wait for a descriptor")
    }

    /// Waits for a descriptor no more.
    public func remove(_ number: Int32) throws(SystemError) {
        try checked(clinux_poll_remove(descriptor.number, number), "no longer wait for a descriptor")
    }

    /// Waits until something is ready, at most so long where a limit is given, and writes what is.
    ///
    /// It may return early with nothing; what there is no room for comes with the next wait.
    public func wait(atMost limit: Interval? = nil, into ready: inout ReadyDescriptors) throws(SystemError) {
        let nanoseconds = limit.map { max($0.nanoseconds, 0) } ?? -1
        ready.count = 0
        ready.count = Int(try checked(ready.fill(from: descriptor.number, within: nanoseconds), "wait"))
    }
}

/// Which descriptors a wait has found ready.
public struct ReadyDescriptors: ~Copyable, Sendable {
    public internal(set) var count = 0
    private var tokens = InlineArray<64, UInt64>(repeating: 0)
    private var readiness = InlineArray<64, UInt32>(repeating: 0)

    public init() {}

    /// One of as many as ``count`` says.
    public subscript(place: Int) -> (token: UInt64, readiness: Readiness) {
        precondition(place >= 0 && place < count)
        return (tokens[place], Readiness(rawValue: readiness[place]))
    }

    fileprivate mutating func fill(from poll: Int32, within nanoseconds: Int64) -> Int32 {
        var tokens = tokens.mutableSpan
        var readiness = readiness.mutableSpan
        return tokens.withUnsafeMutableBufferPointer { tokens in
            readiness.withUnsafeMutableBufferPointer { readiness in
                clinux_poll_wait(poll, tokens.baseAddress, readiness.baseAddress, Int32(tokens.count), nanoseconds)
            }
        }
    }
}

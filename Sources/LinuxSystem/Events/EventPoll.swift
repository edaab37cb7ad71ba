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
public struct EventPoll: ~Copyable {
    private let descriptor: FileDescriptor
    private let events: UnsafeMutablePointer<clinux_event>
    private static let room = 64

    public init() throws(SystemError) {
        descriptor = FileDescriptor(owning: try checked(clinux_poll(), "open a poll"))
        events = .allocate(capacity: Self.room)
        events.initialize(repeating: clinux_event(), count: Self.room)
    }

    deinit {
        events.deallocate()
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

    /// Waits until something is ready, at most so long where a limit is given, and returns how many are.
    public mutating func wait(milliseconds: Int32? = nil) throws(SystemError) -> Int {
        let count = clinux_poll_wait(descriptor.number, events, Int32(Self.room), milliseconds ?? -1)
        if count < 0, errno == EINTR { return 0 }
        return Int(try checked(count, "wait"))
    }

    /// What is ready: one of as many as ``wait(milliseconds:)`` returned last.
    public subscript(place: Int) -> (token: UInt64, readiness: Readiness) {
        precondition(place >= 0 && place < Self.room)
        return (events[place].token, Readiness(rawValue: events[place].readiness))
    }
}

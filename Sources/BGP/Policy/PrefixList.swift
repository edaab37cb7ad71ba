public import Wire

/// Whether something that matches is let through.
public enum Permission: UInt8, Sendable, BitwiseCopyable {
    case permit
    case deny
}

/// An ordered list of prefixes with the lengths that they stand for; the first entry that matches decides.
public struct PrefixList: Equatable, Sendable {
    /// One line of the list: every prefix inside `prefix` whose length is in `lengths`.
    public struct Entry: Equatable, Sendable {
        public var permission: Permission
        public var prefix: IPPrefix
        public var lengths: ClosedRange<Int>

        /// Without `lengths`, the entry stands for the prefix itself alone.
        public init(_ permission: Permission, _ prefix: IPPrefix, lengths: ClosedRange<Int>? = nil) {
            self.permission = permission
            self.prefix = prefix
            self.lengths = lengths ?? prefix.length...prefix.length
        }

        func matches(_ other: IPPrefix) -> Bool {
            lengths.contains(other.length) && other.length >= prefix.length && prefix.contains(other.address)
        }
    }

    public var entries: [Entry]

    public init(_ entries: [Entry]) {
        self.entries = entries
    }

    /// Whether the list lets a prefix through; one that no entry matches is not.
    public func permits(_ prefix: IPPrefix) -> Bool {
        entries.first { $0.matches(prefix) }?.permission == .permit
    }
}

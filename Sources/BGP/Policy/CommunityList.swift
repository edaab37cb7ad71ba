/// An ordered list of communities; the first entry that a community matches decides on it.
public struct CommunityList: Equatable, Sendable {
    /// One line of the list: every community that agrees with `community` in the bits of `mask`.
    public struct Entry: Equatable, Sendable {
        public var permission: Permission
        public var community: Community
        public var mask: UInt32

        /// Without a mask, for the community itself alone.
        public init(_ permission: Permission, _ community: Community, mask: UInt32 = .max) {
            self.permission = permission
            self.community = community
            self.mask = mask
        }

        /// For every community of an AS.
        public init(_ permission: Permission, allOf autonomousSystem: UInt16) {
            self.init(permission, Community(autonomousSystem, 0), mask: 0xFFFF_0000)
        }

        func matches(_ other: Community) -> Bool {
            (other.rawValue ^ community.rawValue) & mask == 0
        }
    }

    public var entries: [Entry]

    public init(_ entries: [Entry]) {
        self.entries = entries
    }

    /// Whether the list lets at least one of a route's communities through.
    public func permits(_ communities: [Community]) -> Bool {
        communities.contains { community in
            entries.first { $0.matches(community) }?.permission == .permit
        }
    }
}

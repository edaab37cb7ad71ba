/// How well a path meets an SLA class: 100 with room to spare, 50 at its threshold, 0 at twice that.
public struct PathScore: Comparable, Hashable, Sendable, BitwiseCopyable {
    public let points: UInt8

    /// A score of 0…100; what is outside is moved to the nearer end.
    @inlinable
    public init(_ points: Int) {
        self.points = UInt8(min(max(points, 0), 100))
    }

    @inlinable
    public static var best: PathScore { PathScore(100) }

    @inlinable
    public static var worst: PathScore { PathScore(0) }

    /// The score of a path that is up and not measured yet: neither left nor sought.
    @inlinable
    public static var unknown: PathScore { PathScore(50) }

    @inlinable
    public static func < (left: PathScore, right: PathScore) -> Bool { left.points < right.points }
}

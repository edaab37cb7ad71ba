/// A tag on a route, by convention an AS number and a value of its (RFC 1997).
public struct Community: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var rawValue: UInt32

    public init(rawValue: UInt32) {
        self.rawValue = rawValue
    }

    public init(_ autonomousSystem: UInt16, _ value: UInt16) {
        rawValue = UInt32(autonomousSystem) << 16 | UInt32(value)
    }

    public static func < (left: Community, right: Community) -> Bool { left.rawValue < right.rawValue }

    /// Not to be told to another AS.
    public static let noExport = Community(rawValue: 0xFFFF_FF01)
    /// Not to be told to anyone.
    public static let noAdvertise = Community(rawValue: 0xFFFF_FF02)
    /// Not to be told to another AS, not even of the same confederation.
    public static let noExportSubconfederation = Community(rawValue: 0xFFFF_FF03)
    /// The route will go away soon, and others are to be preferred at once (RFC 8326 §3).
    public static let gracefulShutdown = Community(rawValue: 0xFFFF_0000)
    /// The route has been kept for long without the session that it came from (RFC 9494 §4.6).
    public static let longLivedStale = Community(rawValue: 0xFFFF_0006)
    /// The route must not be kept like that (RFC 9494 §4.7).
    public static let noLongLived = Community(rawValue: 0xFFFF_0007)
    /// Packets for the prefix are to be discarded (RFC 7999 §5).
    public static let blackhole = Community(rawValue: 0xFFFF_029A)

    private static let named: [(community: Community, name: String)] = [
        (.noExport, "no-export"), (.noAdvertise, "no-advertise"), (.noExportSubconfederation, "no-export-subconfed"),
        (.gracefulShutdown, "graceful-shutdown"), (.longLivedStale, "llgr-stale"), (.noLongLived, "no-llgr"),
        (.blackhole, "blackhole"),
    ]
}

extension Community: LosslessStringConvertible {
    public var description: String {
        Self.named.first { $0.community == self }?.name ?? "\(rawValue >> 16):\(rawValue & 0xFFFF)"
    }

    /// Reads `65000:100` or the name of a well-known community.
    public init?(_ text: String) {
        if let named = Self.named.first(where: { $0.name == text }) {
            self = named.community
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, let high = UInt16(parts[0]), let low = UInt16(parts[1]) else { return nil }
        self.init(high, low)
    }
}

/// A tag with room for a four-octet AS number (RFC 8092).
public struct LargeCommunity: Hashable, Comparable, Sendable, BitwiseCopyable {
    public var administrator: UInt32
    public var high: UInt32
    public var low: UInt32

    public init(_ administrator: UInt32, _ high: UInt32, _ low: UInt32) {
        self.administrator = administrator
        self.high = high
        self.low = low
    }

    public static func < (left: LargeCommunity, right: LargeCommunity) -> Bool {
        (left.administrator, left.high, left.low) < (right.administrator, right.high, right.low)
    }
}

extension LargeCommunity: LosslessStringConvertible {
    public var description: String { "\(administrator):\(high):\(low)" }

    /// Reads `65000:1:2`.
    public init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let administrator = UInt32(parts[0]), let high = UInt32(parts[1]),
            let low = UInt32(parts[2])
        else { return nil }
        self.init(administrator, high, low)
    }
}

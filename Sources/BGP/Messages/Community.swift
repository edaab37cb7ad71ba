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
}

extension Community: LosslessStringConvertible {
    public var description: String {
        switch self {
        case .noExport: "no-export"
        case .noAdvertise: "no-advertise"
        case .noExportSubconfederation: "no-export-subconfed"
        default: "\(rawValue >> 16):\(rawValue & 0xFFFF)"
        }
    }

    /// Reads `65000:100` or the name of a well-known community.
    public init?(_ text: String) {
        for named in [Community.noExport, .noAdvertise, .noExportSubconfederation] where named.description == text {
            self = named
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

public import Wire

/// That an AS may originate a prefix, down to a length: a validated ROA payload (RFC 6811 §2).
public struct OriginAuthorization: Hashable, Sendable {
    public var prefix: IPPrefix
    public var maximumLength: Int
    /// 0 for nobody (RFC 6483 §4).
    public var autonomousSystem: UInt32

    /// Without a length, for the prefix itself alone.
    public init(_ prefix: IPPrefix, maximumLength: Int? = nil, autonomousSystem: UInt32) {
        self.prefix = prefix
        self.maximumLength = max(maximumLength ?? prefix.length, prefix.length)
        self.autonomousSystem = autonomousSystem
    }
}

/// What is known of a route's origin (RFC 6811 §2).
public enum OriginValidity: UInt8, Sendable, BitwiseCopyable {
    case valid
    case invalid
    /// No authorization covers the prefix.
    case notFound
}

/// Who may originate what: the contents of a file of authorizations, made ready for look-up.
public struct OriginTable: Equatable, Sendable {
    /// In order of prefix.
    private let authorizations: [OriginAuthorization]
    /// The lengths that occur in each family, shortest first.
    private let lengths: (ipv4: [Int], ipv6: [Int])

    public init(_ authorizations: [OriginAuthorization]) {
        self.authorizations = authorizations.sorted {
            ($0.prefix, $0.maximumLength, $0.autonomousSystem) < ($1.prefix, $1.maximumLength, $1.autonomousSystem)
        }
        var occurs = (ipv4: Array(repeating: false, count: 33), ipv6: Array(repeating: false, count: 129))
        for authorization in authorizations {
            if authorization.prefix.isIPv4 {
                occurs.ipv4[authorization.prefix.length] = true
            } else {
                occurs.ipv6[authorization.prefix.length] = true
            }
        }
        lengths = (occurs.ipv4.indices.filter { occurs.ipv4[$0] }, occurs.ipv6.indices.filter { occurs.ipv6[$0] })
    }

    public static func == (left: OriginTable, right: OriginTable) -> Bool {
        left.authorizations == right.authorizations
    }

    /// Whether an AS, nil for one that cannot be told, may originate a prefix.
    public func validity(of prefix: IPPrefix, from autonomousSystem: UInt32?) -> OriginValidity {
        var isCovered = false
        for length in prefix.isIPv4 ? lengths.ipv4 : lengths.ipv6 where length <= prefix.length {
            let covering = IPPrefix(prefix.address, length: length)
            var place = firstPlace(of: covering)
            while place < authorizations.count, authorizations[place].prefix == covering {
                isCovered = true
                let authorization = authorizations[place]
                if prefix.length <= authorization.maximumLength, authorization.autonomousSystem != 0,
                    authorization.autonomousSystem == autonomousSystem
                {
                    return .valid
                }
                place += 1
            }
        }
        return isCovered ? .invalid : .notFound
    }

    private func firstPlace(of prefix: IPPrefix) -> Int {
        var low = 0
        var high = authorizations.count
        while low < high {
            let middle = (low + high) / 2
            if authorizations[middle].prefix < prefix { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension ASPath {
    /// The AS that originated the route; nil where a set hides it (RFC 6811 §2).
    public var originator: UInt32? {
        guard let last = segments.last else { return nil }
        return last.kind == .sequence ? last.members.last : nil
    }
}

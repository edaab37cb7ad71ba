/// The ASes that a route has come through, nearest first (RFC 4271 §4.3 b).
public struct ASPath: Hashable, Sendable {
    /// How the members of a segment belong together (RFC 4271 §4.3, RFC 5065 §3).
    public enum SegmentKind: UInt8, Sendable, BitwiseCopyable {
        case set = 1
        case sequence = 2
        case confederationSequence = 3
        case confederationSet = 4

        /// Whether it is of a confederation, and has no business outside of one.
        public var isConfederation: Bool { rawValue >= 3 }
    }

    /// A run of AS numbers, at least one and at most 255.
    public struct Segment: Hashable, Sendable {
        public var kind: SegmentKind
        public var members: [UInt32]

        public init(_ kind: SegmentKind, _ members: [UInt32]) {
            self.kind = kind
            self.members = members
        }
    }

    public var segments: [Segment]

    public init(segments: [Segment] = []) {
        self.segments = segments
    }

    /// A path of one sequence; the empty path for no numbers.
    public init(_ numbers: UInt32...) {
        segments = numbers.isEmpty ? [] : [Segment(.sequence, numbers)]
    }

    /// The length as the decision process counts it: a set is one, a confederation nothing (RFC 4271 §9.1.2.2 a).
    public var length: Int {
        segments.reduce(0) { sum, segment in
            switch segment.kind {
            case .sequence: sum + segment.members.count
            case .set: sum + 1
            case .confederationSequence, .confederationSet: sum
            }
        }
    }

    /// The AS that the route was heard from.
    public var first: UInt32? { segments.first?.members.first }

    /// The AS outside the own confederation that the route was heard from (RFC 5065 §5.3).
    var neighbor: UInt32? { segments.first { !$0.kind.isConfederation }?.members.first }

    /// All numbers in order, sets included.
    public var numbers: [UInt32] { segments.flatMap(\.members) }

    /// Whether a number stands anywhere in the path.
    public func contains(_ number: UInt32) -> Bool {
        segments.contains { $0.members.contains(number) }
    }

    public var hasConfederationSegments: Bool { segments.contains { $0.kind.isConfederation } }

    var needsFourOctets: Bool { segments.contains { $0.members.contains { $0 > 0xFFFF } } }

    /// Puts a number in front, `count` times (RFC 4271 §5.1.2).
    public mutating func prepend(_ number: UInt32, count: Int = 1) {
        for _ in 0..<count {
            if let first = segments.first, first.kind == .sequence, first.members.count < 255 {
                segments[0].members.insert(number, at: 0)
            } else {
                segments.insert(Segment(.sequence, [number]), at: 0)
            }
        }
    }

    /// The path of an old speaker, whose AS4_PATH keeps the numbers that two octets could not (RFC 6793 §4.2.3).
    func merged(withFourOctet path: ASPath) -> ASPath {
        var surplus = length - path.length
        guard surplus >= 0 else { return self }
        var leading: [Segment] = []
        for segment in segments where surplus > 0 {
            guard segment.kind == .sequence else {
                leading.append(segment)
                surplus -= segment.kind == .set ? 1 : 0
                continue
            }
            leading.append(Segment(.sequence, Array(segment.members.prefix(surplus))))
            surplus -= min(surplus, segment.members.count)
        }
        if let last = leading.last, let first = path.segments.first, last.kind == .sequence, first.kind == .sequence,
            last.members.count + first.members.count <= 255
        {
            leading[leading.count - 1].members += first.members
            return ASPath(segments: leading + path.segments.dropFirst())
        }
        return ASPath(segments: leading + path.segments)
    }
}

extension ASPath {
    /// Reads the segments; nil where a kind, a count or a length is wrong (RFC 7606 §7.2).
    init?(_ bytes: RawSpan, isFourOctet: Bool) {
        let width = isFourOctet ? 4 : 2
        var segments: [Segment] = []
        var offset = 0
        while offset < bytes.byteCount {
            guard bytes.byteCount - offset >= 2, let kind = SegmentKind(rawValue: bytes.field(at: offset)) else {
                return nil
            }
            let count = Int(bytes.field(at: offset + 1, as: UInt8.self))
            offset += 2
            guard count > 0, bytes.byteCount - offset >= count * width else { return nil }
            let members = (0..<count).map { index in
                isFourOctet
                    ? bytes.field(at: offset + index * 4, as: UInt32.self)
                    : UInt32(bytes.field(at: offset + index * 2, as: UInt16.self))
            }
            segments.append(Segment(kind, members))
            offset += count * width
        }
        self.segments = segments
    }

    /// Appends the segments; in two octets, a number that does not fit becomes AS_TRANS.
    func append(to octets: inout ContiguousArray<UInt8>, isFourOctet: Bool) {
        for segment in segments {
            octets.append(segment.kind.rawValue)
            octets.append(UInt8(segment.members.count))
            for member in segment.members {
                if isFourOctet {
                    octets.append(bigEndian: member)
                } else {
                    octets.append(bigEndian: UInt16(exactly: member) ?? OpenMessage.transitionalAS)
                }
            }
        }
    }
}

extension ASPath: CustomStringConvertible {
    /// The path as routers print it: sets in braces, confederations in parentheses.
    public var description: String {
        segments.map { segment in
            let members = segment.members.map { String($0) }
            return switch segment.kind {
            case .sequence: members.joined(separator: " ")
            case .set: "{" + members.joined(separator: ",") + "}"
            case .confederationSequence: "(" + members.joined(separator: " ") + ")"
            case .confederationSet: "[" + members.joined(separator: ",") + "]"
            }
        }.joined(separator: " ")
    }
}

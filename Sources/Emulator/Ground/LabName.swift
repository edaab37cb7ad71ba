/// The name of a lab: part of paths and of the marks on links, so it is short and plain.
public struct LabName: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let text: String

    /// Up to 32 letters, digits, `-`, `_` and `.`, of which the first is a letter or digit; nil for anything else.
    public init?(_ text: String) {
        let octets = Array(text.utf8)
        guard let first = octets.first, octets.count <= 32, Self.isAlphanumeric(first) else { return nil }
        guard octets.allSatisfy({ Self.isAlphanumeric($0) || [0x2D, 0x2E, 0x5F].contains($0) }) else { return nil }
        self.text = text
    }

    /// The name that a topology's gives a lab: what does not fit is left out or becomes `-`.
    public init(forTopology name: String) {
        let octets = name.utf8.map { Self.isAlphanumeric($0) || [0x2E, 0x5F].contains($0) ? $0 : 0x2D }
        let text = String(decoding: octets.drop { !Self.isAlphanumeric($0) }.prefix(32), as: UTF8.self)
        self.text = text.isEmpty ? "lab" : text
    }

    private static func isAlphanumeric(_ octet: UInt8) -> Bool {
        switch octet {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: false
        }
    }

    public static func < (left: LabName, right: LabName) -> Bool { left.text < right.text }

    public var description: String { text }

    /// The mark (IFLA_IFALIAS) of one of the lab's ports.
    public func mark(of node: String, _ port: String) -> String { "\(markPrefix)\(node):\(port)" }

    /// What every mark of the lab starts with.
    public var markPrefix: String { "patronus:\(text):" }
}

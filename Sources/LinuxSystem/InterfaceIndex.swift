/// The kernel's number of an interface, which means something only within one namespace.
public struct InterfaceIndex: Hashable, Comparable, Sendable, BitwiseCopyable, CustomStringConvertible {
    public let number: UInt32

    public init(_ number: UInt32) {
        self.number = number
    }

    public static func < (left: InterfaceIndex, right: InterfaceIndex) -> Bool { left.number < right.number }

    public var description: String { "interface \(number)" }
}

public import Links
import Scenario

/// A link as a wire has it: two directions between two TAPs.
public struct WireLink: Sendable {
    public var name: String
    /// From the first end to the second.
    public var forward: LinkProfile
    public var reverse: LinkProfile
    /// Whether frames are kept as they pass the first end.
    public var isCaptured: Bool

    public init(_ name: String, forward: LinkProfile, reverse: LinkProfile, isCaptured: Bool = false) {
        self.name = name
        self.forward = forward
        self.reverse = reverse
        self.isCaptured = isCaptured
    }

    func profile(_ direction: LinkDirection) -> LinkProfile { direction == .forward ? forward : reverse }

    /// The name of the random stream of one direction, the same as in the simulator.
    func stream(_ direction: LinkDirection) -> String {
        "link \(name) \(direction == .forward ? "forward" : "reverse")"
    }
}

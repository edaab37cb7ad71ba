import CDataplane

/// What of the program is switched on; set before it is loaded, and then constant, so that
/// what is off costs nothing.
public struct DataplaneSwitches: Equatable, Sendable, BitwiseCopyable {
    public var firewall = true
    public var floodGuard = true
    public var flowTable = true
    /// Tunnels and redirection.
    public var forwarding = true
    public var sampling = true
    /// Time is what ``DataplaneChange/setTime(_:)`` said last, not the kernel's clock.
    public var virtualClock = false

    public init() {}

    /// The variable of the object's `.rodata` that holds them.
    public static let variable = "constants"

    /// The variable's value, which is all of `.rodata`.
    public var octets: [UInt8] {
        var constants = patronus_constants()
        constants.firewall = firewall ? 1 : 0
        constants.flood_guard = floodGuard ? 1 : 0
        constants.flow_table = flowTable ? 1 : 0
        constants.forwarding = forwarding ? 1 : 0
        constants.sampling = sampling ? 1 : 0
        constants.virtual_clock = virtualClock ? 1 : 0
        return withUnsafeBytes(of: constants) { unsafe Array($0) }
    }
}

/// What a program wants done with its packet (`enum xdp_action`).
public enum XDPVerdict: UInt32, Sendable, BitwiseCopyable {
    case aborted, drop, pass, transmit, redirect

    var number: UInt64 { UInt64(rawValue) }
}

/// How a program's run on a packet ended.
public struct XDPResult: Equatable, Sendable {
    /// Where a redirected frame goes.
    public enum Target: Equatable, Sendable, BitwiseCopyable {
        /// The interface of that index, if there is one.
        case interface(UInt32)
        /// The interface that a map of devices held under `key` when the program asked.
        case device(map: Int, key: UInt32, interface: UInt32)
        /// Every interface in a map of devices, a copy each.
        case everyDevice(map: Int, excludingIngress: Bool)
    }

    public var verdict: XDPVerdict
    /// Set where the verdict is to redirect; a program that redirects to nowhere has none, and its frame is lost.
    public var target: Target?
    /// Where the frame lies in its buffer now.
    public var frame: Range<Int>
    /// How many octets of metadata lie in front of the frame.
    public var metadataCount: Int
    /// How many instructions were run.
    public var instructions: Int
    /// Why the program was stopped: its verdict is then `aborted`.
    public var fault: XDPFault?
}

/// The states of a session with one peer (RFC 4271 §8.2.2).
public enum BGPSessionState: UInt8, CaseIterable, Comparable, Sendable, BitwiseCopyable {
    case idle
    case connect
    case active
    case openSent
    case openConfirm
    case established

    public static func < (left: BGPSessionState, right: BGPSessionState) -> Bool { left.rawValue < right.rawValue }
}

/// How control packets travel over UDP (RFC 5881 §4 and §5, RFC 5883 §5).
public enum Encapsulation {
    public static let singleHopPort: UInt16 = 3784
    public static let multihopPort: UInt16 = 4784
    /// A session keeps one source port out of these for its whole life.
    public static let sourcePorts: ClosedRange<UInt16> = 49152...65535
    /// What a single-hop packet must leave and arrive with (RFC 5082).
    public static let timeToLive: UInt8 = 255
}

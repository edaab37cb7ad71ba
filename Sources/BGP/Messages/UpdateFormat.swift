/// How a session has its UPDATEs written.
public struct UpdateFormat: Equatable, Sendable, BitwiseCopyable {
    /// Whether AS numbers take four octets (RFC 6793 §4).
    public var isFourOctet: Bool
    /// No message is longer (RFC 4271 §4.1, RFC 8654 §4).
    public var maximumLength: Int
    /// The families of which every path has a number (RFC 7911 §3).
    public var numberedFamilies: AddressFamilies = []
    /// Whether IPv4 routes may have IPv6 next hops (RFC 8950 §4).
    public var hasExtendedNextHop = false

    public init(isFourOctet: Bool, maximumLength: Int = MessageHeader.maximumLength) {
        self.isFourOctet = isFourOctet
        self.maximumLength = maximumLength
    }
}

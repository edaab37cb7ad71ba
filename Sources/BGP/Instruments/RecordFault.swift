/// What is wrong with a recorded or monitored message, and at which octet of what was given it was found.
public struct RecordFault: Error, Equatable, Sendable {
    /// The kinds of faults.
    public enum Reason: Equatable, Sendable {
        /// A field needs more octets than its record has left.
        case truncated(needed: Int, available: Int)
        /// A length that its record or the octets in it contradict.
        case badLength(Int)
        /// A version that is not spoken here.
        case badVersion(UInt8)
        /// A type or code to which its RFC gives no meaning.
        case badType(Int)
        /// A family that is neither IPv4 nor IPv6.
        case badFamily(UInt16)
        /// A prefix of more bits than an address has.
        case badPrefixLength(UInt8)
        /// A message inside that BGP itself would refuse.
        case badMessage(Notification)
    }

    public let offset: Int
    public let reason: Reason

    public init(_ reason: Reason, at offset: Int) {
        self.offset = offset
        self.reason = reason
    }
}

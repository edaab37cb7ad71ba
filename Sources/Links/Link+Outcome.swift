public import Telemetry

extension Link {
    /// What a link says to a packet offered to it.
    public enum Offer: Equatable, Sendable, BitwiseCopyable {
        /// The packet is inside; its token comes back by `next(at:)`.
        case accepted
        /// The packet never went in; the host keeps its token.
        case dropped(DropCause)
    }

    /// What became of a packet inside a link.
    public enum Outcome: Equatable, Sendable, BitwiseCopyable {
        /// It arrived; where `damagedBit` is set, the host inverts that bit (bit 0 is the highest of octet 0).
        case delivered(token: UInt32, damagedBit: UInt32?)
        /// The host copies it and delivers the copy; the packet itself is still inside and comes next.
        case duplicated(token: UInt32)
        /// It was lost; the host frees the token.
        case dropped(token: UInt32, DropCause)
    }
}

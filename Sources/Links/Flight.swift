import Basics
import Telemetry

/// A packet whose transmission is booked, under way or over, and which has not arrived.
struct Flight: Sendable, BitwiseCopyable {
    /// What the impairments decided.
    struct Fate: OptionSet, Sendable, BitwiseCopyable {
        let rawValue: UInt8

        static var lost: Fate { Fate(rawValue: 1) }
        static var overtakes: Fate { Fate(rawValue: 2) }
        static var damaged: Fate { Fate(rawValue: 4) }
        static var duplicated: Fate { Fate(rawValue: 8) }
        /// The loss model's chain was in its bad state before this packet.
        static var followsBad: Fate { Fate(rawValue: 16) }

        /// Due when the transmission ends, not after the delay.
        static var leavesAtOnce: Fate { [.lost, .overtakes] }
    }

    var packet: QueuedPacket
    var damagedBit: UInt32 = 0
    /// The packet's place in the order of those offered.
    var sequence: UInt32
    var fate: Fate = []
    /// When the first bit is sent.
    var start: Instant
    /// When the last bit has been sent.
    var departure: Instant
    /// When the packet arrives at the far end, or is reported lost.
    var due: Instant
}

/// A packet that was dropped inside, whose token the host has not got back yet.
struct Fallen: Sendable, BitwiseCopyable {
    var token: UInt32
    var cause: DropCause
}

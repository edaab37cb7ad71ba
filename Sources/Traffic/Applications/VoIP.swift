public import Basics

/// A telephone call of G.711 over RTP, both ends speaking: `voip`.
///
/// Fifty packets a second each way, 160 octets of sound behind the header of RTP; the
/// first 16 of them are the measuring stamp.
public struct VoIP: Equatable, Sendable {
    public init() {}

    /// The sound in one packet (RFC 3551 §4.2).
    public static let packetization: Interval = .milliseconds(20)

    /// Octets of sound in one packet, at 8000 a second.
    public static let soundByteCount = 160

    /// How its datagrams follow each other.
    public var rhythm: DatagramRhythm {
        DatagramRhythm(evenGap: Self.packetization, isVoice: true, stampPlacement: .behindRTP)
    }
}

/// The departures of one speaker of a ``VoIP`` call.
public struct VoIPGenerator: Sendable {
    private let synchronizationSource: UInt32
    private var number: UInt32 = 0

    public init(synchronizationSource: UInt32) {
        self.synchronizationSource = synchronizationSource
    }

    public var next: Departure? {
        Departure(
            offset: VoIP.packetization * Int64(number), payloadByteCount: RTPHeader.byteCount + VoIP.soundByteCount)
    }

    mutating func take(stampedWith stamp: MeasuringStamp, filler: inout PayloadFiller, into arena: inout ByteArena) {
        let header = RTPHeader(
            isMarked: number == 0, payloadType: 0, sequence: UInt16(truncatingIfNeeded: number),
            timestamp: number &* UInt32(VoIP.soundByteCount), synchronizationSource: synchronizationSource)
        header.append(to: &arena)
        stamp.append(to: &arena)
        filler.append(VoIP.soundByteCount - MeasuringStamp.byteCount, of: .random, to: &arena)
        number &+= 1
    }
}

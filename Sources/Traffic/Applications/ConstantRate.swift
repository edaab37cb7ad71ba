public import Basics

/// A constant rate of equal datagrams from the source to the sink: `cbr`.
public struct ConstantRate: Equatable, Sendable {
    /// Of IP packets, their headers included.
    public var rate: BitRate
    /// Of one IP packet, its header included.
    public var packetByteCount: Int
    public var content: PayloadContent

    /// Sizes are kept between the smallest that carries a stamp, 64, and 65535 bytes; a rate of 0 becomes 1 bit/s.
    public init(rate: BitRate, packetByteCount: Int, content: PayloadContent = .random) {
        self.rate = BitRate(bitsPerSecond: max(1, rate.bitsPerSecond))
        self.packetByteCount = min(max(packetByteCount, 64), 65_535)
        self.content = content
    }

    /// How its datagrams follow each other.
    public var rhythm: DatagramRhythm {
        DatagramRhythm(evenGap: rate.transmissionTime(byteCount: packetByteCount), stampPlacement: .leading)
    }
}

/// The departures of a ``ConstantRate``: the n-th at n packets' time at the rate, rounded down, without drift.
public struct ConstantRateGenerator: Sendable {
    private let payloadByteCount: Int
    private let content: PayloadContent
    private let step: Interval
    private let stepRemainder: UInt64
    private let divisor: UInt64
    private var offset: Interval = .zero
    private var remainder: UInt64 = 0

    public init(_ profile: ConstantRate, overIPv4: Bool) {
        payloadByteCount = profile.packetByteCount - (overIPv4 ? 28 : 48)
        content = profile.content
        let time = UInt64(profile.packetByteCount) * 8_000_000_000
        divisor = profile.rate.bitsPerSecond
        step = Interval(nanoseconds: Int64(time / divisor))
        stepRemainder = time % divisor
    }

    public var next: Departure? { Departure(offset: offset, payloadByteCount: payloadByteCount) }

    mutating func take(stampedWith stamp: MeasuringStamp, filler: inout PayloadFiller, into arena: inout ByteArena) {
        stamp.append(to: &arena)
        filler.append(payloadByteCount - MeasuringStamp.byteCount, of: content, to: &arena)
        offset += step
        // Compared before it is added, because two remainders may not fit.
        if remainder >= divisor - stepRemainder {
            remainder -= divisor - stepRemainder
            offset += .nanoseconds(1)
        } else {
            remainder += stepRemainder
        }
    }
}

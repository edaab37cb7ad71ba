public import Basics

/// When a link may send: a Mahimahi packet-delivery trace, repeated for ever.
///
/// Each line of such a file is a millisecond at which 1500 bytes may leave; the last one is also the period.
/// Winstein, Sivaraman and Balakrishnan, "Stochastic Forecasts Achieve High Throughput and Low Delay over
/// Cellular Networks", NSDI 2013. Mahimahi's `mm-link` grants 1504 bytes, because its packets carry the four
/// octets of a TUN header; here a packet is an IP packet, and an opportunity is worth 1500.
public struct Trace: Equatable, Sendable {
    /// The bytes that one line of the file allows.
    public static var bytesPerOpportunity: UInt32 { 1_500 }

    /// Each millisecond that has opportunities, ascending; the last one is the period and above 0.
    let milliseconds: ContiguousArray<UInt32>
    /// How many bytes may leave at the millisecond of the same index.
    let allowances: ContiguousArray<UInt32>
    /// How many opportunities there are in one period.
    public let opportunityCount: Int

    init(milliseconds: ContiguousArray<UInt32>, allowances: ContiguousArray<UInt32>, opportunityCount: Int) {
        self.milliseconds = milliseconds
        self.allowances = allowances
        self.opportunityCount = opportunityCount
    }

    /// After how long the trace starts again.
    public var period: Interval { .milliseconds(Int64(milliseconds.last ?? 1)) }

    /// The rate that the trace allows over a whole period.
    public var meanRate: BitRate {
        let bits = UInt64(opportunityCount) &* UInt64(Trace.bytesPerOpportunity) &* 8_000
        return BitRate(bitsPerSecond: bits / UInt64(milliseconds.last ?? 1))
    }
}

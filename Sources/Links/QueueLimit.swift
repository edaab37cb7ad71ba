public import Basics

/// How much may wait for a link's transmitter; the packet that is being sent waits no more.
public enum QueueLimit: Equatable, Sendable {
    /// A packet that would wait longer than this is dropped.
    ///
    /// Under CoDel and FQ-CoDel, whose order is not known beforehand, it stands for the bytes that
    /// the rate (of a trace: the mean rate) sends in that time.
    case time(Interval)
    case bytes(UInt64)
    case packets(UInt32)
}

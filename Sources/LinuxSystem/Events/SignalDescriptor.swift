import CLinux

/// Signals as something to wait for: they are blocked for the thread that opens this, and for those it starts.
///
/// A process that wants none to arrive otherwise opens it before it starts any thread.
public struct SignalDescriptor: ~Copyable {
    private let descriptor: FileDescriptor

    public init(_ signals: [Int32]) throws(SystemError) {
        descriptor = FileDescriptor(
            owning: try checked(clinux_signals(signals, Int32(signals.count)), "wait for signals"))
    }

    /// The descriptor's number, to wait for.
    public var number: Int32 { descriptor.number }

    /// The signal that came next; nil where none waits.
    public func next() throws(SystemError) -> Int32? {
        let signal = try checked(clinux_take_signal(descriptor.number), "take a signal")
        return signal == 0 ? nil : signal
    }
}

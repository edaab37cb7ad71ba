import Glibc

/// Keeps idle processors from sleeping so deeply that they take long to wake, for as long as this value lives.
///
/// The kernel is told that no wait for a processor may be longer than 0 us (Documentation/power/pm_qos_interface.rst).
/// An idle processor polls then: in a guest of a busy host it is not taken away, on a laptop it uses its battery.
public struct WakefulProcessors: ~Copyable {
    private let request: FileDescriptor

    /// Throws where the kernel has no such wish, and where it is not root's.
    public init() throws(SystemError) {
        let subject = "keep processors awake"
        let number = try checked(open("/dev/cpu_dma_latency", O_WRONLY | O_CLOEXEC), subject)
        let file = FileDescriptor(owning: number)
        var microseconds: Int32 = 0
        try checked(Int32(write(file.number, &microseconds, MemoryLayout<Int32>.size)), subject)
        request = file
    }
}

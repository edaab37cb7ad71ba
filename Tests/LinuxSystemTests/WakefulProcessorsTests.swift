import Glibc
import LinuxSystem
import Testing

@Suite(
    .serialized, .enabled(if: access("/dev/cpu_dma_latency", R_OK | W_OK) == 0, "the kernel takes no such wish"))
struct WakefulProcessorsTests {
    /// What all wishes come to, in microseconds.
    private var wanted: Int32 {
        let number = open("/dev/cpu_dma_latency", O_RDONLY | O_CLOEXEC)
        defer { close(number) }
        var microseconds: Int32 = -1
        return read(number, &microseconds, 4) == 4 ? microseconds : -1
    }

    @Test func `processors are to wake at once while the value lives, and not after`() throws {
        let before = wanted
        // Somebody else's run keeps them awake anyway.
        guard before != 0 else { return }
        do {
            let awake = try WakefulProcessors()
            #expect(wanted == 0)
            _ = consume awake
        }
        #expect(wanted == before)
    }
}

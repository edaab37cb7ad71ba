import Basics
import LinuxSystem
import Testing

struct ClockTests {
    @Test func `two clocks of one epoch read the same, and time before it is zero`() {
        let clock = MonotonicClock.startingNow()
        let earlier = clock.now
        let same = MonotonicClock(epoch: clock.epoch).now
        #expect(earlier <= same)
        #expect(same - earlier < .seconds(5))
        #expect(MonotonicClock(epoch: clock.epoch + 3_600_000_000_000).now == .zero)
    }
}

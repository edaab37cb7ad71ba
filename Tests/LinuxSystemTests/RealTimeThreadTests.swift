import Basics
import Glibc
import LinuxSystem
import Synchronization
import Testing

struct RealTimeThreadTests {
    private static func policy() -> Int32 {
        var policy: Int32 = 0
        var parameters = sched_param()
        return pthread_getschedparam(pthread_self(), &policy, &parameters) == 0 ? policy : -1
    }

    @Test func `a thread runs first in, first out, or says why it may not`() throws {
        let found = Mutex<Int32?>(nil)
        let thread = try RealTimeThread(named: "patronus-test-thread") {
            let policy = Self.policy()
            found.withLock { $0 = policy }
        }
        thread.join()
        let policy = found.withLock { $0 }
        if thread.refusals.isEmpty {
            #expect(policy == SCHED_FIFO)
        } else {
            #expect(policy == SCHED_OTHER)
            #expect(thread.refusals.allSatisfy { $0.number == EPERM })
        }
    }

    @Test func `what is refused is told, and the thread runs nevertheless`() throws {
        let hasRun = Atomic(false)
        let manner = RealTimeThread.Manner(priority: 1_000, processor: 100_000)
        let thread = try RealTimeThread(named: "patronus-test", manner) { hasRun.store(true, ordering: .relaxed) }
        thread.join()
        let ran = hasRun.load(ordering: .relaxed)
        #expect(ran && thread.refusals.count == 2)
        #expect(thread.refusals.allSatisfy { $0.number == EINVAL || $0.number == EPERM })
    }

    @Test func `its processor time counts what it does and not what it waits for`() throws {
        let mayEnd = Atomic(false)
        let thread = try RealTimeThread(named: "patronus-test") {
            let start = MonotonicClock.kernelReading()
            while MonotonicClock.kernelReading() - start < 5_000_000 {}
            while !mayEnd.load(ordering: .relaxed) { usleep(1_000) }
        }
        usleep(60_000)
        let time = thread.processorTime
        mayEnd.store(true, ordering: .relaxed)
        thread.join()
        #expect(time >= .milliseconds(3) && time < .milliseconds(30))
    }
}

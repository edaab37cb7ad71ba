public import Basics
import CLinux
import Glibc
import Synchronization

/// A thread that the kernel runs before all that share a processor by turns (SCHED_FIFO), where it is permitted.
///
/// Such a thread that never sleeps takes its processor for itself, but for the twentieth that the kernel keeps back.
public final class RealTimeThread: Sendable {
    /// How a thread is to be run.
    public struct Manner: Equatable, Sendable {
        /// From 1, the least, to 99, by which real-time threads come before one another; nil is to run by turns.
        public var priority: Int32?
        /// How late it may be woken so that it can be woken together with others.
        public var timerSlack: Interval
        /// The processor that it stays on.
        public var processor: Int?

        public init(priority: Int32? = 20, timerSlack: Interval = .nanoseconds(1), processor: Int? = nil) {
            self.priority = priority
            self.timerSlack = timerSlack
            self.processor = processor
        }
    }

    /// What was asked for and not permitted, in the kernel's words; the thread runs nevertheless.
    public let refusals: [SystemError]
    private let thread: pthread_t
    private let isJoined = Atomic(false)

    /// Starts a thread; `name` is cut to 15 octets.
    public init(
        named name: String, _ manner: Manner = Manner(), _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        let work = try ThreadWork(name, manner, body)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(work)
        let status = pthread_create(&thread, nil, beginThread, context.toOpaque())
        guard status == 0 else {
            context.release()
            throw .refused("start the thread \(name)", number: status, explanation: "")
        }
        refusals = work.waitForRefusals()
        self.thread = thread
    }

    deinit {
        if !isJoined.load(ordering: .relaxed) { pthread_detach(thread) }
    }

    /// Whether the kernel runs it before others.
    public var isRealTime: Bool {
        var policy: Int32 = 0
        var parameters = sched_param()
        return pthread_getschedparam(thread, &policy, &parameters) == 0 && policy == SCHED_FIFO
    }

    /// How long it has run.
    public var processorTime: Interval {
        var clock = clockid_t()
        var reading = timespec()
        guard pthread_getcpuclockid(thread, &clock) == 0, clock_gettime(clock, &reading) == 0 else { return .zero }
        return .seconds(Int64(reading.tv_sec)) + .nanoseconds(Int64(reading.tv_nsec))
    }

    /// Waits for its end; the first call does.
    public func join() {
        guard !isJoined.exchange(true, ordering: .relaxed) else { return }
        pthread_join(thread, nil)
    }
}

/// What a new thread is to do, and what it reports when it has set itself up.
private final class ThreadWork: Sendable {
    private let name: String
    private let manner: RealTimeThread.Manner
    private let body: @Sendable () -> Void
    private let refusals = Mutex<[SystemError]>([])
    /// Rung when `refusals` are there.
    private let bell: Bell

    init(
        _ name: String, _ manner: RealTimeThread.Manner, _ body: @escaping @Sendable () -> Void
    ) throws(SystemError) {
        self.name = name
        self.manner = manner
        self.body = body
        bell = try Bell(waits: true)
    }

    func run() {
        let found = setUp()
        refusals.withLock { $0 = found }
        bell.ring()
        body()
    }

    func waitForRefusals() -> [SystemError] {
        bell.hear()
        return refusals.withLock { $0 }
    }

    private func setUp() -> [SystemError] {
        var found: [SystemError] = []
        func attempt(_ body: () throws(SystemError) -> Void) {
            do throws(SystemError) {
                try body()
            } catch {
                found.append(error)
            }
        }
        let short = String(decoding: name.utf8.prefix(15), as: UTF8.self)
        attempt { () throws(SystemError) in try checked(clinux_name_thread(short), "name the thread \(name)") }
        attempt { () throws(SystemError) in
            let slack = UInt(clamping: manner.timerSlack.nanoseconds)
            try checked(clinux_set_timer_slack(max(1, slack)), "set the timer slack of the thread \(name)")
        }
        if let processor = manner.processor { attempt { () throws(SystemError) in try Processors.stay(on: processor) } }
        if let priority = manner.priority {
            attempt { () throws(SystemError) in
                try checked(clinux_schedule_first(priority), "run the thread \(name) before others (SCHED_FIFO)")
            }
        }
        return found
    }
}

private func beginThread(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    if let context { Unmanaged<ThreadWork>.fromOpaque(context).takeRetainedValue().run() }
    return nil
}

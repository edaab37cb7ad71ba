// The userspace wire: impaired links between network namespaces.
//
// Each end of a link is a TAP in the namespace of the machine there, and the wire holds the other sides of both. What
// a machine sends, the wire reads; the simulator's own link model (`Links`) says when it arrives at the other end, or
// why not, against the monotonic clock and with the random stream that the simulator gives the same link; and then the
// wire writes it. One thread serves all links. It runs before all others where that is permitted, sleeps until shortly
// before the next frame is due and waits for the rest awake.
//
//   machine -> TAP -> read -> Link.offer -> Link.next -> write -> TAP -> machine
//
// Impairments are made here on every kernel, also where it has netem: that has no streams that can be seeded, and a
// redirecting XDP program goes past it.
//
// A wire can be late, which the model is not: how late each frame was that had to wait is counted, and where it was too
// much (`LateDirection`) a run says nothing about the link.
public import Basics
public import Links
public import LinuxSystem
public import Scenario
import Synchronization

/// The links of a lab, in the hands of one thread.
public final class UserspaceWire: Sendable {
    /// How much a wire has room for, and how it runs.
    public struct Settings: Sendable {
        /// With its Ethernet header; what is larger is not taken.
        public var largestFrame = 1_600
        /// How many frames may be on their way before memory has to be found for more, which makes the wire late.
        public var roomForFrames = 16_384
        /// How many octets a capture has.
        public var roomForCapture = 256 << 20
        public var manner = RealTimeThread.Manner()

        public init() {}
    }

    private let engine: WireEngine
    private let settings: Settings
    private let thread = Mutex<RealTimeThread?>(nil)

    /// A wire without links; all wires and machines of a lab have one clock, and a run has one seed.
    public init(clock: MonotonicClock, seed: UInt64, _ settings: Settings = Settings()) throws(SystemError) {
        self.settings = settings
        engine = try WireEngine(clock: clock, seed: seed, settings)
    }

    deinit { stop() }

    /// Adds a link between two TAPs, whose owner the wire becomes, and returns its number, which counts from zero.
    public func add(
        _ link: WireLink, between first: consuming TapDevice, and second: consuming TapDevice
    ) throws(SystemError) -> Int {
        // A closure may not consume what it captures, but may empty it.
        var first = Optional(first)
        var second = Optional(second)
        return try engine.state.withLock { (state) throws(SystemError) in
            let number = state.links.count
            guard let first = first.take(), let second = second.take() else { return number }
            try engine.poll.add(first.descriptor.number, for: .readable, token: UInt64(2 * number))
            try engine.poll.add(second.descriptor.number, for: .readable, token: UInt64(2 * number + 1))
            state.add(link, between: first, and: second)
            return number
        }
    }

    /// Starts the thread; until then nothing is read, and the kernel keeps what is sent.
    public func start() throws(SystemError) {
        let engine = engine
        try thread.withLock { (thread) throws(SystemError) in
            guard thread == nil else { return }
            thread = try RealTimeThread(named: "patronus-wire", settings.manner) { engine.run() }
        }
    }

    /// Serves the links on the calling thread for so long, for a wire that was not started.
    public func serve(for time: Interval) {
        engine.run(until: engine.clock.now + time)
    }

    /// Ends the thread for good; the interfaces stay until the wire is gone.
    public func stop() {
        engine.state.withLock { $0.isEnding = true }
        engine.bell.ring()
        thread.withLock { $0?.join() }
    }
}

extension UserspaceWire {
    /// How many links there are.
    public var linkCount: Int { engine.state.withLock { $0.links.count } }

    /// Changes what is configured of one direction, now.
    public func change(_ link: Int, _ direction: LinkDirection, to profile: LinkProfile) {
        engine.state.withLock { $0.change(place(link, direction), to: profile) }
        engine.bell.ring()
    }

    /// What is configured of one direction.
    public func profile(of link: Int, _ direction: LinkDirection) -> LinkProfile {
        engine.state.withLock { $0.directions[place(link, direction)].link.profile }
    }

    /// Takes directions up or down, now and together.
    ///
    /// One direction alone fails silently: the carrier is there for both ends while either way works.
    public func setUp(_ link: Int, _ directions: LinkDirections, _ isUp: Bool) throws(SystemError) {
        let places = LinkDirection.allCases.filter { directions.contains($0) }.map { place(link, $0) }
        try engine.state.withLock { (state) throws(SystemError) in try state.setUp(places, of: link, isUp) }
        engine.bell.ring()
    }

    /// Says whether the machine that a direction comes from is there.
    ///
    /// Of one that is not, its kernel's frames are nobody's, and what arrives at it is heard by nobody. The carrier
    /// stays at both ends: nobody sees a machine that is silent.
    public func setMachine(at link: Int, _ direction: LinkDirection, isThere: Bool) {
        engine.state.withLock { $0.setMachine(at: place(link, direction), isThere: isThere) }
        engine.bell.ring()
    }

    /// Whether anything gets through in one direction.
    public func isUp(_ link: Int, _ direction: LinkDirection) -> Bool {
        engine.state.withLock { $0.directions[place(link, direction)].link.isUp }
    }

    /// What became of the frames of one direction so far.
    public func counters(of link: Int, _ direction: LinkDirection) -> WireCounters {
        engine.state.withLock { $0.directions[place(link, direction)].counters }
    }

    /// How late the frames of one direction left, of those that the model made wait.
    public func lateness(of link: Int, _ direction: LinkDirection) -> LatenessHistogram {
        engine.state.withLock { $0.directions[place(link, direction)].lateness }
    }

    /// Which directions were too late for the run to count; none where it is valid.
    public func lateDirections() -> [LateDirection] {
        engine.state.withLock { state in
            var found: [LateDirection] = []
            for (index, link) in state.links.enumerated() {
                for direction in LinkDirection.allCases {
                    let place = place(index, direction)
                    let delay = state.directions[place].link.profile.delay
                    let late = LateDirection(
                        state.directions[place].lateness, delay: delay, link: link.name, direction)
                    if let late { found.append(late) }
                }
            }
            return found
        }
    }

    /// The frames of the captured links since the last call.
    public func takeCapture() -> WireCapture {
        engine.state.withLock { $0.takeCapture() }
    }

    /// Why the thread does not run as it should, where it does not; nil before it has started.
    public var refusals: [SystemError]? { thread.withLock { $0?.refusals } }

    /// How long the thread has run.
    public var processorTime: Interval { thread.withLock { $0?.processorTime ?? .zero } }

    private func place(_ link: Int, _ direction: LinkDirection) -> Int {
        2 * link + (direction == .forward ? 0 : 1)
    }
}

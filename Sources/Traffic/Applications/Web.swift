public import Basics

/// A person who reads web pages until the flow's stop: `web`.
///
/// A page is a main object and those embedded in it, fetched by HTTP/1.1 over at most
/// `connectionLimit` streams; then follows a think time. The distributions are those of
/// SURGE (Barford and Crovella 1998): sizes are lognormal (9.357, 1.318) with 7 % in a
/// Pareto tail (133 kB, 1.1); embedded objects are Pareto (1, 2.43), think times Pareto (1 s, 1.5).
public struct Web: Equatable, Sendable {
    /// Octets of one request, its header included.
    public var requestByteCount = 400
    public var connectionLimit = 6
    /// No object is larger.
    public var objectByteLimit: UInt64 = 5_000_000
    public var embeddedObjectLimit: UInt64 = 100
    /// The least think time, and the scale of all others.
    public var thinkTime: Interval = .seconds(1)
    public var thinkTimeLimit: Interval = .seconds(60)

    public init() {}

    func drawObjectByteCount(_ random: inout SeededRandom) -> UInt64 {
        let isTail = random.chance(Ratio(0.07))
        let size = isTail ? 133_000 * random.pareto(shape: 1.1) : naturalExponential(9.357 + 1.318 * random.normal())
        return min(max(1, UInt64(min(size, 1e15))), max(1, objectByteLimit))
    }

    func drawEmbeddedObjectCount(_ random: inout SeededRandom) -> UInt64 {
        min(UInt64(min(random.pareto(shape: 2.43), 1e9)), embeddedObjectLimit)
    }

    func drawThinkTime(_ random: inout SeededRandom) -> Interval {
        let time = Double(thinkTime.nanoseconds) * random.pareto(shape: 1.5)
        return min(Interval(nanoseconds: Int64(min(time, 1e18))), thinkTimeLimit)
    }
}

/// What a client of streams wants next; lanes are its streams, numbered from 0.
public enum ClientStep: Equatable, Sendable, BitwiseCopyable {
    case open(lane: Int)
    /// Asks for an object of that size.
    case request(lane: Int, byteCount: UInt64)
    case close(lane: Int)
    /// A page began; octets are due from now on.
    case begun
    /// A page is complete; it took so long.
    case completed(Interval)
    /// Nothing to do before that instant, unless a stream reports something.
    case wait(until: Instant)
    /// Nothing to do until a stream reports something.
    case idle
}

/// The reader of a ``Web`` flow: asked for steps until it waits, told what its streams did.
public struct WebSession: Sendable {
    private enum Lane: Equatable, Sendable, BitwiseCopyable {
        case closed
        case opening
        case ready
        case busy
    }

    private let profile: Web
    private var random: SeededRandom
    private var lanes: ContiguousArray<Lane>
    private var isLoading = false
    private var pageStart: Instant
    private var wakeAt: Instant
    private var mainIsDone = false
    /// Objects that nobody fetches yet, the main one included.
    private var waiting: UInt64 = 0
    private var busyCount = 0
    private var retryAt: Instant = .zero

    private static var retryDelay: Interval { .seconds(1) }

    public init(_ profile: Web, start: Instant, random: SeededRandom) {
        self.profile = profile
        self.random = random
        lanes = ContiguousArray(repeating: .closed, count: min(max(profile.connectionLimit, 1), 64))
        pageStart = start
        wakeAt = start
    }

    /// Whether a page is being loaded.
    public var isBusy: Bool { isLoading }

    /// The next thing to do; ask again until the answer is to wait or to be idle.
    public mutating func step(at now: Instant) -> ClientStep {
        guard isLoading else { return stepBetweenPages(at: now) }
        if mainIsDone, waiting == 0, busyCount == 0 {
            isLoading = false
            wakeAt = now + profile.drawThinkTime(&random)
            return .completed(now - pageStart)
        }
        // Until the main object has come, nothing is known of the others.
        let fetchable = mainIsDone ? waiting : min(waiting, 1)
        guard fetchable > 0 else { return .idle }
        if let lane = lanes.firstIndex(of: .ready) {
            lanes[lane] = .busy
            busyCount += 1
            waiting -= 1
            return .request(lane: lane, byteCount: profile.drawObjectByteCount(&random))
        }
        let openingCount = lanes.count { $0 == .opening }
        guard UInt64(openingCount) < fetchable, let lane = lanes.firstIndex(of: .closed) else { return .idle }
        guard now >= retryAt else { return .wait(until: retryAt) }
        lanes[lane] = .opening
        return .open(lane: lane)
    }

    private mutating func stepBetweenPages(at now: Instant) -> ClientStep {
        if let lane = lanes.firstIndex(where: { $0 != .closed }) {
            lanes[lane] = .closed
            return .close(lane: lane)
        }
        guard now >= wakeAt else { return .wait(until: wakeAt) }
        isLoading = true
        pageStart = now
        mainIsDone = false
        waiting = 1
        return .begun
    }

    /// The stream of a lane is open.
    public mutating func opened(lane: Int) {
        guard lane < lanes.count, lanes[lane] == .opening else { return }
        lanes[lane] = .ready
    }

    /// All of the object that a lane had asked for has come.
    public mutating func responded(lane: Int) {
        guard lane < lanes.count, lanes[lane] == .busy else { return }
        lanes[lane] = .ready
        busyCount -= 1
        guard !mainIsDone else { return }
        mainIsDone = true
        waiting = profile.drawEmbeddedObjectCount(&random)
    }

    /// The stream of a lane is gone; what it was fetching is fetched again a second later.
    public mutating func failed(lane: Int, at now: Instant) {
        guard lane < lanes.count, lanes[lane] != .closed else { return }
        if lanes[lane] == .busy {
            busyCount -= 1
            waiting += 1
        }
        lanes[lane] = .closed
        retryAt = now + Self.retryDelay
    }
}

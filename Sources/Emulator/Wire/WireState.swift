import Basics
import Glibc
import Links
import LinuxSystem
import Scenario
import Steering
import Telemetry

/// Everything that a wire's thread works on: links, frames on their way, deadlines.
///
/// Directions are numbered as everywhere: the forward one of link `n` is `2 n`, the reverse one `2 n + 1`. The end that
/// a direction comes from has its number, and the one that it leads to that of the opposite direction.
struct WireState: ~Copyable {
    let clock: MonotonicClock
    private let seed: UInt64
    private let largestFrame: Int
    private let roomForCapture: Int
    private(set) var links: [WireLink] = []
    private(set) var directions = Slab<WireDirection>()
    private var taps = Slab<TapDevice>()
    private var hasCarrier: [Bool] = []
    private var pool: PacketPool
    /// When each packet of the pool was offered.
    private var offeredAt: ContiguousArray<Instant>
    private var deadlines = DeadlineHeap()
    private var joined = JoinedSegments()
    var capture = WireCapture()
    var isEnding = false

    /// How many frames are taken from one end before the others have their turn.
    private static let batch = 32

    init(clock: MonotonicClock, seed: UInt64, _ settings: UserspaceWire.Settings) {
        self.clock = clock
        self.seed = seed
        largestFrame = settings.largestFrame
        roomForCapture = settings.roomForCapture
        // One octet more, so that a frame that is too large can be told from one that just fits.
        pool = PacketPool(
            largestPacket: settings.largestFrame + 1, headroom: OffloadedPackets.headerByteCount,
            capacity: settings.roomForFrames)
        offeredAt = ContiguousArray(repeating: .zero, count: settings.roomForFrames)
        touchPool()
    }

    /// Has the kernel find the pool's memory now: to find a page for a frame may take longer than all else.
    private mutating func touchPool() {
        var packets = ContiguousArray<PacketID>()
        for _ in 0..<pool.capacity {
            let packet = pool.allocate(byteCount: pool.largestPacket)
            pool.withOctets(of: packet) { octets in
                for place in stride(from: 0, to: octets.count, by: 1_024) { octets[place] = 0 }
            }
            packets.append(packet)
        }
        for packet in packets.reversed() { pool.release(packet) }
    }

    /// The earliest instant at which there may be something to do.
    var nextDeadline: Instant? { deadlines.next }

    mutating func add(_ link: WireLink, between first: consuming TapDevice, and second: consuming TapDevice) {
        let (firstEnd, secondEnd) = (WireEnd(first), WireEnd(second))
        for direction in LinkDirection.allCases {
            let isForward = direction == .forward
            directions.append(
                WireDirection(
                    link.profile(direction), random: SeededRandom(seed: seed, stream: link.stream(direction)),
                    from: isForward ? firstEnd : secondEnd, to: isForward ? secondEnd : firstEnd))
        }
        taps.append(first)
        taps.append(second)
        links.append(link)
        hasCarrier.append(true)
    }

    mutating func change(_ direction: Int, to profile: LinkProfile) {
        let now = clock.now
        settle(direction, until: now)
        directions[direction].told = now
        directions[direction].change(to: profile, at: now)
        deadlines.set(direction, at: directions[direction].link.nextDue)
    }

    /// Takes directions of one link up or down together, and the carrier of both ends with the last or first direction
    /// that works.
    ///
    /// Together, for whoever hears of a carrier speaks at once, and what it says is to be answered.
    mutating func setUp(_ changed: [Int], of link: Int, _ isUp: Bool) throws(SystemError) {
        let now = clock.now
        for direction in changed {
            settle(direction, until: now)
            directions[direction].told = now
            directions[direction].link.setUp(isUp, at: now)
            settle(direction, until: now)
        }
        let carrier = directions[2 * link].link.isUp || directions[2 * link + 1].link.isUp
        guard carrier != hasCarrier[link] else { return }
        hasCarrier[link] = carrier
        try taps[2 * link].setCarrier(carrier)
        try taps[2 * link + 1].setCarrier(carrier)
    }

    /// Has a machine at the end that a direction comes from, or none.
    mutating func setMachine(at direction: Int, isThere: Bool) {
        let now = clock.now
        // What has arrived by now was heard, or was not.
        settle(direction ^ 1, until: now)
        deliverRuns(from: direction ^ 1)
        directions[direction].hasSource = isThere
        directions[direction ^ 1].hasTarget = isThere
    }

    mutating func takeCapture() -> WireCapture {
        let taken = capture
        capture = WireCapture()
        return taken
    }
}

extension WireState {
    /// Takes frames from those ends that have some, and lets go all that is due meanwhile.
    mutating func work(_ ready: borrowing ReadyDescriptors) {
        settleDue()
        for place in 0..<ready.count where ready[place].token < directions.count { drain(Int(ready[place].token)) }
    }

    private mutating func drain(_ direction: Int) {
        let source = directions[direction].source
        for _ in 0..<Self.batch {
            let packet = pool.allocate(byteCount: pool.largestPacket)
            let count = readFrame(into: packet, from: source)
            guard count > 0 else {
                pool.release(packet)
                return
            }
            guard directions[direction].hasSource else {
                pool.release(packet)
                continue
            }
            guard count <= largestFrame else {
                pool.release(packet)
                directions[direction].tooLarge &+= 1
                continue
            }
            pool.truncate(packet, to: count)
            let now = clock.now
            offer(packet, to: direction, at: now)
            if let next = deadlines.next, next <= now { settleDue() }
        }
    }

    /// Reads a frame, and what the kernel has put in front of it into the room there.
    private mutating func readFrame(into packet: PacketID, from source: WireEnd) -> Int {
        let count = pool.withBuffer(of: packet) { buffer, frame in
            let whole = UnsafeMutableRawBufferPointer(
                rebasing: buffer[frame.lowerBound - source.headerByteCount..<frame.upperBound])
            return read(source.descriptor, whole.baseAddress, whole.count)
        }
        return count - source.headerByteCount
    }

    private mutating func offer(_ packet: PacketID, to direction: Int, at now: Instant) {
        if direction & 1 == 0, links[direction / 2].isCaptured { keep(packet, of: direction, at: now) }
        let token = Int(packet.rawValue)
        if token >= offeredAt.count { growInstants() }
        offeredAt[token] = now
        let flowHash = directions[direction].link.profile.discipline == .fairQueueCoDel ? flowHash(of: packet) : 0
        let offered = QueuedPacket(
            token: packet.rawValue, byteCount: UInt32(pool.byteCount(packet)), flowHash: flowHash)
        // What is overdue comes first: the model's time does not go back.
        if let due = directions[direction].link.nextDue, due <= now { settle(direction, until: now) }
        directions[direction].told = now
        guard case .accepted = directions[direction].link.offer(offered, at: now) else { return pool.release(packet) }
        guard let due = directions[direction].link.nextDue else { return }
        if due <= now {
            settle(direction, until: now)
        } else {
            deadlines.set(direction, at: directions[direction].nextDeadline)
        }
    }

    @inline(never)
    private mutating func growInstants() {
        offeredAt.append(contentsOf: repeatElement(.zero, count: pool.capacity - offeredAt.count))
    }

    private mutating func settleDue() {
        let now = clock.now
        while let direction = deadlines.takeDue(at: now) { settle(direction, until: now) }
    }

    /// Takes everything that is due from one direction of a link.
    ///
    /// The model is asked instant by instant, as the simulator does, so that each packet's own is known.
    private mutating func settle(_ direction: Int, until now: Instant) {
        while let due = directions[direction].link.nextDue, due <= now {
            let told = max(due, directions[direction].told)
            directions[direction].told = told
            switch directions[direction].link.next(at: told) {
            case .delivered(let token, let damagedBit):
                let packet = PacketID(token)
                if let damagedBit { invert(damagedBit, of: packet) }
                if directions[direction].target.takesJoinedSegments {
                    directions[direction].dueFrames.append(packet, due: due, pool)
                } else {
                    deliver(packet, from: direction, due: due)
                    pool.release(packet)
                }
            case .duplicated(let token):
                deliverRuns(from: direction)
                deliver(PacketID(token), from: direction, due: due)
            case .dropped(let token, _):
                pool.release(PacketID(token))
            case nil:
                // An active queue has decided, and what it sent is due later.
                break
            }
        }
        if let end = directions[direction].dueFrames.waitsUntil, end <= now { deliverRuns(from: direction) }
        deadlines.set(direction, at: directions[direction].nextDeadline)
    }

    /// Writes the frames that are due, segments of TCP together: one by one the kernel takes them in more slowly than a
    /// gigabit link brings them.
    private mutating func deliverRuns(from direction: Int) {
        for index in 0..<directions[direction].dueFrames.runs.count {
            let run = directions[direction].dueFrames.runs[index]
            if run.count == 1 {
                let frame = directions[direction].dueFrames.frames[run.first]
                deliver(frame.packet, from: direction, due: frame.due)
            } else {
                deliver(run, from: direction)
            }
        }
        for index in 0..<directions[direction].dueFrames.frames.count {
            pool.release(directions[direction].dueFrames.frames[index].packet)
        }
        directions[direction].dueFrames.removeAll()
    }

    private mutating func deliver(_ run: DueFrames.Run, from direction: Int) {
        var place = Optional(run.first)
        while let current = place {
            let frame = directions[direction].dueFrames.frames[current]
            place = frame.next
            arrive(frame.packet, from: direction, due: frame.due)
            guard let head = frame.head else { continue }
            pool.withOctets(of: frame.packet) { joined.append(UnsafeRawBufferPointer($0), head) }
        }
        guard directions[direction].hasTarget else {
            joined.removeAll()
            return countNobody(run.count, on: direction)
        }
        guard joined.write(to: directions[direction].target.descriptor) else {
            return countRefusal(errno, of: run.count, on: direction)
        }
    }

    private mutating func deliver(_ packet: PacketID, from direction: Int, due: Instant) {
        arrive(packet, from: direction, due: due)
        guard directions[direction].hasTarget else { return countNobody(1, on: direction) }
        let target = directions[direction].target
        let written = pool.withBuffer(of: packet) { buffer, frame in
            let whole = UnsafeMutableRawBufferPointer(
                rebasing: buffer[frame.lowerBound - target.headerByteCount..<frame.upperBound])
            // All zeros: nothing is left to be done to what follows.
            for place in 0..<target.headerByteCount { whole[place] = 0 }
            return write(target.descriptor, whole.baseAddress, whole.count)
        }
        if written < 0 { countRefusal(errno, of: 1, on: direction) }
    }

    /// Counts how late a frame is that is about to be written, and keeps it where it passes the link's first end.
    private mutating func arrive(_ packet: PacketID, from direction: Int, due: Instant) {
        let now = clock.now
        if due > offeredAt[Int(packet.rawValue)] {
            directions[direction].lateness.record(now - due, limit: directions[direction].limit)
        }
        if direction & 1 == 1, links[direction / 2].isCaptured { keep(packet, of: direction, at: now) }
    }

    private mutating func countNobody(_ count: Int, on direction: Int) {
        directions[direction].arrivedAtNobody &+= UInt64(count)
    }

    /// The kernel answers with an input error where the interface is down.
    @inline(never)
    private mutating func countRefusal(_ number: Int32, of count: Int, on direction: Int) {
        if number == EIO {
            directions[direction].arrivedAtDownInterface &+= UInt64(count)
        } else {
            directions[direction].refusedByKernel &+= UInt64(count)
        }
    }

    private mutating func invert(_ bit: UInt32, of packet: PacketID) {
        pool.withOctets(of: packet) { $0[Int(bit / 8)] ^= 0x80 >> UInt8(bit % 8) }
    }

    private mutating func keep(_ packet: PacketID, of direction: Int, at now: Instant) {
        pool.withOctets(of: packet) {
            capture.append(UnsafeRawBufferPointer($0), link: direction / 2, at: now, room: roomForCapture)
        }
    }

    /// Packets of one flow have one hash, as in the simulator.
    private func flowHash(of packet: PacketID) -> UInt32 {
        let octets = pool.bytes(packet)
        guard octets.byteCount > 14, let head = PacketHead(parsing: octets.extracting(14..<octets.byteCount)) else {
            return 0
        }
        return UInt32(truncatingIfNeeded: head.key.rawValue)
    }
}

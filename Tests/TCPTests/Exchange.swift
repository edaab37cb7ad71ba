import Basics
import TCP
import Wire

/// One direction of a path: hops in a row, then losses, duplicates and reordering at its end.
struct PathModel {
    struct Hop {
        var rate: BitRate?
        var delay: Interval
        var queueByteCount = Int.max
        var busyUntil = Instant.zero
    }

    var hops: [Hop]
    var loss = Ratio.zero
    var duplication = Ratio.zero
    var corruption = Ratio.zero
    var reordering = Ratio.zero
    var reorderingDelay = Interval.milliseconds(10)
    /// Ethernet and IPv4.
    var overhead = 34
    /// Larger IP packets are refused with "packet too big".
    var mtu = Int.max

    init(rate: BitRate? = nil, delay: Interval = .milliseconds(10), hopCount: Int = 1, queueByteCount: Int = .max) {
        hops = (0..<hopCount).map { _ in Hop(rate: rate, delay: delay, queueByteCount: queueByteCount) }
    }

    /// When a segment sent now arrives; nil where a queue was full.
    mutating func arrival(byteCount: Int, at now: Instant) -> Instant? {
        var at = now
        for index in hops.indices {
            if let rate = hops[index].rate {
                let start = max(at, hops[index].busyUntil)
                if rate.byteCount(in: start - at) + byteCount > hops[index].queueByteCount { return nil }
                hops[index].busyUntil = start + rate.transmissionTime(byteCount: byteCount + overhead)
                at = hops[index].busyUntil
            }
            at += hops[index].delay
        }
        return at
    }
}

/// Something a connection told its application, without the octets.
enum Tiding: Equatable {
    case connected
    case writable
    case peerFinished
    case closed(ClosureCause)
}

struct Side {
    var configuration = Connection.Configuration()
    var initialSequence: UInt32 = 1_000
    /// What the application still has to write, and how much of it has been written.
    var outgoing: [UInt8] = []
    var written = 0
    var largestWrite = Int.max
    /// Writes the same zeros for ever.
    var isSource = false
    var keepsOctets = true
    var finishesWhenWritten = true
    var finishesAfterPeer = false
    /// Explicit consumption gives bytes back after this long.
    var consumptionDelay: Interval?
    var received: [UInt8] = []
    var receivedCount = 0
    var tidings: [Tiding] = []
    var closedAt: Instant?
    var deadline: Instant?
}

/// Two connections over a wire with faults, in virtual time.
final class Exchange {
    struct Sent {
        let at: Instant
        let side: Int
        let header: TCPHeader
        let payloadCount: Int
        let wasDropped: Bool
    }

    private enum Happening {
        case arrive(side: Int, [UInt8])
        case wake(side: Int)
        case consume(side: Int, Int)
        case tooBig(side: Int, mtu: Int)
    }

    private struct Entry {
        let at: Instant
        let number: Int
        let happening: Happening

        func precedes(_ other: Entry) -> Bool { at != other.at ? at < other.at : number < other.number }
    }

    var now = Instant(nanoseconds: 1_000_000_000)
    var sides = [Side(), Side()]
    /// What each side has of the connection.
    var connections = Slab<Connection?>()
    var paths = [PathModel(), PathModel()]
    var random: SeededRandom
    /// Drops by the number of the segment on the wire, both directions counted together.
    var dropsSegment: (Int, Sent) -> Bool = { _, _ in false }
    var log: [Sent] = []
    var keepsLog = true
    /// Changes octets of some segments and lets them pass for intact.
    var mutates = false
    private(set) var segmentCount = 0
    private(set) var corruptedCount = 0
    private var output = Output()
    private var entries: [Entry] = []
    private var nextNumber = 0
    let addresses = [
        SocketAddress(.v4(IPv4Address(10, 0, 0, 1)), port: 40_000),
        SocketAddress(.v4(IPv4Address(10, 0, 1, 2)), port: 443),
    ]

    init(seed: UInt64 = 1) {
        random = SeededRandom(seed: seed)
        sides[1].initialSequence = 77_000
        for _ in sides { connections.append(nil) }
    }

    /// Opens from side 0; side 1 accepts, or opens too.
    func open(simultaneously: Bool = false) {
        for side in simultaneously ? [0, 1] : [0] {
            connections[side] = Connection(
                connectingFrom: addresses[side], to: addresses[1 - side], configuration: sides[side].configuration,
                initialSequence: sides[side].initialSequence, at: now, into: &output)
            settle(side)
        }
    }

    /// Runs until nothing more can happen or the time is over; returns whether it came to rest.
    @discardableResult
    func run(for duration: Interval, until isDone: () -> Bool = { false }) -> Bool {
        let end = now + duration
        while let entry = entries.first, entry.at <= end {
            pop()
            now = entry.at
            perform(entry.happening)
            if isDone() { return true }
        }
        now = end
        return entries.isEmpty
    }

    var bothClosed: Bool { sides.allSatisfy { $0.closedAt != nil } }

    func statistics(_ side: Int) -> Connection.Statistics {
        connections[side]?.statistics ?? Connection.Statistics()
    }

    func withConnection(_ side: Int, _ body: (inout Connection, Instant, inout Output) -> Void) {
        guard var connection = connections[side].take() else { return }
        body(&connection, now, &output)
        connections[side] = consume connection
        settle(side)
    }

    private func perform(_ happening: Happening) {
        switch happening {
        case .arrive(let side, let octets): arrive(octets, at: side)
        case .wake(let side):
            guard sides[side].deadline == now else { return }
            sides[side].deadline = nil
            connections[side]?.wake(at: now, into: &output)
            settle(side)
        case .consume(let side, let count):
            connections[side]?.consumed(count, at: now, into: &output)
            settle(side)
        case .tooBig(let side, let mtu):
            connections[side]?.pathMTUChanged(to: mtu, at: now, into: &output)
            settle(side)
        }
    }

    private func arrive(_ segment: [UInt8], at side: Int) {
        var octets = segment
        if mutates, random.below(20) == 0 {
            octets[Int(random.below(UInt64(min(60, octets.count))))] = UInt8(truncatingIfNeeded: random.next())
        }
        let bytes = octets.span.bytes
        let (local, remote) = (addresses[side], addresses[1 - side])
        guard mutates || TCPHeader.isIntact(bytes, source: remote.address, destination: local.address) else {
            corruptedCount += 1
            return
        }
        guard let header = try? TCPHeader(parsing: bytes), header.headerLength <= bytes.byteCount else { return }
        let payload = bytes.extracting(header.headerLength..<bytes.byteCount)
        if connections[side] != nil {
            connections[side]?.receive(header, payload: payload, at: now, into: &output)
        } else if header.flags.intersection([.synchronize, .acknowledge, .reset]) == .synchronize {
            connections[side] = Connection(
                accepting: header, at: local, from: remote, configuration: sides[side].configuration,
                initialSequence: sides[side].initialSequence, at: now, into: &output)
        } else {
            Connection.appendReset(
                answering: header, payloadByteCount: payload.byteCount, local: local, remote: remote, into: &output)
        }
        settle(side)
    }

    /// Carries out what the connection left, lets the application write, and sets the alarm.
    private func settle(_ side: Int) {
        var position = 0
        var mayWrite = drain(side, from: &position)
        while mayWrite {
            write(side)
            mayWrite = drain(side, from: &position)
        }
        output.removeAll()
        if connections[side]?.isClosed == true { sides[side].deadline = nil }
        guard let deadline = connections[side]?.nextDeadline else { return }
        guard deadline != sides[side].deadline else { return }
        sides[side].deadline = deadline
        push(max(deadline, now), .wake(side: side))
        if deadline < now { sides[side].deadline = now }
    }

    private func drain(_ side: Int, from position: inout Int) -> Bool {
        var mayWrite = false
        while position < output.count {
            switch output[position] {
            case .segment(let range): send(octets(of: output, range), from: side)
            case .bytes(let range):
                sides[side].receivedCount += Int(range.count)
                if sides[side].keepsOctets { sides[side].received += octets(of: output, range) }
                if let delay = sides[side].consumptionDelay {
                    push(now + delay, .consume(side: side, Int(range.count)))
                }
            case .connected:
                sides[side].tidings.append(.connected)
                mayWrite = true
            case .writable:
                sides[side].tidings.append(.writable)
                mayWrite = true
            case .peerFinished:
                sides[side].tidings.append(.peerFinished)
                mayWrite = true
            case .closed(let cause):
                sides[side].tidings.append(.closed(cause))
                sides[side].closedAt = now
            }
            position += 1
        }
        return mayWrite
    }

    private static let zeros = [UInt8](repeating: 0, count: 1 << 18)

    private func write(_ side: Int) {
        guard connections[side] != nil, sides[side].tidings.contains(.connected) else { return }
        while sides[side].isSource {
            let count = connections[side]?.write(Self.zeros.span.bytes, at: now, into: &output) ?? 0
            if count < Self.zeros.count { return }
        }
        while sides[side].written < sides[side].outgoing.count {
            let rest = sides[side].outgoing.count - sides[side].written
            let limit = min(rest, sides[side].largestWrite)
            let count = limit > 1 && sides[side].largestWrite != .max ? 1 + Int(random.below(UInt64(limit))) : limit
            let piece = Array(sides[side].outgoing[sides[side].written..<sides[side].written + count])
            let taken = connections[side]?.write(piece.span.bytes, at: now, into: &output) ?? 0
            sides[side].written += taken
            if taken < count { return }
        }
        guard sides[side].finishesWhenWritten else { return }
        if sides[side].finishesAfterPeer, !sides[side].tidings.contains(.peerFinished) { return }
        connections[side]?.finish(at: now, into: &output)
    }

    private func send(_ octets: [UInt8], from side: Int) {
        guard let header = try? TCPHeader(parsing: octets.span.bytes) else { return }
        let number = segmentCount
        segmentCount += 1
        func note(_ wasDropped: Bool) -> Sent {
            Sent(
                at: now, side: side, header: header, payloadCount: octets.count - header.headerLength,
                wasDropped: wasDropped)
        }
        if octets.count + 20 > paths[side].mtu {
            if keepsLog { log.append(note(true)) }
            push(now + .milliseconds(5), .tooBig(side: side, mtu: paths[side].mtu))
            return
        }
        let isDropped = dropsSegment(number, note(false)) || draw(paths[side].loss)
        if keepsLog { log.append(note(isDropped)) }
        guard !isDropped, var at = paths[side].arrival(byteCount: octets.count, at: now) else { return }
        if draw(paths[side].reordering) {
            at += Interval(nanoseconds: Int64(random.below(UInt64(paths[side].reorderingDelay.nanoseconds))))
        }
        var arriving = octets
        if draw(paths[side].corruption) {
            arriving[Int(random.below(UInt64(octets.count)))] ^= UInt8(1 + random.below(255))
        }
        push(at, .arrive(side: 1 - side, arriving))
        if draw(paths[side].duplication) { push(at + .microseconds(100), .arrive(side: 1 - side, octets)) }
    }

    private func draw(_ ratio: Ratio) -> Bool {
        ratio > .zero && random.chance(ratio)
    }

    // MARK: - A binary heap

    private func push(_ at: Instant, _ happening: Happening) {
        nextNumber += 1
        entries.append(Entry(at: at, number: nextNumber, happening: happening))
        var index = entries.count - 1
        while index > 0, entries[index].precedes(entries[(index - 1) / 2]) {
            entries.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private func pop() {
        entries.swapAt(0, entries.count - 1)
        entries.removeLast()
        var index = 0
        while true {
            var least = index
            for child in [2 * index + 1, 2 * index + 2] where child < entries.count {
                if entries[child].precedes(entries[least]) { least = child }
            }
            if least == index { return }
            entries.swapAt(index, least)
            index = least
        }
    }
}

/// Octets that differ from place to place.
func pattern(_ count: Int, seed: UInt64) -> [UInt8] {
    var random = SeededRandom(seed: seed)
    return (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

func octets(of output: borrowing Output, _ range: ByteRange) -> [UInt8] {
    output.bytes(range).withUnsafeBytes { Array($0) }
}

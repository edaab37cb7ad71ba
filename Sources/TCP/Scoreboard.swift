import Basics

/// The segments on their way, in order of sequence, and what is known of each (RFC 6675, RFC 8985).
///
/// A segment is in the list of those in flight, in order of sending, or in the list of those lost, or
/// selectively acknowledged and in neither. So nothing that an ACK asks for takes a walk over the window.
struct Scoreboard: Sendable {
    struct List: Sendable, BitwiseCopyable {
        var first = -1
        var last = -1
        var byteCount = 0
    }

    /// A power of two; a segment's place is its number modulo that.
    private var storage: ContiguousArray<SentSegment> = []
    private(set) var firstNumber = 0
    private(set) var nextNumber = 0
    private var flight = List()
    private var lost = List()
    /// What is selectively acknowledged, in order, apart from each other.
    private var extents: ContiguousArray<Extent> = []
    private(set) var sackedSegmentCount = 0

    // RFC 8985 §5.2: what was sent last of all that was delivered.
    private var nextOrder = 0
    private var newestOrder = -1
    private(set) var newestRoundTrip = Interval.zero
    private var highestDelivered = 0
    private(set) var hasSeenReordering = false

    var isEmpty: Bool { firstNumber == nextNumber }

    var count: Int { nextNumber &- firstNumber }

    var flightByteCount: Int { flight.byteCount }

    var lostByteCount: Int { lost.byteCount }

    var first: SentSegment? { isEmpty ? nil : self[firstNumber] }

    /// The segment to be sent again next.
    var firstLost: SentSegment? { lost.first < 0 ? nil : self[lost.first] }

    var firstIsSacked: Bool { first?.status == .selectivelyAcknowledged }

    private subscript(number: Int) -> SentSegment { storage[place(number)] }

    private func place(_ number: Int) -> Int { number & (storage.count &- 1) }

    // MARK: - Sending

    /// Notes a segment sent for the first time.
    mutating func append(_ extent: Extent, sentAt now: Instant) {
        if count == storage.count { grow() }
        let number = nextNumber
        nextNumber &+= 1
        storage[place(number)] = SentSegment(start: extent.start, end: extent.end, sentAt: now, order: nextOrder)
        nextOrder &+= 1
        linkInFlight(number)
    }

    /// Notes that the first of the lost segments is sent again.
    mutating func retransmitFirstLost(at now: Instant) {
        let number = lost.first
        guard number >= 0 else { return }
        unlinkLost(number)
        retransmitted(number, at: now)
    }

    /// The last segment, noted as sent again for a probe (RFC 8985 §7.3); nil where it was lost or has arrived.
    mutating func retransmitLast(at now: Instant) -> SentSegment? {
        let number = nextNumber &- 1
        guard !isEmpty, self[number].status == .inFlight else { return nil }
        unlinkFlight(number)
        retransmitted(number, at: now)
        return self[number]
    }

    private mutating func retransmitted(_ number: Int, at now: Instant) {
        let place = self.place(number)
        storage[place].sentAt = now
        storage[place].order = nextOrder
        nextOrder &+= 1
        storage[place].wasRetransmitted = true
        storage[place].status = .inFlight
        linkInFlight(number)
    }

    private mutating func grow() {
        let old = storage
        let capacity = max(16, old.count * 2)
        storage = ContiguousArray(
            repeating: SentSegment(start: 0, end: 0, sentAt: .zero, order: 0), count: capacity)
        for number in firstNumber..<nextNumber { storage[place(number)] = old[number & (old.count &- 1)] }
    }

    // MARK: - Arriving acknowledgments

    /// Takes a cumulative acknowledgment.
    mutating func acknowledge(upTo offset: Int, _ delivery: inout Delivery) {
        while firstNumber < nextNumber {
            let number = firstNumber
            let segment = self[number]
            guard segment.start < offset else { break }
            guard segment.end <= offset else {
                trim(number, to: offset, &delivery)
                break
            }
            switch segment.status {
            case .inFlight: unlinkFlight(number)
            case .lost: unlinkLost(number)
            case .selectivelyAcknowledged: sackedSegmentCount &-= 1
            }
            if segment.status != .selectivelyAcknowledged { deliver(segment, &delivery) }
            firstNumber &+= 1
        }
        if !extents.isEmpty { forgetExtents(upTo: offset) }
    }

    private mutating func trim(_ number: Int, to offset: Int, _ delivery: inout Delivery) {
        let count = offset &- self[number].start
        switch self[number].status {
        case .inFlight: flight.byteCount &-= count
        case .lost: lost.byteCount &-= count
        case .selectivelyAcknowledged: delivery.byteCount &-= count
        }
        delivery.byteCount &+= count
        storage[place(number)].start = offset
    }

    private mutating func forgetExtents(upTo offset: Int) {
        var covered = 0
        while covered < extents.count, extents[covered].end <= offset { covered += 1 }
        if covered > 0 { extents.removeFirst(covered) }
        if let first = extents.first, first.start < offset { extents[0].start = offset }
    }

    /// Takes a block of a SACK option that lies between what is acknowledged and what was sent.
    mutating func acknowledge(selectively block: Extent, _ delivery: inout Delivery) {
        var lower = 0
        var high = extents.count
        while lower < high {
            let middle = (lower + high) / 2
            if extents[middle].end < block.start { lower = middle + 1 } else { high = middle }
        }
        var merged = block
        var upper = lower
        while upper < extents.count, extents[upper].start <= block.end {
            merged.start = min(merged.start, extents[upper].start)
            merged.end = max(merged.end, extents[upper].end)
            upper += 1
        }
        if upper == lower + 1, extents[lower] == merged { return }
        var position = block.start
        for index in lower..<upper {
            mark(Extent(start: position, end: extents[index].start), within: merged, &delivery)
            position = max(position, extents[index].end)
        }
        mark(Extent(start: position, end: block.end), within: merged, &delivery)
        if upper == lower + 1 {
            extents[lower] = merged
        } else {
            extents.replaceSubrange(lower..<upper, with: CollectionOfOne(merged))
        }
    }

    /// Marks the segments that touch `fresh` and are now covered whole.
    private mutating func mark(_ fresh: Extent, within merged: Extent, _ delivery: inout Delivery) {
        guard fresh.start < fresh.end else { return }
        var number = firstNumber
        var high = nextNumber
        while number < high {
            let middle = (number &+ high) / 2
            if self[middle].end <= fresh.start { number = middle &+ 1 } else { high = middle }
        }
        while number < nextNumber {
            let segment = self[number]
            guard segment.start < fresh.end else { return }
            if segment.status != .selectivelyAcknowledged, merged.start <= segment.start, segment.end <= merged.end {
                if segment.status == .inFlight { unlinkFlight(number) } else { unlinkLost(number) }
                storage[place(number)].status = .selectivelyAcknowledged
                sackedSegmentCount &+= 1
                deliver(segment, &delivery)
            }
            number &+= 1
        }
    }

    private mutating func deliver(_ segment: SentSegment, _ delivery: inout Delivery) {
        delivery.byteCount &+= segment.byteCount
        delivery.segmentCount &+= 1
        if segment.wasRetransmitted {
            delivery.coversRetransmission = true
        } else {
            if segment.sentAt < delivery.oldestCleanSending { delivery.oldestCleanSending = segment.sentAt }
            if segment.sentAt > delivery.newestCleanSending ?? .zero { delivery.newestCleanSending = segment.sentAt }
            if segment.end < highestDelivered { hasSeenReordering = true }
        }
        highestDelivered = max(highestDelivered, segment.end)
        let roundTrip = delivery.now - segment.sentAt
        // It may be the original that has arrived (RFC 8985 §6.2 step 2).
        if segment.wasRetransmitted,
            roundTrip < delivery.minimumRoundTrip || segment.sentAt >= delivery.answeredBefore
        {
            return
        }
        guard segment.order > newestOrder else { return }
        newestOrder = segment.order
        newestRoundTrip = roundTrip
    }

    // MARK: - Losses

    /// Gives up segments that were sent well before one that has arrived (RFC 8985 §6.2 step 5).
    ///
    /// Returns whether there were any, and when the next one would have to be given up.
    mutating func detectLosses(at now: Instant, reorderingWindow: Interval) -> (found: Bool, next: Instant?) {
        var found = false
        while flight.first >= 0 {
            let segment = self[flight.first]
            guard segment.order < newestOrder else { break }
            let deadline = segment.sentAt + newestRoundTrip + reorderingWindow
            guard deadline <= now else { return (found, deadline) }
            lose(flight.first)
            found = true
        }
        return (found, nil)
    }

    /// Gives up the first segment, as duplicate ACKs without SACK have it (RFC 6582), unless it was
    /// sent again since `horizon`.
    mutating func loseFirst(sentBefore horizon: Instant?) -> Bool {
        guard let first, first.status == .inFlight,
            !first.wasRetransmitted || first.sentAt < horizon ?? .never
        else { return false }
        lose(firstNumber)
        return true
    }

    /// Gives up everything that is not selectively acknowledged, after a timeout, the first segment first.
    mutating func loseAll() {
        flight = List()
        lost = List()
        for number in firstNumber..<nextNumber where self[number].status != .selectivelyAcknowledged {
            linkLost(number)
        }
    }

    /// Takes losses back that were none: what was sent first goes to the front.
    mutating func recallLosses() {
        while lost.last >= 0 {
            let number = lost.last
            unlinkLost(number)
            storage[place(number)].status = .inFlight
            storage[place(number)].previous = -1
            storage[place(number)].next = flight.first
            if flight.first >= 0 { storage[place(flight.first)].previous = number } else { flight.last = number }
            flight.first = number
            flight.byteCount &+= self[number].byteCount
        }
    }

    /// Forgets all that was selectively acknowledged, because the other end has dropped it (RFC 2018 §8).
    mutating func forgetSacked() {
        extents.removeAll(keepingCapacity: true)
        for number in firstNumber..<nextNumber where self[number].status == .selectivelyAcknowledged {
            storage[place(number)].status = .inFlight
            linkInFlight(number)
        }
        sackedSegmentCount = 0
    }

    private mutating func lose(_ number: Int) {
        unlinkFlight(number)
        linkLost(number)
    }

    /// Cuts segments that have become too large for the path; those are lost.
    ///
    /// A FIN stands at `dataEnd`, and is no part of a segment's size.
    mutating func resegment(to size: Int, dataEnd: Int) {
        let old = (firstNumber..<nextNumber).map { self[$0] }
        storage.removeAll(keepingCapacity: true)
        for segment in old {
            var rest = segment
            while min(rest.end, dataEnd) &- rest.start > size {
                var piece = rest
                piece.end = piece.start &+ size
                if piece.status == .inFlight { piece.status = .lost }
                storage.append(piece)
                rest.start = piece.end
                if rest.status == .inFlight { rest.status = .lost }
            }
            storage.append(rest)
        }
        relink()
    }

    /// Builds numbers and lists anew from the segments in `storage`.
    private mutating func relink() {
        firstNumber = 0
        nextNumber = storage.count
        var capacity = 16
        while capacity < storage.count { capacity *= 2 }
        while storage.count < capacity { storage.append(SentSegment(start: 0, end: 0, sentAt: .zero, order: 0)) }
        flight = List()
        lost = List()
        sackedSegmentCount = 0
        let inOrderOfSending = (0..<nextNumber).sorted { (self[$0].order, $0) < (self[$1].order, $1) }
        var lostNumbers: [Int] = []
        for number in inOrderOfSending {
            switch self[number].status {
            case .selectivelyAcknowledged: sackedSegmentCount += 1
            case .inFlight: linkInFlight(number)
            case .lost: lostNumbers.append(number)
            }
        }
        for number in lostNumbers.sorted() { linkLost(number) }
    }

    // MARK: - Lists

    private mutating func linkInFlight(_ number: Int) {
        let index = place(number)
        storage[index].previous = flight.last
        storage[index].next = -1
        if flight.last >= 0 { storage[place(flight.last)].next = number } else { flight.first = number }
        flight.last = number
        flight.byteCount &+= storage[index].byteCount
    }

    /// Puts a segment behind the others that are lost, or in front of them where it comes before them all.
    private mutating func linkLost(_ number: Int) {
        let index = place(number)
        storage[index].status = .lost
        lost.byteCount &+= storage[index].byteCount
        if lost.first > number {
            storage[index].previous = -1
            storage[index].next = lost.first
            storage[place(lost.first)].previous = number
            lost.first = number
            return
        }
        storage[index].previous = lost.last
        storage[index].next = -1
        if lost.last >= 0 { storage[place(lost.last)].next = number } else { lost.first = number }
        lost.last = number
    }

    private mutating func unlinkFlight(_ number: Int) {
        let segment = self[number]
        join(segment)
        if segment.previous < 0 { flight.first = segment.next }
        if segment.next < 0 { flight.last = segment.previous }
        flight.byteCount &-= segment.byteCount
    }

    private mutating func unlinkLost(_ number: Int) {
        let segment = self[number]
        join(segment)
        if segment.previous < 0 { lost.first = segment.next }
        if segment.next < 0 { lost.last = segment.previous }
        lost.byteCount &-= segment.byteCount
    }

    /// Makes the neighbours of a segment neighbours of each other.
    private mutating func join(_ segment: SentSegment) {
        if segment.previous >= 0 { storage[place(segment.previous)].next = segment.next }
        if segment.next >= 0 { storage[place(segment.next)].previous = segment.previous }
    }
}

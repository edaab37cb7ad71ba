import Basics

/// What arrived ahead of its turn: the bytes, the runs they form, and the latest of those for SACK (RFC 2018 §4).
struct Reassembly: Sendable {
    /// More runs than this are not opened; what would open one is dropped and has to come again.
    static let extentLimit = 1_024

    private var ring = ByteRing()
    /// In order, apart from each other.
    private var extents: ContiguousArray<Extent> = []
    private var recent: InlineArray<4, Extent> = InlineArray(repeating: Extent(start: 0, end: 0))
    private(set) var recentCount = 0

    var isEmpty: Bool { extents.isEmpty }

    /// The end of the last run; nil where there is none.
    var end: Int? { extents.last?.end }

    var byteCount: Int { extents.reduce(0) { $0 + $1.byteCount } }

    /// The run that changed last comes first.
    func recentExtent(_ index: Int) -> Extent { recent[index] }

    /// The part of `extent` that is held already, if there is one.
    func overlap(with extent: Extent) -> Extent? {
        let index = firstExtent(endingFrom: extent.start &+ 1)
        guard index < extents.count, extents[index].start < extent.end else { return nil }
        return Extent(start: max(extent.start, extents[index].start), end: min(extent.end, extents[index].end))
    }

    /// Keeps a payload that starts beyond `next`, the first offset still missing.
    mutating func insert(_ payload: RawSpan, at start: Int, next: Int) {
        var merged = Extent(start: start, end: start + payload.byteCount)
        let lower = firstExtent(endingFrom: merged.start)
        var upper = lower
        while upper < extents.count, extents[upper].start <= merged.end { upper += 1 }
        guard upper > lower || extents.count < Self.extentLimit else { return }
        let highest = extents.last?.end ?? next
        ring.reserve(max(highest, merged.end) - next, holding: Extent(start: next, end: highest))
        ring.write(payload, at: start)
        if upper > lower {
            merged.start = min(merged.start, extents[lower].start)
            merged.end = max(merged.end, extents[upper - 1].end)
        }
        if upper == lower + 1 {
            extents[lower] = merged
        } else {
            extents.replaceSubrange(lower..<upper, with: CollectionOfOne(merged))
        }
        remember(merged)
    }

    /// Moves the run that `next` has reached into the arena; nil where none has been reached.
    mutating func takeReached(_ next: Int, into arena: inout ByteArena) -> Extent? {
        var taken: Extent?
        while let first = extents.first, first.start <= next {
            extents.removeFirst()
            guard first.end > next else { continue }
            let rest = Extent(start: next, end: first.end)
            ring.append(rest, to: &arena)
            taken = rest
            break
        }
        forget(upTo: taken?.end ?? next)
        return taken
    }

    private func firstExtent(endingFrom offset: Int) -> Int {
        var low = 0
        var high = extents.count
        while low < high {
            let middle = (low + high) / 2
            if extents[middle].end < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    private mutating func remember(_ extent: Extent) {
        var kept: InlineArray<4, Extent> = InlineArray(repeating: extent)
        var count = 1
        for index in 0..<recentCount where count < 4 {
            let other = recent[index]
            if other.start >= extent.start, other.end <= extent.end { continue }
            kept[count] = other
            count += 1
        }
        recent = kept
        recentCount = count
    }

    private mutating func forget(upTo next: Int) {
        var count = 0
        for index in 0..<recentCount where recent[index].end > next {
            recent[count] = recent[index]
            count += 1
        }
        recentCount = count
    }
}

import Basics
import Wire

/// The penalties of one peer's routes (RFC 2439 §4.4).
///
/// A route is remembered by its prefix and number, as the table has none for it while it
/// is withdrawn, until half of what would let it in again is left of its penalty.
struct DampingTable: Sendable {
    struct Key: Hashable, Sendable {
        let prefix: IPPrefix
        let number: UInt32
    }

    enum Flap: Sendable {
        case withdrawal
        case readvertisement
        case change
    }

    private struct Record: Sendable {
        let key: Key
        /// As it was then.
        var penalty: Double
        var at: Instant
        /// When it is used again, or forgotten.
        var due: Instant
        var isSuppressed = false
        var isWithdrawn = false
    }

    private let settings: FlapDamping
    private var records: ContiguousArray<Record?> = []
    private var free: ContiguousArray<Int> = []
    /// Looked up, never walked.
    private var places: [Key: Int] = [:]  // not iterated
    private var deadlines = DeadlineHeap()

    /// A peer that makes up prefixes fills no more memory than this many records take.
    private static let limit = 1 << 20

    init(_ settings: FlapDamping) {
        self.settings = settings
    }

    /// When something is to be taken out at the latest.
    var nextDeadline: Instant? { deadlines.next }

    func isSuppressed(_ key: Key) -> Bool {
        places[key].flatMap { records[$0] }?.isSuppressed ?? false
    }

    func isWithdrawn(_ key: Key) -> Bool {
        places[key].flatMap { records[$0] }?.isWithdrawn ?? false
    }

    /// When a route is used again; nil for one that is not suppressed.
    func suppressedUntil(_ key: Key) -> Instant? {
        guard let record = places[key].flatMap({ records[$0] }), record.isSuppressed else { return nil }
        return record.due
    }

    /// Counts a flap.
    mutating func count(_ flap: Flap, of key: Key, at now: Instant) {
        let penalty =
            switch flap {
            case .withdrawal: settings.withdrawalPenalty
            case .readvertisement: settings.readvertisementPenalty
            case .change: settings.changePenalty
            }
        guard let place = places[key] ?? add(key, at: now), var record = records[place] else { return }
        record.isWithdrawn = flap == .withdrawal
        if penalty > 0 {
            let left = settings.decayed(record.penalty, after: now - record.at)
            record.penalty = min(left + Double(penalty), Double(settings.maximumPenalty))
            record.at = now
            if record.penalty > Double(settings.suppressThreshold) { record.isSuppressed = true }
            record.due = now + time(of: record)
        }
        records[place] = record
        deadlines.set(place, at: record.due)
    }

    /// The next route that may be used again by now; those that can be forgotten are.
    mutating func takeReusable(at now: Instant) -> Key? {
        while let place = deadlines.takeDue(at: now) {
            guard var record = records[place] else { continue }
            guard record.isSuppressed else {
                places[record.key] = nil
                records[place] = nil
                free.append(place)
                continue
            }
            let left = settings.decayed(record.penalty, after: now - record.at)
            record.penalty = min(left, Double(settings.reuseThreshold))
            record.at = now
            record.isSuppressed = false
            record.due = now + time(of: record)
            records[place] = record
            deadlines.set(place, at: record.due)
            return record.key
        }
        return nil
    }

    /// All routes that are remembered, in order of prefix and number.
    func routes(at now: Instant) -> [DampedRoute] {
        records.compactMap { record in
            record.map {
                DampedRoute(
                    prefix: $0.key.prefix, pathIdentifier: $0.key.number,
                    penalty: Int(settings.decayed($0.penalty, after: now - $0.at)),
                    suppressedUntil: $0.isSuppressed ? $0.due : nil)
            }
        }
        .sorted { ($0.prefix, $0.pathIdentifier) < ($1.prefix, $1.pathIdentifier) }
    }

    /// How long it takes until a route is used again, or, where it is, until its penalty does not matter any more.
    private func time(of record: Record) -> Interval {
        guard record.isSuppressed else {
            return settings.time(from: record.penalty, to: Double(settings.reuseThreshold) / 2)
        }
        return min(
            settings.time(from: record.penalty, to: Double(settings.reuseThreshold)), settings.maximumSuppression)
    }

    private mutating func add(_ key: Key, at now: Instant) -> Int? {
        guard places.count < Self.limit else { return nil }
        let record = Record(key: key, penalty: 0, at: now, due: now)
        let place = free.popLast() ?? records.count
        if place == records.count { records.append(record) } else { records[place] = record }
        places[key] = place
        return place
    }
}

/// Who has told a path, and by which of the teller's numbers it goes (RFC 7911 §3).
struct PathID: Equatable, Sendable, BitwiseCopyable {
    let source: PathSource
    /// 0 where the teller numbers none.
    let number: UInt32

    init(_ source: PathSource, _ number: UInt32 = 0) {
        self.source = source
        self.number = number
    }
}

/// The numbers of a path, kept beside the table, as few have any (RFC 7911 §3).
struct PathNumbers: Equatable, Sendable, BitwiseCopyable {
    /// What its teller calls it.
    var heard: UInt32
    /// What others are told that it is called, if that cannot be told by its source; 0 as long as nobody was.
    var told: UInt32 = 0

    static let none = PathNumbers(heard: 0)
}

extension RoutingTable {
    /// A path as the table hands it out.
    struct Path: Sendable, BitwiseCopyable {
        /// As the peer sent them.
        var received: AttributeIndex
        /// As the import policy left them; none for a route that may not be used.
        var accepted: AttributeIndex
        fileprivate var link = endOfLinks
        let source: PathSource
        /// The session of the peer that it was heard in; see ``PeerEpochs``.
        var epoch: UInt8
        /// Whether it is kept out of the decision for its flaps (RFC 2439).
        var isSuppressed = false
        var numbers: PathNumbers

        init(_ id: PathID, epoch: UInt8 = 0, received: AttributeIndex, accepted: AttributeIndex) {
            source = id.source
            numbers = PathNumbers(heard: id.number)
            self.epoch = epoch
            self.received = received
            self.accepted = accepted
        }

        var id: PathID { PathID(source, numbers.heard) }

        /// Whether it is let into the decision, if its session stands for it.
        var isUsable: Bool { accepted != .none && !isSuppressed }

        /// What peers that take several paths know it by; 0 if that has not been settled yet.
        ///
        /// A path that its teller does not number goes by the teller, for as long as
        /// there is one.
        var toldNumber: UInt32 { numbers.heard == 0 ? UInt32(source) + 1 : numbers.told }
    }

    /// The first of the numbers by which paths go that their tellers number.
    static let firstSettledNumber = UInt32(PathSource.max) + 1

    /// A path behind the first one, in 16 octets.
    struct FurtherPath: PooledRecord {
        var received: AttributeIndex
        var accepted: AttributeIndex
        var link: UInt32
        var source: PathSource
        var epoch: UInt8
        var isSuppressed: Bool
    }

    /// Whether any path has a number.
    var hasNumbers: Bool {
        @inline(__always) get { firstNumbers.count | furtherNumbers.count != 0 }
    }

    /// Sets the path of one source and returns the one that it replaces, whose told number it takes over.
    mutating func set(_ index: PrefixIndex, _ path: Path) -> Path? {
        markDirty(index)
        let (previous, found) = locate(path.id, of: index)
        if found {
            let old = self.path(after: previous, of: index)
            var new = path
            new.link = old.link
            new.numbers.told = old.numbers.told
            replace(after: previous, of: index, with: new)
            return old
        }
        insert(path, after: previous, of: index)
        return nil
    }

    mutating func remove(_ index: PrefixIndex, _ id: PathID) -> Path? {
        let (previous, found) = locate(id, of: index)
        guard found else { return nil }
        let old = self.path(after: previous, of: index)
        markDirty(index)
        if let previous {
            let place = linkOf(previous, index)
            setLink(of: previous, index, to: old.link)
            removeFurther(place)
        } else if old.link == endOfLinks {
            setFirst(nil, of: index)
        } else {
            let second = further(old.link)
            removeFurther(old.link)
            setFirst(second, of: index)
        }
        return old
    }

    /// Changes what the import policy has left of a path.
    mutating func setAccepted(_ index: PrefixIndex, _ id: PathID, _ accepted: AttributeIndex) {
        change(index, id) { $0.accepted = accepted }
    }

    /// Lets a path take part again that was kept out for its flaps.
    mutating func setUsed(_ index: PrefixIndex, _ id: PathID) {
        change(index, id) { $0.isSuppressed = false }
    }

    private mutating func change(_ index: PrefixIndex, _ id: PathID, _ body: (inout Path) -> Void) {
        let (previous, found) = locate(id, of: index)
        guard found else { return }
        var path = self.path(after: previous, of: index)
        body(&path)
        replace(after: previous, of: index, with: path)
        markDirty(index)
    }

    func path(_ id: PathID, _ index: PrefixIndex) -> Path? {
        let (previous, found) = locate(id, of: index)
        return found ? path(after: previous, of: index) : nil
    }

    /// The first path to a prefix; the rest follow by ``next(after:)``.
    @inline(__always)
    func firstPath(_ index: PrefixIndex) -> Path? {
        let record = destinations[index]
        guard record.source != .none else { return nil }
        var path = Path(
            PathID(record.source), epoch: record.epoch, received: record.received, accepted: record.accepted)
        path.link = record.link
        path.isSuppressed = record.isSuppressed
        if hasNumbers { path.numbers = firstNumbers[index] }
        return path
    }

    @inline(__always)
    func next(after path: Path) -> Path? {
        path.link == endOfLinks ? nil : further(path.link)
    }

    /// The first path of a source, by whatever number.
    func firstPath(of source: PathSource, _ index: PrefixIndex) -> Path? {
        firstPath(from: PathID(source), index)
    }

    /// The next path of the same source, whatever has become of this one meanwhile.
    func nextPath(ofSourceOf path: Path, _ index: PrefixIndex) -> Path? {
        guard hasNumbers, path.numbers.heard < .max else { return nil }
        return firstPath(from: PathID(path.source, path.numbers.heard + 1), index)
    }

    /// The first path of a source by that number or a higher one.
    private func firstPath(from id: PathID, _ index: PrefixIndex) -> Path? {
        let (previous, _) = locate(id, of: index)
        let path: Path?
        if let previous {
            let place = linkOf(previous, index)
            path = place == endOfLinks ? nil : further(place)
        } else {
            path = firstPath(index)
        }
        return path?.source == id.source ? path : nil
    }

    /// Settles what peers know those paths by which their tellers number: the lowest numbers that are free.
    mutating func settleToldNumbers(_ index: PrefixIndex) {
        guard hasNumbers else { return }
        var used: ContiguousArray<UInt32> = []
        var unsettled: ContiguousArray<PathID> = []
        var next = firstPath(index)
        while let path = next {
            next = self.next(after: path)
            if path.toldNumber == 0 {
                unsettled.append(path.id)
            } else if path.numbers.told != 0 {
                used.append(path.numbers.told)
            }
        }
        guard !unsettled.isEmpty else { return }
        used.sort()
        var number = Self.firstSettledNumber
        var place = 0
        for id in unsettled {
            while place < used.count, used[place] <= number {
                if used[place] == number { number += 1 }
                place += 1
            }
            let (previous, _) = locate(id, of: index)
            var path = self.path(after: previous, of: index)
            path.numbers.told = number
            replace(after: previous, of: index, with: path)
            number += 1
        }
    }

    /// Where a path stands in its chain: behind the prefix's own record, or behind that path of the pool.
    private typealias Place = UInt32

    /// The place in front of a path, nil for the first, and whether the path is there.
    private func locate(_ id: PathID, of index: PrefixIndex) -> (previous: Place?, found: Bool) {
        let first = destinations[index].source
        if first > id.source { return (nil, false) }
        if first == id.source {
            let heard = firstNumbers[index].heard
            if heard >= id.number { return (nil, heard == id.number) }
        }
        var previous = Self.firstPlace
        var next = destinations[index].link
        while next != endOfLinks {
            let source = paths[next].source
            if source >= id.source {
                let heard = furtherNumbers[next].heard
                if source > id.source || heard >= id.number {
                    return (previous, source == id.source && heard == id.number)
                }
            }
            previous = next
            next = paths[next].link
        }
        return (previous, false)
    }

    /// Stands for the prefix's own record as the place of a path.
    private static var firstPlace: Place { endOfLinks }

    private func linkOf(_ place: Place, _ index: PrefixIndex) -> UInt32 {
        place == Self.firstPlace ? destinations[index].link : paths[place].link
    }

    private mutating func setLink(of place: Place, _ index: PrefixIndex, to link: UInt32) {
        if place == Self.firstPlace { destinations[index].link = link } else { paths[place].link = link }
    }

    private func path(after previous: Place?, of index: PrefixIndex) -> Path {
        if let previous { return further(linkOf(previous, index)) }
        return firstPath(index) ?? Path(PathID(.none), received: .none, accepted: .none)
    }

    private mutating func replace(after previous: Place?, of index: PrefixIndex, with path: Path) {
        guard let previous else { return setFirst(path, of: index) }
        let place = linkOf(previous, index)
        paths[place] = FurtherPath(path)
        setFurtherNumbers(place, path.numbers)
    }

    private mutating func insert(_ path: Path, after previous: Place?, of index: PrefixIndex) {
        var path = path
        if let previous {
            path.link = linkOf(previous, index)
            setLink(of: previous, index, to: insertFurther(path))
        } else {
            if let first = firstPath(index) { path.link = insertFurther(first) }
            setFirst(path, of: index)
        }
    }

    private mutating func setFirst(_ path: Path?, of index: PrefixIndex) {
        var record = destinations[index]
        record.source = path?.source ?? .none
        record.epoch = path?.epoch ?? 0
        record.isSuppressed = path?.isSuppressed ?? false
        record.received = path?.received ?? .none
        record.accepted = path?.accepted ?? .none
        record.link = path?.link ?? endOfLinks
        destinations[index] = record
        let numbers = path?.numbers ?? .none
        if numbers != .none || hasNumbers { firstNumbers[index] = numbers }
    }

    @inline(__always)
    private func further(_ place: Place) -> Path {
        let record = paths[place]
        var path = Path(
            PathID(record.source), epoch: record.epoch, received: record.received, accepted: record.accepted)
        path.link = record.link
        path.isSuppressed = record.isSuppressed
        if hasNumbers { path.numbers = furtherNumbers[place] }
        return path
    }

    private mutating func insertFurther(_ path: Path) -> Place {
        let place = paths.insert(FurtherPath(path))
        setFurtherNumbers(place, path.numbers)
        return place
    }

    private mutating func removeFurther(_ place: Place) {
        paths.remove(place)
        setFurtherNumbers(place, .none)
    }

    private mutating func setFurtherNumbers(_ place: Place, _ numbers: PathNumbers) {
        if numbers != .none || hasNumbers { furtherNumbers[place] = numbers }
    }
}

extension RoutingTable.FurtherPath {
    fileprivate init(_ path: RoutingTable.Path) {
        received = path.received
        accepted = path.accepted
        link = path.link
        source = path.source
        epoch = path.epoch
        isSuppressed = path.isSuppressed
    }
}

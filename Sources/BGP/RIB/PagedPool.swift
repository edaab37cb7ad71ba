import Basics

/// A record that a ``PagedPool`` may hold: while it is free, its link leads to the next free one.
protocol PooledRecord: BitwiseCopyable, Sendable {
    var link: UInt32 { get set }
}

/// Numbered records in pages, so that growth moves none of them and a page that nobody uses is given back.
struct PagedPool<Record: PooledRecord>: Sendable {
    private struct Usage: BitwiseCopyable, Sendable {
        var firstFree = endOfLinks
        var live: UInt32 = 0
    }

    private var pages: ContiguousArray<ContiguousArray<Record>> = []
    private var usages: ContiguousArray<Usage> = []
    /// Pages with room; the last one is filled first.
    private var open: ContiguousArray<UInt32> = []
    private(set) var count = 0

    static var pageBits: UInt32 { 11 }
    static var pageSize: UInt32 { 1 << pageBits }

    /// One more than the highest number that may be in use.
    var capacity: UInt32 { UInt32(pages.count) << Self.pageBits }

    /// Has an element fetched.
    @inline(__always)
    func prepare(_ index: UInt32) {
        prefetch(Int(index & (Self.pageSize - 1)), of: pages[Int(index >> Self.pageBits)])
    }

    subscript(index: UInt32) -> Record {
        @inline(__always) get { pages[Int(index >> Self.pageBits)][Int(index & (Self.pageSize - 1))] }
        @inline(__always) _modify { yield &pages[Int(index >> Self.pageBits)][Int(index & (Self.pageSize - 1))] }
    }

    /// How many numbers of a page have ever been given, since it was last empty.
    func usedCount(ofPage page: UInt32) -> UInt32 { UInt32(pages[Int(page)].count) }

    mutating func insert(_ record: Record) -> UInt32 {
        if open.isEmpty {
            open.append(UInt32(pages.count))
            pages.append([])
            usages.append(Usage())
        }
        let page = Int(open[open.count - 1])
        usages[page].live += 1
        count += 1
        let offset: UInt32
        if usages[page].firstFree != endOfLinks {
            offset = usages[page].firstFree
            usages[page].firstFree = pages[page][Int(offset)].link
            pages[page][Int(offset)] = record
        } else {
            // The first page grows with its use: most tables are small.
            if page > 0, pages[page].isEmpty { pages[page].reserveCapacity(Int(Self.pageSize)) }
            offset = UInt32(pages[page].count)
            pages[page].append(record)
        }
        if isFull(page) { open.removeLast() }
        return UInt32(page) << Self.pageBits | offset
    }

    mutating func remove(_ index: UInt32) {
        let page = Int(index >> Self.pageBits)
        if isFull(page) { open.append(UInt32(page)) }
        usages[page].live -= 1
        count -= 1
        guard usages[page].live > 0 else {
            pages[page] = []
            usages[page].firstFree = endOfLinks
            return
        }
        let offset = index & (Self.pageSize - 1)
        pages[page][Int(offset)].link = usages[page].firstFree
        usages[page].firstFree = offset
    }

    private func isFull(_ page: Int) -> Bool {
        usages[page].firstFree == endOfLinks && pages[page].count == Int(Self.pageSize)
    }
}

/// No further link.
let endOfLinks = UInt32.max

/// Values by small numbers, most of which have none, in pages that are given back when nothing is left in them.
struct SparseTable<Value: BitwiseCopyable & Equatable & Sendable>: Sendable {
    /// What a number has that was given nothing.
    private let empty: Value
    private var pages: ContiguousArray<ContiguousArray<Value>> = []
    private var live: ContiguousArray<UInt32> = []
    /// How many numbers have a value.
    private(set) var count = 0

    init(empty: Value) {
        self.empty = empty
    }

    private static var pageBits: UInt32 { 11 }
    private static var pageSize: UInt32 { 1 << pageBits }

    subscript(index: UInt32) -> Value {
        @inline(__always) get {
            let page = Int(index >> Self.pageBits)
            let offset = Int(index & (Self.pageSize - 1))
            return page < pages.count && offset < pages[page].count ? pages[page][offset] : empty
        }
        set { set(index, newValue) }
    }

    private mutating func set(_ index: UInt32, _ value: Value) {
        let page = Int(index >> Self.pageBits)
        let offset = Int(index & (Self.pageSize - 1))
        let old = self[index]
        if value == empty, old == empty { return }
        while pages.count <= page {
            pages.append([])
            live.append(0)
        }
        if page > 0, pages[page].isEmpty { pages[page].reserveCapacity(Int(Self.pageSize)) }
        while pages[page].count <= offset { pages[page].append(empty) }
        pages[page][offset] = value
        if old == empty {
            count += 1
            live[page] += 1
        } else if value == empty {
            count -= 1
            live[page] -= 1
            if live[page] == 0 { pages[page] = [] }
        }
    }

    /// Takes a page out with all that it holds, empty places included; nil when there is none left.
    mutating func takePage() -> ContiguousArray<Value>? {
        guard let page = pages.popLast() else { return nil }
        count -= Int(live.removeLast())
        return page
    }
}

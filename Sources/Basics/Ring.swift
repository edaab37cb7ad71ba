/// A double-ended queue of plain values in one power-of-two array, which doubles when full.
public struct Ring<Element: BitwiseCopyable & Sendable>: Sendable {
    @usableFromInline var storage: ContiguousArray<Element>
    @usableFromInline var head = 0
    @usableFromInline var storedCount = 0

    @inlinable
    public var count: Int { storedCount }

    /// An empty ring; `capacity` is rounded up to a power of two.
    @inlinable
    public init(capacity: Int = 8) {
        var size = 1
        while size < capacity { size *= 2 }
        storage = Self.unwritten(size)
    }

    /// So many places whose octets mean nothing until an element is put there; only those of elements are read.
    @inlinable
    static func unwritten(_ count: Int) -> ContiguousArray<Element> {
        ContiguousArray(unsafeUninitializedCapacity: count) { $1 = count }
    }

    @inlinable
    public var isEmpty: Bool { count == 0 }

    @inlinable
    public var first: Element? { count == 0 ? nil : storage[head] }

    @inlinable
    public var last: Element? { count == 0 ? nil : storage[position(count &- 1)] }

    /// The element `index` places behind the first.
    @inlinable
    public subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count)
            return storage[position(index)]
        }
        set {
            precondition(index >= 0 && index < count)
            storage[position(index)] = newValue
        }
    }

    /// Puts an element behind all others.
    @inlinable
    @inline(__always)
    public mutating func append(_ element: Element) {
        if count == storage.count { grow() }
        storage[position(count)] = element
        storedCount &+= 1
    }

    /// Puts an element in front of all others.
    @inlinable
    public mutating func prepend(_ element: Element) {
        if count == storage.count { grow() }
        head = (head &- 1) & (storage.count &- 1)
        storage[head] = element
        storedCount &+= 1
    }

    /// Takes the element in front, if there is one.
    @inlinable
    public mutating func popFirst() -> Element? {
        guard count > 0 else { return nil }
        let element = storage[head]
        head = position(1)
        storedCount &-= 1
        return element
    }

    /// Takes the element at the back, if there is one.
    @inlinable
    public mutating func popLast() -> Element? {
        guard count > 0 else { return nil }
        storedCount &-= 1
        return storage[position(count)]
    }

    /// Empties the ring and keeps its capacity.
    @inlinable
    public mutating func removeAll() {
        head = 0
        storedCount = 0
    }

    @inlinable
    @inline(__always)
    func position(_ index: Int) -> Int {
        (head &+ index) & (storage.count &- 1)
    }

    @inlinable
    @inline(never)
    mutating func grow() {
        var larger = Self.unwritten(storage.count * 2)
        for index in 0..<count { larger[index] = storage[position(index)] }
        storage = larger
        head = 0
    }
}

/// A growing row of values that cannot be copied, reached by index and changed in place.
public struct Slab<Element: ~Copyable>: ~Copyable {
    @usableFromInline var storage: UnsafeMutablePointer<Element>
    @usableFromInline var capacity: Int
    @usableFromInline var storedCount = 0

    @inlinable
    public init() {
        unsafe storage = .allocate(capacity: 8)
        capacity = 8
    }

    deinit {
        unsafe storage.deinitialize(count: storedCount)
        unsafe storage.deallocate()
    }

    @inlinable
    public var count: Int { storedCount }

    /// The element at that place, where it lies.
    ///
    /// By address and not by a coroutine: that would load all of a large element to look at one field.
    @inlinable
    public subscript(index: Int) -> Element {
        unsafeAddress {
            precondition(index >= 0 && index < storedCount)
            return unsafe UnsafePointer(storage + index)
        }
        unsafeMutableAddress {
            precondition(index >= 0 && index < storedCount)
            return unsafe storage + index
        }
    }

    /// Puts an element behind all others.
    @inlinable
    public mutating func append(_ element: consuming Element) {
        if storedCount == capacity { grow() }
        unsafe (storage + storedCount).initialize(to: element)
        storedCount += 1
    }

    /// Ends all elements' lives and keeps the memory.
    @inlinable
    public mutating func removeAll() {
        unsafe storage.deinitialize(count: storedCount)
        storedCount = 0
    }

    @inlinable
    mutating func grow() {
        let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
        unsafe larger.moveInitialize(from: storage, count: storedCount)
        unsafe storage.deallocate()
        unsafe storage = larger
        capacity *= 2
    }
}

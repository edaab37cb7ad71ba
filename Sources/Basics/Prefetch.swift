import CPrefetch

/// Has the processor fetch octets that are about to be used, all at once instead of line by line.
///
/// It changes nothing but time: for a large state that is not in the cache, as of one tunnel among thousands.
public func prefetch(_ address: UnsafeRawPointer, byteCount: Int) {
    var offset = 0
    while offset < byteCount {
        unsafe patronus_prefetch(address + offset)
        offset &+= 64
    }
}

/// Has an element fetched, where there is such a one.
@inlinable
public func prefetch<Element>(_ index: Int, of elements: ContiguousArray<Element>) {
    prefetch(index..<index + 1, of: elements)
}

/// Has elements that lie side by side fetched, where there are such.
@inlinable
public func prefetch<Element>(_ places: Range<Int>, of elements: ContiguousArray<Element>) {
    unsafe elements.withUnsafeBufferPointer { elements in
        guard let base = elements.baseAddress, places.lowerBound >= 0, places.upperBound <= elements.count else {
            return
        }
        unsafe prefetch(base + places.lowerBound, byteCount: places.count * MemoryLayout<Element>.stride)
    }
}

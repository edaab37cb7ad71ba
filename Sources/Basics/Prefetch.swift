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

/// Has the octet at a place fetched, and its neighbours with it.
@inlinable
public func prefetch(_ octets: UnsafeRawBufferPointer, offset: Int) {
    guard let base = octets.baseAddress, offset < octets.count else { return }
    unsafe prefetch(base + offset, byteCount: 1)
}

/// Has one of so many elements of equal size fetched.
public func prefetch(_ elements: UnsafeRawBufferPointer, element: Int, of count: Int) {
    guard let base = elements.baseAddress, element >= 0, element < count else { return }
    let byteCount = elements.count / count
    unsafe prefetch(base + element * byteCount, byteCount: byteCount)
}

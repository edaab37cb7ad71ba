/// What can be wrong with a sequence of octets, before any protocol looks at it.
public enum WireError: Error, Equatable, Sendable {
    case truncated(needed: Int, available: Int)
    case badLength(Int)
    case badChecksum
    /// A version, type or form that this reader does not speak.
    case unsupported
}

/// A cursor that reads big-endian fields from borrowed octets.
public struct ByteReader: ~Escapable {
    @usableFromInline var bytes: RawSpan
    @usableFromInline var offset: Int

    @inlinable
    @_lifetime(copy bytes)
    public init(_ bytes: RawSpan) {
        self.bytes = bytes
        self.offset = 0
    }

    @inlinable
    public var remaining: Int { bytes.byteCount - offset }

    /// The next field, big-endian.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func read<T: FixedWidthInteger & BitwiseCopyable>(_ type: T.Type = T.self) throws(WireError) -> T {
        let size = MemoryLayout<T>.size
        guard remaining >= size else {
            throw .truncated(needed: size, available: remaining)
        }
        let value = bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: T.self)
        offset &+= size
        return T(bigEndian: value)
    }

    /// Leaves out the next `count` octets.
    @inlinable
    @_lifetime(self: copy self)
    public mutating func skip(_ count: Int) throws(WireError) {
        precondition(count >= 0)
        guard remaining >= count else {
            throw .truncated(needed: count, available: remaining)
        }
        offset &+= count
    }

    /// The next `count` octets, borrowed.
    @inlinable
    @_lifetime(copy self)
    @_lifetime(self: copy self)
    public mutating func take(_ count: Int) throws(WireError) -> RawSpan {
        precondition(count >= 0)
        guard remaining >= count else {
            throw .truncated(needed: count, available: remaining)
        }
        let slice = bytes.extracting(unchecked: offset..<(offset &+ count))
        offset &+= count
        return slice
    }
}

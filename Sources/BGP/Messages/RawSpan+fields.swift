extension RawSpan {
    /// The big-endian field at `offset`, whose presence the caller has checked.
    func field<T: FixedWidthInteger & BitwiseCopyable>(at offset: Int, as type: T.Type = T.self) -> T {
        T(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: type))
    }

    /// The octets as a value that outlives the borrow.
    func copied() -> [UInt8] {
        withUnsafeBytes { unsafe [UInt8]($0) }
    }
}

extension ContiguousArray<UInt8> {
    mutating func append<T: FixedWidthInteger>(bigEndian value: T) {
        for shift in stride(from: T.bitWidth - 8, through: 0, by: -8) {
            append(UInt8(truncatingIfNeeded: value >> T(shift)))
        }
    }

    mutating func append(_ bytes: RawSpan) {
        bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }
}

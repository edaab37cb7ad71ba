extension RawSpan {
    /// The octets from `offset` on; none where there are fewer.
    @_lifetime(copy self)
    func from(_ offset: Int) -> RawSpan {
        extracting(min(offset, byteCount)..<byteCount)
    }
}

extension Double {
    /// The nearest whole number, halves away from zero; the standard library's `rounded` may call the C library.
    var nearestInteger: Int64 { Int64(self < 0 ? self - 0.5 : self + 0.5) }
}

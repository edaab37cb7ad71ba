/// A field that has its struct stay where it lies.
///
/// The compiler hands a large struct to a method that does not change it by copying all of it, even one that cannot
/// be copied, as long as its octets may be moved about freely. Those of an existential may not, so a struct that
/// holds one is passed by its address. It costs 40 octets and no instruction.
public struct Pinned: Sendable {
    @usableFromInline let anchor: (any Sendable)?

    @inlinable
    public init() {
        anchor = nil
    }
}

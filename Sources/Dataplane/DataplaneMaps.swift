/// Why a map did not take or give something.
public enum DataplaneError: Error, Equatable, Sendable {
    /// The map has as many entries as it can.
    case full(DataplaneMap)
    /// More tunnels than the program has room for.
    case tooManyTunnels
    /// The backend's own reason: a negative number as the kernel gives it.
    case refused(DataplaneMap, code: Int32)
    /// What was read is no value of the map.
    case malformed(DataplaneMap)
}

/// The maps of one running data plane, as octets in the sizes of ``DataplaneMap``.
public protocol DataplaneMaps: ~Copyable {
    /// How many values a per-CPU map has for each key.
    var processorCount: Int { get }

    /// Puts an entry in, or in place of one with the same key.
    mutating func update(_ map: DataplaneMap, key: RawSpan, value: RawSpan) throws(DataplaneError)

    /// Takes an entry out; false where there is none.
    mutating func remove(_ map: DataplaneMap, key: RawSpan) throws(DataplaneError) -> Bool

    /// Copies an entry's value, those of all CPUs one behind the other; false where there is none.
    mutating func read(
        _ map: DataplaneMap, key: RawSpan, into value: inout MutableRawSpan
    ) throws(DataplaneError) -> Bool

    /// Copies the key that follows `key` in the map's own order, or the first one for nil; false at the end.
    ///
    /// A key that is no longer there may start the walk over.
    mutating func next(
        _ map: DataplaneMap, after key: RawSpan?, into next: inout MutableRawSpan
    ) throws(DataplaneError) -> Bool
}

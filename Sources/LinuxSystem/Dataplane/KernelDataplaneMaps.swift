public import Dataplane
import Glibc

/// The maps of the project's program in the kernel, as the typed view of them wants them.
public struct KernelDataplaneMaps: ~Copyable, DataplaneMaps {
    public let processorCount: Int
    /// In the order of `DataplaneMap.allCases`.
    private let maps: InlineArray<15, KernelMap>
    /// Where an interface's number, which a map of devices takes, means the interface that is meant.
    private let namespace: NetworkNamespace

    init(_ object: borrowing LoadedObject, _ namespace: consuming NetworkNamespace) throws(SystemError) {
        let names = DataplaneMap.allCases.map(\.rawValue)
        precondition(names.count == 15, "there is a place for each map")
        let processorCount = try KernelMap.possibleCPUs()
        let maps = try InlineArray<15, KernelMap> { index throws(SystemError) in try object.map(names[index]) }
        self.processorCount = processorCount
        self.maps = maps
        self.namespace = namespace
    }

    public mutating func update(_ map: DataplaneMap, key: RawSpan, value: RawSpan) throws(DataplaneError) {
        do throws(SystemError) {
            guard map == .transmitPorts else { return try maps[map.place].update(key, to: value) }
            try namespace.perform { () throws(SystemError) in try maps[map.place].update(key, to: value) }
        } catch {
            throw [E2BIG, ENOSPC].contains(error.number) ? .full(map) : .refused(map, code: -(error.number ?? EINVAL))
        }
    }

    public mutating func remove(_ map: DataplaneMap, key: RawSpan) throws(DataplaneError) -> Bool {
        do throws(SystemError) {
            return try maps[map.place].remove(key)
        } catch {
            throw .refused(map, code: -(error.number ?? EINVAL))
        }
    }

    public mutating func read(
        _ map: DataplaneMap, key: RawSpan, into value: inout MutableRawSpan
    ) throws(DataplaneError) -> Bool {
        do throws(SystemError) {
            return try maps[map.place].read(key, into: &value)
        } catch {
            throw .refused(map, code: -(error.number ?? EINVAL))
        }
    }

    public mutating func next(
        _ map: DataplaneMap, after key: RawSpan?, into next: inout MutableRawSpan
    ) throws(DataplaneError) -> Bool {
        do throws(SystemError) {
            return try maps[map.place].nextKey(after: key, into: &next)
        } catch {
            throw .refused(map, code: -(error.number ?? EINVAL))
        }
    }
}

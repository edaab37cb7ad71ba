import BPF
import Basics
import Dataplane

/// The maps of a program that the interpreter runs.
struct InterpretedMaps: ~Copyable, DataplaneMaps {
    var machine: XDPMachine
    let processorCount = 1

    private func index(_ map: DataplaneMap) throws(DataplaneError) -> Int {
        guard let index = machine.map(map.rawValue) else { throw .refused(map, code: -2) }
        return index
    }

    mutating func update(_ map: DataplaneMap, key: RawSpan, value: RawSpan) throws(DataplaneError) {
        let index = try index(map)
        do throws(MapError) {
            try machine.update(index, key: key, value: value)
        } catch {
            throw error == .full ? .full(map) : .refused(map, code: -1)
        }
    }

    mutating func remove(_ map: DataplaneMap, key: RawSpan) throws(DataplaneError) -> Bool {
        let index = try index(map)
        do throws(MapError) {
            try machine.delete(index, key: key)
            return true
        } catch {
            guard error == .notFound else { throw .refused(map, code: -1) }
            return false
        }
    }

    mutating func read(
        _ map: DataplaneMap, key: RawSpan, into value: inout MutableRawSpan
    ) throws(DataplaneError) -> Bool {
        let index = try index(map)
        do throws(MapError) {
            return try machine.lookUp(index, key: key, into: &value)
        } catch {
            throw .refused(map, code: -1)
        }
    }

    mutating func next(
        _ map: DataplaneMap, after key: RawSpan?, into next: inout MutableRawSpan
    ) throws(DataplaneError) -> Bool {
        let index = try index(map)
        do throws(MapError) {
            guard let key else { return try machine.firstKey(index, into: &next) }
            return try machine.nextKey(index, after: key, into: &next)
        } catch {
            throw .refused(map, code: -1)
        }
    }
}

import BPF
import Dataplane

/// The maps of a data plane that an interpreter runs.
struct InterpretedMaps: ~Copyable, DataplaneMaps {
    var machine: XDPMachine
    /// The machine's number of each map, by its place among all.
    private let numbers: [Int]

    init(_ machine: consuming XDPMachine) {
        numbers = DataplaneMap.allCases.map { map in
            guard let number = machine.map(map.rawValue) else { preconditionFailure("the program has its maps") }
            return number
        }
        self.machine = machine
    }

    /// The interpreter is one processor.
    var processorCount: Int { 1 }

    mutating func update(_ map: DataplaneMap, key: RawSpan, value: RawSpan) throws(DataplaneError) {
        do throws(MapError) {
            try machine.update(number(of: map), key: key, value: value)
        } catch {
            throw map.error(error)
        }
    }

    mutating func remove(_ map: DataplaneMap, key: RawSpan) throws(DataplaneError) -> Bool {
        do throws(MapError) {
            try machine.delete(number(of: map), key: key)
            return true
        } catch .notFound {
            return false
        } catch {
            throw map.error(error)
        }
    }

    mutating func read(
        _ map: DataplaneMap, key: RawSpan, into value: inout MutableRawSpan
    ) throws(DataplaneError) -> Bool {
        do throws(MapError) {
            return try machine.lookUp(number(of: map), key: key, into: &value)
        } catch {
            throw map.error(error)
        }
    }

    mutating func next(
        _ map: DataplaneMap, after key: RawSpan?, into next: inout MutableRawSpan
    ) throws(DataplaneError) -> Bool {
        do throws(MapError) {
            guard let key else { return try machine.firstKey(number(of: map), into: &next) }
            return try machine.nextKey(number(of: map), after: key, into: &next)
        } catch {
            throw map.error(error)
        }
    }

    private func number(of map: DataplaneMap) -> Int { numbers[map.place] }
}

extension DataplaneMap {
    fileprivate func error(_ error: MapError) -> DataplaneError {
        error == .full || error == .noSpace ? .full(self) : .refused(self, code: -error.rawValue)
    }
}

/// Collects what is wrong while files are read, so that all of it is said in one go.
final class FaultLog {
    /// Beyond so many, faults are only counted.
    private static let limit = 500

    private var faults: [Fault] = []
    private var warnings: [Fault] = []
    private var unlisted = 0
    /// The files in the order in which they were first read.
    private var files: [String] = []

    var isClean: Bool { faults.isEmpty }

    /// How many faults have been found so far.
    var faultCount: Int { faults.count + unlisted }

    func add(_ fault: Fault) {
        guard faults.count < Self.limit else {
            unlisted += 1
            return
        }
        faults.append(fault)
    }

    func warn(_ warning: Fault) {
        if warnings.count < Self.limit { warnings.append(warning) }
    }

    func note(file: String) {
        if !files.contains(file) { files.append(file) }
    }

    /// All faults, by file in the order of reading, then by place.
    func sortedFaults() -> Faults {
        var result = sorted(faults)
        if unlisted > 0, var last = result.last {
            last.message = "and \(unlisted) more faults; mend these first"
            result.append(last)
        }
        return Faults(result)
    }

    func sortedWarnings() -> [Fault] { sorted(warnings) }

    private func sorted(_ entries: [Fault]) -> [Fault] {
        let ranked = entries.enumerated().map { place, fault in
            (rank: files.firstIndex(of: fault.file) ?? files.count, place: place, fault: fault)
        }
        let ordered = ranked.sorted { left, right in
            (left.rank, left.fault.line, left.fault.column, left.place)
                < (right.rank, right.fault.line, right.fault.column, right.place)
        }
        return ordered.map(\.fault)
    }
}

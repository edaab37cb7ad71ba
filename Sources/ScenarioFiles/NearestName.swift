/// Finds what a misspelt name was meant to be.
enum NearestName {
    /// What to write instead of `name`: the nearest of `candidates`, or what there is.
    static func advice(for name: String, among candidates: [String]) -> String {
        if let nearest = find(name, among: candidates) { return "did you mean \"\(nearest)\"?" }
        guard !candidates.isEmpty else { return "there is none" }
        let shown = candidates.prefix(12).map { "\"\($0)\"" }.joined(separator: ", ")
        return "known are \(shown)\(candidates.count > 12 ? ", …" : "")"
    }

    /// The candidate with the fewest letters wrong, the first of equal ones; nil where none is near.
    static func find(_ name: String, among candidates: [String]) -> String? {
        let wanted = Array(name.lowercased().utf8.prefix(64))
        var best: (distance: Int, name: String)?
        for candidate in candidates {
            let given = Array(candidate.lowercased().utf8.prefix(64))
            let limit = max(1, min(wanted.count, given.count) / 3)
            guard abs(wanted.count - given.count) <= limit else { continue }
            let distance = distance(wanted, given)
            guard distance <= limit, distance < best?.distance ?? .max else { continue }
            best = (distance, candidate)
        }
        return best?.name
    }

    /// How many letters must be put in, taken out, changed or swapped with their neighbour.
    private static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var beforeLast: [Int] = []
        var last = Array(0...second.count)
        for row in first.indices {
            var current = [row + 1]
            for column in second.indices {
                let substitution = last[column] + (first[row] == second[column] ? 0 : 1)
                var cost = min(substitution, last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            beforeLast = last
            last = current
        }
        return last[second.count]
    }
}

/// Makes long series short enough to draw, without losing what stands out.
enum Downsampling {
    /// The most points of a series.
    static let limit = 1_200

    /// The places to keep: of each stretch the least, the greatest and the first missing value.
    static func places(_ values: [Double?], greatest: [Double?]? = nil, limit: Int = limit) -> [Int] {
        guard values.count > limit else { return Array(values.indices) }
        let stretchCount = max(1, limit / 3)
        let upper = greatest ?? values
        var places: [Int] = []
        for stretch in 0..<stretchCount {
            let start = stretch * values.count / stretchCount
            let end = (stretch + 1) * values.count / stretchCount
            var least: Int?
            var most: Int?
            var missing: Int?
            for place in start..<end {
                guard let value = values[place] else {
                    missing = missing ?? place
                    continue
                }
                if let known = least.flatMap({ values[$0] }), known <= value {} else { least = place }
                let peak = upper[place] ?? value
                if let known = most.flatMap({ upper[$0] ?? values[$0] }), known >= peak {} else { most = place }
            }
            var kept: [Int] = []
            for place in [least, most, missing].compactMap(\.self) where !kept.contains(place) { kept.append(place) }
            places += kept.sorted()
        }
        return places
    }

    /// A number with five digits that matter, so that a report does not carry noise.
    static func rounded(_ value: Double) -> Double {
        guard value.isFinite, value != 0 else { return 0 }
        var scale = 1.0
        var size = abs(value)
        while size < 10_000, scale < 1e12 {
            size *= 10
            scale *= 10
        }
        return (value * scale).rounded() / scale
    }
}

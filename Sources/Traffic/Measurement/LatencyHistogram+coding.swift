extension LatencyHistogram: Codable {
    private enum CodingKeys: CodingKey {
        case sumHigh
        case sumLow
        case least
        case greatest
        case buckets
    }

    /// Reads what ``encode(to:)`` wrote; anything else is an error.
    public init(from decoder: any Decoder) throws {
        self.init()
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let buckets = try container.decode([UInt64].self, forKey: .buckets)
        guard buckets.count.isMultiple(of: 2) else {
            throw DecodingError.dataCorruptedError(
                forKey: .buckets, in: container, debugDescription: "a bucket without its count")
        }
        for place in stride(from: 0, to: buckets.count, by: 2) {
            guard buckets[place] < 56 * 512, let count = UInt32(exactly: buckets[place + 1]) else {
                throw DecodingError.dataCorruptedError(
                    forKey: .buckets, in: container, debugDescription: "no such bucket")
            }
            add(count, toBucket: Int(buckets[place]))
        }
        let high = try container.decode(UInt64.self, forKey: .sumHigh)
        let low = try container.decode(UInt64.self, forKey: .sumLow)
        setTotals(
            sum: UInt128(high) << 64 | UInt128(low), least: try container.decode(UInt64.self, forKey: .least),
            greatest: try container.decode(UInt64.self, forKey: .greatest))
    }

    /// Writes the buckets that hold anything, each with its count.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        let totals = totals
        try container.encode(UInt64(totals.sum >> 64), forKey: .sumHigh)
        try container.encode(UInt64(truncatingIfNeeded: totals.sum), forKey: .sumLow)
        try container.encode(totals.least, forKey: .least)
        try container.encode(totals.greatest, forKey: .greatest)
        var buckets: [UInt64] = []
        eachBucket { bucket, count in buckets += [UInt64(bucket), UInt64(count)] }
        try container.encode(buckets, forKey: .buckets)
    }
}

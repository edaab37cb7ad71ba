extension Trace {
    /// Reads a Mahimahi packet-delivery trace: one whole number of milliseconds a line, never decreasing.
    public init(parsing text: String) throws(TraceError) {
        try self.init(parsing: Array(text.utf8))
    }

    /// Reads a Mahimahi packet-delivery trace from the octets of its file.
    ///
    /// The last line may lack its end, and lines may end in CR LF.
    public init(parsing octets: [UInt8]) throws(TraceError) {
        var builder = TraceBuilder()
        var line = 1
        var start = 0
        while start < octets.count {
            var end = start
            while end < octets.count, octets[end] != UInt8(ascii: "\n") { end += 1 }
            let hasReturn = end > start && end < octets.count && octets[end - 1] == UInt8(ascii: "\r")
            if let fault = builder.append(octets[start..<(hasReturn ? end - 1 : end)]) {
                throw TraceError(fault: fault, line: line)
            }
            start = end + 1
            line += 1
        }
        guard let last = builder.milliseconds.last else { throw TraceError(fault: .empty, line: 1) }
        guard last > 0 else { throw TraceError(fault: .withoutDuration, line: line - 1) }
        self.init(
            milliseconds: builder.milliseconds, allowances: builder.allowances,
            opportunityCount: builder.opportunityCount)
    }
}

private struct TraceBuilder {
    var milliseconds: ContiguousArray<UInt32> = []
    var allowances: ContiguousArray<UInt32> = []
    var opportunityCount = 0

    /// Adds one line, or says what is wrong with it.
    mutating func append(_ line: ArraySlice<UInt8>) -> TraceError.Fault? {
        guard !line.isEmpty else { return .empty }
        var value: UInt64 = 0
        for byte in line {
            guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return .notANumber }
            value = value * 10 + UInt64(byte - UInt8(ascii: "0"))
            guard value <= UInt64(UInt32.max) else { return .tooLarge }
        }
        let millisecond = UInt32(value)
        opportunityCount += 1
        guard let last = milliseconds.last, last >= millisecond else {
            milliseconds.append(millisecond)
            allowances.append(Trace.bytesPerOpportunity)
            return nil
        }
        guard last == millisecond else { return .decreasing }
        let place = allowances.count - 1
        let (sum, overflow) = allowances[place].addingReportingOverflow(Trace.bytesPerOpportunity)
        guard !overflow else { return .tooManyOpportunities }
        allowances[place] = sum
        return nil
    }
}

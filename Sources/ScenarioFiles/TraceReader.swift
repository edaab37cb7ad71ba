import Scenario

/// Reads Mahimahi packet-delivery files: one number of milliseconds a line, never falling.
enum TraceReader {
    /// More faults than this are not listed for one file.
    private static let faultLimit = 10

    /// The trace, or nil where the file has a fault, which goes to `log`.
    static func read(_ file: InputFile, name: String, log: FaultLog) -> DeliveryTrace? {
        var opportunities: [UInt32] = []
        var faultCount = 0
        var lineNumber = 0
        func fault(_ message: String) {
            faultCount += 1
            guard faultCount <= faultLimit else { return }
            log.add(Fault(file: file.path, line: max(lineNumber, 1), column: 1, path: "$", message: message))
        }
        for line in file.bytes.split(separator: 0x0A, omittingEmptySubsequences: false) {
            lineNumber += 1
            let text = line.last == 0x0D ? line.dropLast() : line
            if text.isEmpty, line.endIndex == file.bytes.endIndex { break }
            guard let value = number(text) else {
                fault("this is no number of milliseconds; write one whole number a line, such as 17")
                continue
            }
            if let last = opportunities.last, value < last {
                fault("\(value) is less than \(last) in the line before; a trace never goes back in time")
                continue
            }
            opportunities.append(value)
        }
        if faultCount == 0, opportunities.last ?? 0 == 0 {
            fault("the trace has no length; its last line must be above 0")
        }
        return faultCount == 0 ? DeliveryTrace(file: name, opportunities: opportunities) : nil
    }

    private static func number(_ text: ArraySlice<UInt8>) -> UInt32? {
        guard !text.isEmpty, text.count <= 10 else { return nil }
        var value: UInt64 = 0
        for byte in text {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + UInt64(byte - 0x30)
        }
        return UInt32(exactly: value)
    }
}

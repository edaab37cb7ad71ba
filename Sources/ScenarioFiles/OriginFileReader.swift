import BGP
import Wire

/// Reads what RPKI validators write as CSV: `ASN,IP Prefix,Max Length` and further columns, which are passed over.
///
/// Routinator, rpki-client and OctoRPKI all do, with or without a first line that names the columns.
enum OriginFileReader {
    /// More faults than this are not listed for one file.
    private static let faultLimit = 10

    /// The authorizations, or nil where the file has a fault, which goes to `log`.
    static func read(_ file: InputFile, log: FaultLog) -> [OriginAuthorization]? {
        var found: [OriginAuthorization] = []
        var faultCount = 0
        for (index, line) in file.bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            let text = line.last == 0x0D ? line.dropLast() : line
            if text.isEmpty || (index == 0 && text.starts(with: "ASN,".utf8)) { continue }
            if let authorization = authorization(text) {
                found.append(authorization)
                continue
            }
            faultCount += 1
            guard faultCount <= faultLimit else { continue }
            log.add(
                Fault(
                    file: file.path, line: index + 1, column: 1, path: "$",
                    message: "this is no authorization; write one a line, such as AS64496,192.0.2.0/24,24"))
        }
        return faultCount == 0 ? found : nil
    }

    private static func authorization(_ line: ArraySlice<UInt8>) -> OriginAuthorization? {
        let fields = line.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
            .map { String(decoding: $0, as: UTF8.self) }
        guard fields.count >= 3,
            let number = UInt32(fields[0].hasPrefix("AS") ? fields[0].dropFirst(2) : fields[0][...]),
            let prefix = IPPrefix(fields[1])
        else { return nil }
        guard !fields[2].isEmpty else { return OriginAuthorization(prefix, autonomousSystem: number) }
        guard let longest = Int(fields[2]), (prefix.length...(prefix.isIPv4 ? 32 : 128)).contains(longest) else {
            return nil
        }
        return OriginAuthorization(prefix, maximumLength: longest, autonomousSystem: number)
    }
}

import CBPF
import Glibc

/// Runs a call of libbpf that answers with nil or a negative value, and keeps what the library says of a failure.
///
/// The library would print it; here it becomes part of the error.
func explained<Value>(
    _ call: () -> Value, fails: (Value) -> Bool, _ description: @autoclosure () -> String
) throws(SystemError) -> Value {
    cbpf_log_start()
    let value = call()
    let number = errno
    defer { cbpf_log_stop() }
    guard fails(value) else { return value }
    throw libraryError(description(), number: number)
}

/// The error behind a failed call, with what libbpf has said since the log was started.
func libraryError(_ description: String, number: Int32) -> SystemError {
    let said = String(cString: cbpf_log_text())
    if let rejection = VerifierRejection(libraryLog: said, number: number) { return .rejected(rejection) }
    let lines = said.split(separator: "\n").map { $0.hasPrefix("libbpf: ") ? $0.dropFirst(8) : $0 }
    return .refused(description, number: number, explanation: lines.joined(separator: "; "))
}

extension VerifierRejection {
    private static let beginning = "-- BEGIN PROG LOAD LOG --\n"
    private static let end = "-- END PROG LOAD LOG --"

    /// The verifier's log within what libbpf says: `prog 'name': -- BEGIN PROG LOAD LOG --`, the log, and an end.
    init?(libraryLog said: String, number: Int32) {
        guard let start = said.firstRange(of: Self.beginning) else { return nil }
        let rest = said[start.upperBound...]
        let log = rest.firstRange(of: Self.end).map { rest[..<$0.lowerBound] } ?? rest
        let line = said[..<start.lowerBound].split(separator: "\n").last ?? ""
        let quoted = line.split(separator: "'")
        self.init(program: quoted.count > 1 ? String(quoted[1]) : "without a name", number: number, log: String(log))
    }
}

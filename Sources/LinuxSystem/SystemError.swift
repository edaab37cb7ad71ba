import Glibc

/// What the kernel, or a library that speaks to it, answered instead of doing what it was asked.
public enum SystemError: Error, Equatable, Sendable {
    /// A call failed: what was asked, the error's number, and the kernel's own words if it had any.
    case refused(String, number: Int32, explanation: String)
    /// The verifier did not accept a program.
    case rejected(VerifierRejection)
    /// An object has nothing of that name.
    case absent(String, among: [String])
    /// A value does not have the size of the thing that it is for.
    case wrongSize(of: String, expected: Int, given: Int)
    /// What was read back is not what was asked for.
    case notAsAsked(String, asked: String, found: String)
    /// An interface takes frames too small for what will be sent to it.
    case linkTooSmall(String, mtu: UInt32, needed: UInt32)

    /// The number of the error, where there is one.
    public var number: Int32? {
        switch self {
        case .refused(_, let number, _): number
        case .rejected(let rejection): rejection.number
        case .absent, .wrongSize, .notAsAsked, .linkTooSmall: nil
        }
    }

    /// The same error, with words that help to understand it.
    func explained(_ explanation: String) -> SystemError {
        guard case .refused(let call, let number, let words) = self else { return self }
        return .refused(call, number: number, explanation: words.isEmpty ? explanation : "\(words); \(explanation)")
    }
}

extension SystemError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .refused(let call, let number, let explanation):
            "\(call): \(words(for: number))" + (explanation.isEmpty ? "" : ": \(explanation)")
        case .rejected(let rejection): rejection.description
        case .absent(let name, let names):
            "there is no \(name); there is " + (names.isEmpty ? "none" : names.joined(separator: ", "))
        case .wrongSize(let name, let expected, let given):
            "\(name) takes \(expected) octets, and was given \(given)"
        case .notAsAsked(let name, let asked, let found): "\(name): asked for \(asked), found \(found)"
        case .linkTooSmall(let name, let mtu, let needed):
            "\(name) has an MTU of \(mtu) and would silently drop what is larger: it needs \(needed)"
        }
    }
}

/// A program that the kernel's verifier refused, with everything that it said.
public struct VerifierRejection: Equatable, Sendable, CustomStringConvertible {
    public let program: String
    public let number: Int32
    /// The whole log, as the kernel wrote it.
    public let log: String

    init(program: String, number: Int32, log: String) {
        self.program = program
        self.number = number
        self.log = log
    }

    /// The last lines of the log that speak of the fault; the kernel's statistics after them do not.
    public var lastWords: [Substring] {
        let lines = log.split(separator: "\n", omittingEmptySubsequences: true)
        let statistics = ["processed ", "verification time", "stack depth", "mark_precise"]
        return lines.filter { line in !statistics.contains { line.hasPrefix($0) } }.suffix(6)
    }

    public var description: String {
        let summary = lastWords.map { "  \($0)\n" }.joined()
        return "the verifier refused program \(program) (\(words(for: number))), at last because of\n\(summary)"
            + "the whole log:\n\(log)"
    }
}

/// An error's number in words.
func words(for number: Int32) -> String {
    String(cString: strerror(number))
}

/// The result of a call that answers with a negative value and `errno` when it fails.
@discardableResult
public func checked(_ result: Int32, _ call: @autoclosure () -> String) throws(SystemError) -> Int32 {
    guard result < 0 else { return result }
    let number = errno
    throw .refused(call(), number: number, explanation: "")
}

/// The result of a call that a signal may interrupt before it has done anything.
public func uninterrupted(_ call: () -> Int) -> Int {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

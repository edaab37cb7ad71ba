import Measure

/// What the program says of a command's outcome to whoever started it.
enum ExitStatus: Equatable, Sendable {
    case done
    /// It ran, but an expectation or an invariant failed, or two runs differ.
    case unmet
    /// A file or a name in the command does not fit.
    case badInput
    /// The machine was too busy for the figures to mean anything.
    case invalid
    /// The machine lacks something.
    case lacking
    /// Our own mistake.
    case defect
    /// Ended by a signal of that number, and cleaned up.
    case interrupted(Int32)

    /// The status of a run that came to its end.
    init(_ status: RunStatus) {
        switch status {
        case .passed: self = .done
        case .failed: self = .unmet
        case .invalid: self = .invalid
        case .error: self = .defect
        }
    }

    /// The status that another process of this program ended with.
    init(code: Int32) {
        self = [.done, .unmet, .badInput, .invalid, .lacking].first { $0.code == code } ?? .defect
    }

    var code: Int32 {
        switch self {
        case .done: 0
        case .unmet: 1
        case .badInput: 2
        case .invalid: 3
        case .lacking: 4
        case .defect: 5
        case .interrupted(let signal): 128 + signal
        }
    }
}

/// Why a command ends early, with what standard error is told; nothing where everything has been said.
struct Failure: Error, Equatable, Sendable {
    let status: ExitStatus
    let message: String

    init(_ status: ExitStatus, _ message: String = "") {
        self.status = status
        self.message = message.isEmpty || message.hasSuffix("\n") ? message : message + "\n"
    }
}

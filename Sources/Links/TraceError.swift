/// Why a trace was refused, in the user's words.
public struct TraceError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What is wrong with the line.
    public enum Fault: Equatable, Sendable {
        case empty
        case notANumber
        case tooLarge
        case decreasing
        case withoutDuration
        case tooManyOpportunities
    }

    /// What is wrong.
    public let fault: Fault
    /// Where it is, counted from 1.
    public let line: Int

    /// The fault as a user reads it, behind the name of the file.
    public var description: String {
        switch fault {
        case .empty: "line \(line): a trace needs a number of milliseconds here"
        case .notANumber: "line \(line): not a whole number of milliseconds"
        case .tooLarge: "line \(line): a trace lasts at most \(UInt32.max) ms"
        case .decreasing: "line \(line): earlier than the line before"
        case .withoutDuration: "line \(line): a trace must end later than 0 ms"
        case .tooManyOpportunities: "line \(line): more than \(UInt32.max) bytes in one millisecond"
        }
    }
}

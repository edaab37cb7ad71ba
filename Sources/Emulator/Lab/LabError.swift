public import LinuxSystem

/// Why a lab cannot be, or cannot go on.
public enum LabError: Error, CustomStringConvertible {
    /// The kernel refused something.
    case system(SystemError)
    /// A process of the lab ended before it was asked to: whose, and why.
    case agent(String, reason: String)
    /// There is no ground for it.
    case ground(GroundError)
    /// Somebody asked for an end.
    case interrupted

    public var description: String {
        switch self {
        case .system(let error): "\(error)"
        case .agent(let title, let reason): "\(title): \(reason)"
        case .ground(let error): "\(error)"
        case .interrupted: "interrupted"
        }
    }
}

/// Hands what the kernel refuses on as a lab's error.
func inLab<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(LabError) -> Value {
    do throws(SystemError) { return try body() } catch { throw .system(error) }
}

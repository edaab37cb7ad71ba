public import Dataplane
public import LinuxSystem

/// Why a machine cannot be hosted, or cannot go on.
public enum HostError: Error, Equatable, Sendable, CustomStringConvertible {
    case system(SystemError)
    case dataplane(DataplaneError)
    /// The machine speaks of a port that it was not given.
    case unknownPort(Int)

    public var description: String {
        switch self {
        case .system(let error): error.description
        case .dataplane(let error): "the data plane: \(error)"
        case .unknownPort(let number): "there is no port \(number)"
        }
    }
}

/// Runs a call to the kernel, whose error is the host's.
func hosted<Value: ~Copyable>(_ body: () throws(SystemError) -> Value) throws(HostError) -> Value {
    do throws(SystemError) {
        return try body()
    } catch {
        throw .system(error)
    }
}

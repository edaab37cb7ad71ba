/// One thing that a session wants done or known.
public enum Output: Equatable, Sendable, BitwiseCopyable {
    case stateChanged(Session.State, Diagnostic)
    case send(ControlPacket)
}

/// What one call of a session asks for, in order: at most a change of state and a packet.
public struct Outputs: RandomAccessCollection, Sendable, BitwiseCopyable {
    private var elements: InlineArray<2, Output?> = [nil, nil]
    public private(set) var count = 0

    public var startIndex: Int { 0 }
    public var endIndex: Int { count }

    public subscript(position: Int) -> Output {
        guard position < count, let output = elements[position] else { preconditionFailure("no such output") }
        return output
    }

    mutating func append(_ output: Output) {
        elements[count] = output
        count += 1
    }
}

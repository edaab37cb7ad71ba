import Basics

// What the speaker asks with every event. These are changing, though they change little or nothing: what does not
// change a session is handed a copy of all of it.

extension Session {
    /// What the speaker keeps account of, from one event to the next.
    struct Standing: BitwiseCopyable {
        let state: BGPSessionState
        let outgoing: ConnectionID?
        let incoming: ConnectionID?
        let deadline: Instant
        let hasLeftWork: Bool
    }

    mutating func standing() -> Standing {
        Standing(
            state: state, outgoing: outgoing?.id, incoming: incoming?.id, deadline: timers.next?.at ?? .never,
            hasLeftWork: owesMarks || !orders.isEmpty)
    }

    /// How long a message over a connection may be; nil where the session has that connection no more.
    mutating func messageLimit(over connection: ConnectionID, _ side: ConnectionSide) -> Int? {
        self[side].flatMap { $0.id == connection ? $0.maximumLength : nil }
    }

    /// Takes what has come over a connection and was no whole message.
    mutating func takeInput(_ side: ConnectionSide) -> ContiguousArray<UInt8> {
        let input = self[side]?.input ?? []
        self[side]?.input = []
        return input
    }
}

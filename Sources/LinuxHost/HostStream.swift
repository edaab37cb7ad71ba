import LinuxSystem
import Machine
import Wire

/// One TCP connection of a machine.
final class HostStream {
    let id: StreamID
    let remote: SocketAddress
    var socket: StreamSocket?
    var isOpening: Bool
    /// What the poll waits for.
    var awaited: Readiness = []
    /// How much the machine may still write before it is told of more room.
    var room = 64 * 1_024
    /// The other end has said all that it will.
    var isPeerFinished = false
    /// So has the machine, and what it wrote has all been taken by the kernel.
    private(set) var isFinished = false
    /// What the kernel has not taken yet, and how much of that it has taken since.
    private var backlog: [UInt8] = []
    private var backlogTaken = 0
    private var finishesAfterBacklog = false

    static let roomStep = 128 * 1_024
    /// More of what was written is unsent than this, and the machine has to wait.
    static let unsentLimit = 64 * 1_024
    /// Room that is smaller may be too small for what the machine wants to write in one piece.
    private static let leastRoom = 2_048

    init(_ id: StreamID, _ socket: consuming StreamSocket, to remote: SocketAddress, isOpening: Bool) {
        self.id = id
        self.remote = remote
        self.socket = consume socket
        self.isOpening = isOpening
    }

    /// Whether nothing more will be read or written.
    var isOver: Bool { isPeerFinished && isFinished }

    /// What the stream now waits for.
    var wanted: Readiness {
        var wanted: Readiness = isPeerFinished || isOpening ? [] : .readable
        if isOpening || !backlog.isEmpty || wantsRoom { wanted.insert(.writable) }
        return wanted
    }

    private var wantsRoom: Bool { room < Self.leastRoom && !isFinished && !finishesAfterBacklog }

    /// Takes what the machine writes; what the kernel does not take waits in the backlog.
    func write(_ bytes: RawSpan) {
        room -= bytes.byteCount
        let taken = backlog.isEmpty && !isOpening ? socket?.write(bytes) ?? 0 : 0
        guard taken < bytes.byteCount else { return }
        bytes.extracting(taken..<bytes.byteCount).withUnsafeBytes { backlog.append(contentsOf: $0) }
    }

    /// Nothing more will be written; what waits goes out first.
    func finish() {
        guard backlog.isEmpty, !isOpening else {
            finishesAfterBacklog = true
            return
        }
        isFinished = true
        socket?.finish()
    }

    /// The kernel takes octets again, those that wait first; returns the room to offer the machine, if there is any.
    func becameWritable() -> Int? {
        if !backlog.isEmpty {
            backlogTaken += socket?.write(backlog.span.bytes.extracting(backlogTaken..<backlog.count)) ?? 0
            guard backlogTaken == backlog.count else { return nil }
            backlog.removeAll()
            backlogTaken = 0
        }
        if finishesAfterBacklog, !isFinished { finish() }
        guard wantsRoom else { return nil }
        room = Self.roomStep
        return room
    }
}

extension StreamClosure {
    /// What an error's number means for a stream.
    init(_ number: Int32, whileOpening: Bool) {
        switch number {
        case ErrorNumber.connectionRefused: self = whileOpening ? .refused : .reset
        case ErrorNumber.connectionReset: self = whileOpening ? .refused : .reset
        case ErrorNumber.timedOut: self = .timedOut
        case let number where ErrorNumber.unreachable.contains(number): self = .unreachable
        default: self = whileOpening ? .unreachable : .reset
        }
    }
}

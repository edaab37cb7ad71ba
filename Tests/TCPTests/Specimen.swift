import Basics
import TCP
import Wire

/// One connection under test, whose other end is played by hand.
///
/// Sequence numbers are given and shown relative to the initial ones, so that a SYN is always 0.
final class Specimen {
    struct Segment {
        let at: Instant
        let header: TCPHeader
        let payload: [UInt8]
        /// Relative to our initial sequence number.
        let sequence: Int
        /// Relative to the other end's.
        let acknowledgment: Int

        var end: Int { sequence + payload.count }
    }

    static let local = SocketAddress(.v4(IPv4Address(192, 0, 2, 1)), port: 5_000)
    static let remote = SocketAddress(.v4(IPv4Address(198, 51, 100, 7)), port: 80)

    var connection: Connection
    var output = Output()
    var now = Instant(nanoseconds: 5_000_000_000)
    /// What was sent since it was last taken.
    var sent: [Segment] = []
    var tidings: [Tiding] = []
    var received: [UInt8] = []
    let initialSequence: UInt32
    var peerSequence: UInt32 = 900_000
    /// What hand-made segments offer.
    var window: UInt16 = 65_535
    /// The clock of the other end's timestamps; nil leaves the option out.
    var peerClock: UInt32?
    var echo: UInt32 = 0

    /// Opens; nothing has been answered yet.
    init(
        connecting configuration: Connection.Configuration = Connection.Configuration(), initialSequence: UInt32 = 100
    ) {
        self.initialSequence = initialSequence
        var first = Output()
        connection = Connection(
            connectingFrom: Self.local, to: Self.remote, configuration: configuration,
            initialSequence: initialSequence, at: now, into: &first)
        output = first
        collect()
    }

    /// Accepts a SYN with these options.
    init(
        accepting configuration: Connection.Configuration = Connection.Configuration(),
        with adjust: (inout TCPHeader) -> Void = { _ in }
    ) {
        initialSequence = 100
        var header = TCPHeader(
            sourcePort: Self.remote.port, destinationPort: Self.local.port, sequence: peerSequence,
            acknowledgment: 0, flags: .synchronize, window: 65_535)
        adjust(&header)
        peerClock = header.timestamps?.value
        var first = Output()
        connection = Connection(
            accepting: header, at: Self.local, from: Self.remote, configuration: configuration,
            initialSequence: initialSequence, at: now, into: &first)
        output = first
        collect()
    }

    /// A connection whose handshake is done, with every option or with those left in `adjust`.
    static func established(
        _ configuration: Connection.Configuration = Connection.Configuration(), scale: UInt8? = 0,
        timestamps: Bool = false, selective: Bool = true, window: UInt16 = 65_535, segmentSize: UInt16? = 1_460
    ) -> Specimen {
        let specimen = Specimen(connecting: configuration)
        specimen.window = window
        if timestamps { specimen.peerClock = 10_000 }
        specimen.now += .milliseconds(20)
        specimen.inject([.synchronize, .acknowledge], sequence: 0, acknowledgment: 1) { header in
            header.maximumSegmentSize = segmentSize
            header.windowScale = scale
            header.sackPermitted = selective
        }
        specimen.sent = []
        specimen.tidings = []
        return specimen
    }

    /// Hands a segment to the connection.
    func inject(
        _ flags: TCPFlags, sequence: Int, acknowledgment: Int, payload: [UInt8] = [],
        with adjust: (inout TCPHeader) -> Void = { _ in }
    ) {
        var header = TCPHeader(
            sourcePort: Self.remote.port, destinationPort: Self.local.port,
            sequence: peerSequence &+ UInt32(truncatingIfNeeded: sequence),
            acknowledgment: initialSequence &+ UInt32(truncatingIfNeeded: acknowledgment), flags: flags,
            window: window)
        if let peerClock { header.timestamps = (peerClock, echo) }
        adjust(&header)
        receive(header, payload)
    }

    func receive(_ header: TCPHeader, _ payload: [UInt8]) {
        connection.receive(header, payload: payload.span.bytes, at: now, into: &output)
        collect()
    }

    /// Acknowledges with blocks of a SACK option.
    func acknowledge(_ acknowledgment: Int, sequence: Int = 1, blocks: [Range<Int>] = []) {
        let initial = initialSequence
        inject(.acknowledge, sequence: sequence, acknowledgment: acknowledgment) { header in
            header.sackBlockCount = blocks.count
            for (index, block) in blocks.enumerated() {
                header.sackBlocks[index] = SACKBlock(
                    start: initial &+ UInt32(block.lowerBound), end: initial &+ UInt32(block.upperBound))
            }
        }
    }

    @discardableResult
    func write(_ octets: [UInt8]) -> Int {
        let count = connection.write(octets.span.bytes, at: now, into: &output)
        collect()
        return count
    }

    @discardableResult
    func write(count: Int) -> Int {
        write([UInt8](repeating: 7, count: count))
    }

    func finish() {
        connection.finish(at: now, into: &output)
        collect()
    }

    func abort() {
        connection.abort(at: now, into: &output)
        collect()
    }

    func consumed(_ count: Int) {
        connection.consumed(count, at: now, into: &output)
        collect()
    }

    func setPathMTU(_ mtu: Int) {
        connection.pathMTUChanged(to: mtu, at: now, into: &output)
        collect()
    }

    /// Lets time pass and wakes the connection whenever it asks for it.
    func pass(_ interval: Interval) {
        let end = now + interval
        while let deadline = connection.nextDeadline, deadline <= end {
            now = max(now, deadline)
            connection.wake(at: now, into: &output)
            collect()
        }
        now = end
    }

    /// What was sent since the last time.
    func takeSent() -> [Segment] {
        defer { sent = [] }
        return sent
    }

    private func collect() {
        for item in output.items {
            switch item {
            case .segment(let range): note(octets(of: output, range))
            case .bytes(let range): received += octets(of: output, range)
            case .connected: tidings.append(.connected)
            case .writable: tidings.append(.writable)
            case .peerFinished: tidings.append(.peerFinished)
            case .closed(let cause): tidings.append(.closed(cause))
            }
        }
        output.removeAll()
    }

    private func note(_ octets: [UInt8]) {
        let bytes = octets.span.bytes
        guard let header = try? TCPHeader(parsing: bytes),
            TCPHeader.isIntact(bytes, source: Self.local.address, destination: Self.remote.address)
        else { return }
        sent.append(
            Segment(
                at: now, header: header, payload: Array(octets[header.headerLength...]),
                sequence: Int(header.sequence &- initialSequence),
                acknowledgment: Int(header.acknowledgment &- peerSequence)))
    }
}

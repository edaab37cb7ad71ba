import Basics
import Machine
import Traffic
import Wire

/// One end of a flow of datagrams.
struct DatagramFlow: Sendable {
    let number: UInt32
    /// Its place in the heap of deadlines.
    let timer: Int
    let role: FlowRole
    let application: String
    let socket: SocketID
    let remote: SocketAddress
    let start: Instant
    let stop: Instant
    /// Where the stamps of what arrives lie; nil where nothing does.
    let stampPlacement: StampPlacement?
    private let script: ReplayScript?
    private var generator: DatagramGenerator?
    private var sequence: UInt32 = 0
    private let isSender: Bool
    private var sendMeter: SendMeter
    private var meter: FlowMeter

    init(_ assignment: FlowAssignment, timer: Int, socket: SocketID, recordInterval: Interval) {
        number = assignment.flow
        self.timer = timer
        role = assignment.role
        application = assignment.application.name
        self.socket = socket
        remote = assignment.remote
        start = assignment.start
        stop = assignment.stop
        generator = DatagramGenerator(
            assignment.application, role: role, flow: number, overIPv4: assignment.local.address.isIPv4)
        isSender = assignment.application.rhythm(role.sends) != nil
        sendMeter = SendMeter(recordInterval: recordInterval, duration: stop - start)
        let rhythm = assignment.application.rhythm(role.receives)
        stampPlacement = rhythm?.stampPlacement
        if case .replay(let script) = assignment.application { self.script = script } else { script = nil }
        // A flow that ends on its own is not expected to deliver until its stop.
        let end = rhythm?.lastOffset.map { assignment.start + $0 } ?? assignment.stop
        meter = FlowMeter(
            FlowMeter.Settings(
                start: start, stop: min(stop, end), evenGap: rhythm?.evenGap, isVoice: rhythm?.isVoice ?? false,
                recordInterval: recordInterval))
    }

    /// When the next datagram is due; nil where there is none any more.
    var due: Instant? {
        guard let departure = generator?.next else { return nil }
        let due = start + departure.offset
        return due < stop ? due : nil
    }

    /// Sends the datagram that is due, and says when the next one is.
    mutating func send(at now: Instant, filler: inout PayloadFiller, into outbox: inout Outbox) -> Instant? {
        let offset = outbox.arena.count
        let stamp = MeasuringStamp(flow: number, sequence: sequence, sentAt: now)
        generator?.take(stampedWith: stamp, filler: &filler, into: &outbox.arena)
        let byteCount = outbox.arena.count - offset
        outbox.append(.send(socket, to: remote, ByteRange(start: offset, count: byteCount)))
        sendMeter.send(byteCount: byteCount, at: now)
        sequence &+= 1
        return due
    }

    /// Takes a datagram of this flow; one without a stamp is told by its turn.
    mutating func receive(_ stamp: MeasuringStamp?, byteCount: Int, at now: Instant) {
        let number = stamp?.sequence ?? meter.nextSequence
        let sentAt = stamp?.sentAt ?? scriptedDeparture(number) ?? now
        meter.receive(number, sentAt: sentAt, byteCount: byteCount, at: now)
    }

    private func scriptedDeparture(_ number: UInt32) -> Instant? {
        script?.packet(Int(number), role.receives).map { start + $0.offset }
    }

    func appendReports(at now: Instant, to reports: inout [FlowReport]) {
        if isSender {
            reports.append(
                FlowReport(flow: number, direction: role.sends, application: application, sent: sendMeter.report()))
        }
        if stampPlacement != nil {
            reports.append(
                FlowReport(
                    flow: number, direction: role.receives, application: application,
                    received: meter.report(at: now, overStreams: false)))
        }
    }
}

/// One datagram socket and what arrives at it.
struct DatagramSocket: Sendable {
    let local: SocketAddress
    /// The places where its flows' stamps may lie.
    var placements: ContiguousArray<StampPlacement> = []
    /// Flows of which some datagrams may be too short for a stamp.
    var unstampedFlows: ContiguousArray<Int> = []
}

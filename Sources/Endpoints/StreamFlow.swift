import Basics
import Machine
import Traffic
import Wire

/// One end of a flow of byte streams.
struct StreamFlow: Sendable {
    /// What the end does on its own.
    enum Driver: Sendable {
        /// It answers.
        case sink
        case file(FileTransfer)
        case web(Web, WebSession)
        /// It has done all it had to.
        case done
    }

    let number: UInt32
    /// Its place in the heap of deadlines.
    let timer: Int
    let role: FlowRole
    let application: ApplicationProfile
    let local: SocketAddress
    let remote: SocketAddress
    let start: Instant
    let stop: Instant
    var driver: Driver
    /// The place of the connection of each lane.
    var lanes: ContiguousArray<Int?> = []
    var sendMeter: SendMeter
    var meter: FlowMeter

    init(_ assignment: FlowAssignment, timer: Int, random: SeededRandom, recordInterval: Interval) {
        number = assignment.flow
        self.timer = timer
        role = assignment.role
        application = assignment.application
        local = assignment.local
        remote = assignment.remote
        start = assignment.start
        stop = assignment.stop
        switch (assignment.application, role) {
        case (.fileTransfer(let profile), .source): driver = .file(profile)
        case (.web(let profile), .source): driver = .web(profile, WebSession(profile, start: start, random: random))
        default: driver = .sink
        }
        sendMeter = SendMeter(recordInterval: recordInterval)
        meter = FlowMeter(FlowMeter.Settings(start: start, stop: stop, recordInterval: recordInterval))
    }

    /// Whether octets are measured in that direction.
    private func carries(_ direction: FlowDirection) -> Bool {
        if case .fileTransfer = application { return direction == .forward }
        return true
    }

    func appendReports(at now: Instant, to reports: inout [FlowReport]) {
        if carries(role.sends) {
            reports.append(
                FlowReport(
                    flow: number, direction: role.sends, application: application.name, sent: sendMeter.report()))
        }
        if carries(role.receives) {
            reports.append(
                FlowReport(
                    flow: number, direction: role.receives, application: application.name,
                    received: meter.report(at: now, overStreams: true)))
        }
    }
}

/// One stream and the half of a conversation that the host holds on it.
struct Connection: Sendable {
    enum Half: Sendable {
        /// An incoming stream that has not said what it is.
        case undecided
        case fileSender(FileSender)
        case fileReceiver(FileReceiver)
        /// With the size of the object to be asked for as soon as there is room.
        case exchangeClient(ExchangeClient, request: UInt64?)
        case exchangeServer(ExchangeServer)
        /// Nothing more is said or listened to; only the other end's last word is awaited.
        case ended
    }

    let id: StreamID
    /// The place of its flow; an incoming stream has none until it has named it.
    var flow: Int?
    var lane = 0
    var isOpen = false
    var isPeerFinished = false
    /// Octets that the host takes.
    var room = 0
    /// Octets that came before the flow was known.
    var uncountedByteCount = 0
    var half: Half
}

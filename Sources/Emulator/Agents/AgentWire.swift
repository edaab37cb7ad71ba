import Basics
import LinuxHost
import LinuxSystem
import Telemetry

/// An agent's end of the channel while its machine runs: telemetry goes out in batches, orders come in.
final class AgentWire {
    /// How long telemetry waits for company.
    static let period = Interval.milliseconds(100)

    private let channel: MessageChannel
    private var records: [AgentRecord] = []
    private var orders: [AgentOrder] = []
    /// When the lab wanted an end; nothing after it counts.
    private(set) var finishedAt: Instant?
    private var isHungUp = false

    init(_ channel: MessageChannel) {
        self.channel = channel
    }

    var isOver: Bool { finishedAt != nil || isHungUp }

    func report(_ record: TelemetryRecord, at instant: Instant) {
        records.append(AgentRecord(at: instant, record: record))
    }

    /// Listens to the lab in the machine's own loop.
    func attend<Machine: HostedMachine & ~Copyable>(_ host: inout MachineHost<Machine>) throws(HostError) {
        try host.watch(channel.descriptor) { host in
            self.listen()
            host.stop()
        }
    }

    private func listen() {
        do throws(SystemError) {
            if try !channel.fill() { isHungUp = true }
            while let order = try channel.next(AgentOrder.self) { orders.append(order) }
        } catch {
            isHungUp = true
        }
    }

    func takeOrder() -> AgentOrder? { orders.isEmpty ? nil : orders.removeFirst() }

    func end(at instant: Instant) { finishedAt = instant }

    func flush() throws(SystemError) {
        guard !records.isEmpty, !isHungUp else { return }
        try channel.send(AgentWord.telemetry(records))
        records.removeAll(keepingCapacity: true)
    }

    func explain(_ route: String, _ lines: [String]) throws(SystemError) {
        guard !isHungUp else { return }
        try channel.send(AgentWord.explained(route: route, lines))
    }

    func finish(_ report: AgentReport) throws(SystemError) {
        guard !isHungUp else { return }
        try flush()
        try channel.send(AgentWord.finished(report))
    }
}

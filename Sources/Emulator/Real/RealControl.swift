import Basics
import Glibc
import LinuxHost
import LinuxSystem
import Node
import Telemetry

/// Serves those who connect to a node, in the node's own loop, and remembers why it is to end.
final class RealControl {
    typealias Host = MachineHost<Node>

    private(set) var end: RealEnd?
    /// Until when somebody has to confirm.
    private(set) var confirmBy: Instant?
    private let listener: UnixListener
    private var watchers: [MessageChannel] = []
    private var records: [AgentRecord] = []
    private let say: (String) -> Void
    /// What the node looks like now.
    var describe: (Instant) -> RealState? = { _ in nil }

    init(at path: String, confirmBy: Instant?, say: @escaping (String) -> Void) throws(SystemError) {
        listener = try UnixListener(at: path)
        self.confirmBy = confirmBy
        self.say = say
    }

    /// Whether somebody wants to hear what the node says.
    var isWatched: Bool { !watchers.isEmpty }

    /// Listens in the loop of a host: to those who connect, to the terminal, to signals.
    func attend(_ host: inout Host, _ signals: Int32, next: @escaping () -> Int32?) throws(HostError) {
        try host.watch(signals) { host in
            while let signal = next() { self.finish(.signal(signal), &host) }
        }
        try host.watch(listener.descriptor.number) { host in self.welcome(&host) }
        guard confirmBy != nil, isatty(STDIN_FILENO) == 1, tcgetpgrp(STDIN_FILENO) == getpgrp() else { return }
        try host.watch(STDIN_FILENO) { host in self.readTerminal(&host) }
    }

    /// Ends the wait for a confirmation where its time is over.
    func turn(at now: Instant) {
        if let confirmBy, now >= confirmBy, end == nil { end = .unconfirmed }
    }

    /// Keeps what the node says for those who want to hear it.
    func report(_ record: TelemetryRecord, at instant: Instant) {
        if isWatched { records.append(AgentRecord(at: instant, record: record)) }
    }

    /// Hands out what was said meanwhile.
    func flush(_ host: inout Host) {
        guard !records.isEmpty else { return }
        for watcher in watchers {
            do throws(SystemError) {
                try watcher.send(RealAnswer.telemetry(records))
            } catch {
                // Whoever does not read what he wanted is hung up on.
                hangUp(watcher, &host)
            }
        }
        records.removeAll(keepingCapacity: true)
    }

    private func finish(_ reason: RealEnd, _ host: inout Host) {
        if end == nil { end = reason }
        host.stop()
    }

    private func confirm() {
        guard confirmBy != nil else { return }
        confirmBy = nil
        say("confirmed")
    }

    private func welcome(_ host: inout Host) {
        do throws(SystemError) {
            let client = MessageChannel(try listener.accept())
            try? host.watch(client.descriptor) { host in self.serve(client, &host) }
        } catch {}  // It has hung up already.
    }

    private func hangUp(_ client: MessageChannel, _ host: inout Host) {
        watchers.removeAll { $0 === client }
        host.unwatch(client.descriptor)
    }

    private func serve(_ client: MessageChannel, _ host: inout Host) {
        do throws(SystemError) {
            guard try client.fill() else { return hangUp(client, &host) }
            while let order = try client.next(RealOrder.self) {
                let now = host.configuration.clock.now
                switch order {
                case .inspect: try client.send(describe(now).map { RealAnswer.state($0) } ?? .done)
                case .confirm:
                    confirm()
                    try client.send(RealAnswer.done)
                case .down:
                    // The one who asked is answered by the end of the connection, when all is given back.
                    finish(.asked, &host)
                case .watch:
                    if !watchers.contains(where: { $0 === client }) { watchers.append(client) }
                    try client.send(RealAnswer.done)
                    host.stop()
                }
            }
        } catch {
            // Whoever speaks nonsense is hung up on.
            hangUp(client, &host)
        }
    }

    private func readTerminal(_ host: inout Host) {
        var octets = [UInt8](repeating: 0, count: 256)
        let count = read(STDIN_FILENO, &octets, octets.count)
        guard count > 0 else { return host.unwatch(STDIN_FILENO) }
        let line = String(decoding: octets.prefix(count), as: UTF8.self)
        if ["y", "yes", "confirm"].contains(line.lowercased().filter { !$0.isWhitespace }) {
            confirm()
            host.unwatch(STDIN_FILENO)
        } else if confirmBy != nil {
            say("write `yes` to confirm")
        }
    }
}

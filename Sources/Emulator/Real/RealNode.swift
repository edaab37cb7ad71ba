import Basics
import Glibc
import LinuxHost
import LinuxSystem
import Node
import Plan
public import Scenario
import Telemetry
import Wire

// One node on this machine's own interfaces.
//
// Way in: a plan and what it may do. `run` looks at the machine, gives back what a dead node has left, writes down what
// it is about to change, changes it, and drives the node until somebody wants an end. Way out: everything as it was.
// What cannot be given back by a process that was killed is given back by the next, or by `RealStore.collectGarbage`.

/// Makes this machine a node of a topology for a while.
public struct RealNode {
    private let scenario: Scenario
    let plan: RealPlan
    let options: RealOptions
    let say: (String) -> Void

    /// `say` is told what people should know, a line each.
    public init(_ scenario: Scenario, _ plan: RealPlan, _ options: RealOptions, say: @escaping (String) -> Void) {
        self.scenario = scenario
        self.plan = plan
        self.options = options
        self.say = say
    }

    /// Looks whether it could be done, and changes nothing.
    public func check() throws(RealError) {
        _ = try RealChecks(plan: plan, options: options).links()
    }

    /// Does it, until somebody wants an end.
    public func run(in store: RealStore = .standard) throws(RealError) -> RealEnd {
        try plan.demandAllPorts()
        try Self.checkPrivilege()
        // Before anything is changed, so that no signal finds this process unprepared.
        let signals = try inReality { () throws(SystemError) in try Signals() }
        let journal = try store.begin(node: plan.node, topology: plan.topology, say)
        let links: [LinkState]
        do throws(RealError) {
            links = try RealChecks(plan: plan, options: options).links()
        } catch {
            removeFolder(journal.folder)
            throw error
        }
        let notifier = try? ServiceNotifier()
        let end: Result<RealEnd, RealError>
        do throws(RealError) {
            try inReality { () throws(SystemError) in
                var interfaces = try RealInterfaces(plan, links, keepsAddresses: options.keepsAddresses)
                try interfaces.take(journal)
            }
            end = .success(try live(signals, notifier, journal))
        } catch {
            end = .failure(error)
        }
        try? notifier?.tell(.stopping)
        do throws(RealError) {
            try giveBack(journal.folder)
        } catch {
            // Of two errors the caller hears the one that leaves something to be done.
            if case .failure(let first) = end { say("\(first)") }
            throw error
        }
        return try end.get()
    }

    private func giveBack(_ folder: String) throws(RealError) {
        guard let entry = RealStore.Entry(folder: folder) else {
            throw .notRestored(["its journal cannot be read"], journal: "\(folder)/\(RealStore.journalName)")
        }
        // What goes as it should is nobody's news.
        try RealStore.giveBack(entry) { _ in }
    }

    /// Whether this process may change interfaces and load programs.
    private static func checkPrivilege() throws(RealError) {
        let status = String(decoding: contents(of: "/proc/self/status") ?? [], as: UTF8.self)
        let line = status.split(separator: "\n").first { $0.hasPrefix("CapEff:") }
        let granted = line.flatMap { UInt64($0.dropFirst(7).filter { !$0.isWhitespace }, radix: 16) } ?? 0
        for (name, bit) in [("CAP_NET_ADMIN", 12), ("CAP_NET_RAW", 13), ("CAP_SYS_ADMIN", 21)] as [(String, UInt64)]
        where granted & (1 << bit) == 0 {
            throw .lacksPrivilege("it lacks \(name)")
        }
    }

    /// The signals that end a node; the last comes when the terminal, or the way to it, is gone.
    private final class Signals {
        let descriptor: SignalDescriptor

        init() throws(SystemError) {
            descriptor = try SignalDescriptor([SIGTERM, SIGINT, SIGHUP])
        }
    }

    /// Drives the node; what hangs on the process is gone when this returns.
    private func live(
        _ signals: Signals, _ notifier: ServiceNotifier?, _ journal: borrowing RealJournal
    ) throws(RealError) -> RealEnd {
        let clock = MonotonicClock.startingNow()
        let index = plan.index
        let runPlan = RunPlan(scenario, replays: scenario.traffic.map { _ in nil })
        var configuration = runPlan.nodeConfiguration(of: index, in: scenario)
        // No two machines' clocks agree.
        configuration.clocksShared = false
        configuration.epoch = clock.secondsAtZero
        let control = try inReality { () throws(SystemError) in
            try RealControl(
                at: "\(journal.folder)/control", confirmBy: options.confirmWithin.map { clock.now + $0 }, say: say)
        }
        var view = LabView(scenario.topology)
        let random = SeededRandom(seed: UInt64.random(in: 0...UInt64.max), stream: plan.node)
        var host = try inRealHost { () throws(HostError) in
            try MachineHost(Node(configuration, random: random, at: clock.now), hostConfiguration(clock)) {
                record, instant in
                view.take(record, of: index)
                control.report(record, at: instant)
            }
        }
        try inReality { () throws(SystemError) in try configureOverlay() }
        let ports = portStates(host)
        let peers = runPlan.sessionNames(of: index, in: scenario.topology)
        control.describe = { now in
            RealState(
                node: view.state(of: index, peers: peers, at: now), topology: plan.topology, process: getpid(),
                ports: ports, secondsToConfirm: control.confirmBy.map { max(0, ($0 - now).inSeconds) })
        }
        defer { control.describe = { _ in nil } }
        try inRealHost { () throws(HostError) in
            try control.attend(&host, signals.descriptor.number) { (try? signals.descriptor.next()) ?? nil }
        }
        announce(ports)
        try? notifier?.tell(.ready, .status("node \(plan.node) of \(plan.topology)"))
        try drive(&host, control, notifier)
        return control.end ?? .asked
    }

    private func drive(
        _ host: inout MachineHost<Node>, _ control: RealControl, _ notifier: ServiceNotifier?
    ) throws(RealError) {
        // A sign of life comes twice as often as it is wanted.
        let beat = notifier?.watchdogMicroseconds.map { Interval.microseconds(Int64(clamping: $0 / 2)) }
        var nextBeat = Instant.zero
        while control.end == nil {
            let now = host.configuration.clock.now
            control.turn(at: now)
            guard control.end == nil else { return }
            if let beat, now >= nextBeat {
                try? notifier?.tell(.watchdog)
                nextBeat = now + beat
            }
            var until = control.confirmBy ?? .never
            if beat != nil { until = min(until, nextBeat) }
            if control.isWatched { until = min(until, now + AgentWire.period) }
            do throws(HostError) { try host.run(until: until) } catch { throw RealError(error) }
            control.flush(&host)
        }
    }
}

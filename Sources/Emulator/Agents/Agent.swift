import Basics
import Endpoints
import Foundation
import Glibc
import LinuxHost
import LinuxSystem
import Machine
import Node
import Plan
public import Scenario
import Telemetry
public import Traffic

/// The inside of an agent: one machine of a lab, in a process and a namespace of its own.
public enum Agent {
    /// A scenario with the conversations that its traffic repeats.
    public struct Script {
        public var scenario: Scenario
        public var replays: [ReplayScript?]

        public init(scenario: Scenario, replays: [ReplayScript?]) {
            self.scenario = scenario
            self.replays = replays
        }
    }

    /// Why a task cannot be taken.
    public struct BadTask: Error {
        public let reason: String

        public init(_ reason: String) {
            self.reason = reason
        }
    }

    /// Does what the lab wants until the lab ends it; false where it could not.
    ///
    /// `load` reads the scenario that the lab has handed over.
    public static func run(_ load: ([AgentTask.Input]) throws(BadTask) -> Script) -> Bool {
        let channel = MessageChannel(UnixSocket(owning: FileDescriptor(owning: ProgramChild.channelDescriptor)))
        do {
            try ChildProcess.dieWithParent(getppid())
            try NetworkNamespace(owning: FileDescriptor(owning: ProgramChild.namespaceDescriptor)).enter()
            guard case .task(let task) = try channel.wait(for: AgentOrder.self) else { return false }
            let script = try load(task.inputs)
            try perform(task, script, channel)
            return true
        } catch {
            let reason = (error as? BadTask)?.reason ?? "\(error)"
            try? channel.send(AgentWord.failed(reason))
            return false
        }
    }

    private static func perform(_ task: AgentTask, _ script: Script, _ channel: MessageChannel) throws {
        let plan = RunPlan(script.scenario, replays: script.replays)
        if case .attacker(let event) = task.role { return try attack(event, task, script, channel) }
        let place = MachinePlace(task, script.scenario, plan)
        if script.scenario.topology.nodes[task.node].kind == .patronus {
            try runNode(place, channel)
        } else {
            try runEndHost(place, channel)
        }
    }

    /// Says that everything is there, and waits for the instant at which time begins; nil where the lab is gone.
    private static func ready(_ channel: MessageChannel) throws -> MonotonicClock? {
        try channel.send(AgentWord.ready)
        guard case .go(let epoch) = try channel.wait(for: AgentOrder.self) else { return nil }
        while MonotonicClock.kernelReading() < epoch {
            let rest = epoch - min(epoch, MonotonicClock.kernelReading())
            usleep(UInt32(clamping: rest / 1_000))
        }
        return MonotonicClock(epoch: epoch)
    }

    private static func runNode(_ place: MachinePlace, _ channel: MessageChannel) throws {
        // What takes long comes before time begins, as in a simulated node, which has it at once.
        let dataplane = try place.hostConfiguration(.startingNow()).loadDataplane()
        guard let clock = try ready(channel) else { return }
        let wire = AgentWire(channel)
        var host = try MachineHost(
            Node(place.nodeConfiguration(clock), random: place.random, at: clock.now), place.hostConfiguration(clock),
            dataplane: dataplane
        ) { record, instant in wire.report(record, at: instant) }
        try wire.attend(&host)
        try run(&host, wire)
        var report = AgentReport()
        report.blackholedPackets = host.machine.blackholedPackets
        report.dataplane = try place.accounts(of: host.dataplaneCounters())
        report.routeDisagreement = try place.disagreement(
            wanted: host.machine.overlayPrefixes, routed: host.routedPrefixes())
        try wire.finish(report)
    }

    private static func runEndHost(_ place: MachinePlace, _ channel: MessageChannel) throws {
        guard let clock = try ready(channel) else { return }
        let wire = AgentWire(channel)
        var host = try MachineHost(
            EndHost(place.endHostConfiguration, seed: place.seed), place.hostConfiguration(clock)
        ) { record, instant in wire.report(record, at: instant) }
        try wire.attend(&host)
        try run(&host, wire)
        var report = AgentReport()
        report.flows = host.machine.reports(at: wire.finishedAt ?? host.now)
        try wire.finish(report)
    }

    /// Runs a machine until the lab wants its report.
    private static func run<Machine: HostedMachine & ~Copyable>(
        _ host: inout MachineHost<Machine>, _ wire: AgentWire
    ) throws {
        while !wire.isOver {
            try host.run(until: host.configuration.clock.now + AgentWire.period)
            try wire.flush()
            while let order = wire.takeOrder() {
                switch order {
                case .resetSession(let peer): try host.command(.resetSession(peer: peer))
                case .startSession(let peer): try host.command(.startSession(peer: peer))
                case .stopSession(let peer, let reason): try host.stopSession(with: peer, reason: reason)
                case .refreshRoutes(let peer): try host.command(.refreshRoutes(peer: peer))
                case .explain(let route): try wire.explain(route, host.machine.explanation(ofRoute: route))
                case .announce(let series): try host.command(.announce(series))
                case .withdraw(let series): try host.command(.withdraw(series))
                case .finish: wire.end(at: host.configuration.clock.now)
                case .task, .go: break
                }
            }
        }
    }

    private static func attack(
        _ event: Int, _ task: AgentTask, _ script: Script, _ channel: MessageChannel
    ) throws {
        guard let plan = AttackPlan.all(of: script.scenario, seed: task.seed).first(where: { $0.event == event }),
            let clock = try ready(channel)
        else { return }
        var attacker = try Attacker(plan, clock: clock)
        while true {
            try attacker.sendDue()
            let pause = min(attacker.pause ?? .milliseconds(100), .milliseconds(100))
            guard channel.isReadable(within: max(pause, .microseconds(50))) else { continue }
            guard let order = try channel.wait(for: AgentOrder.self) else { return }
            guard case .finish = order else { continue }
            var report = AgentReport()
            report.attackPackets = attacker.sent
            return try channel.send(AgentWord.finished(report))
        }
    }
}

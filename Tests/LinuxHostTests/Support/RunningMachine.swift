import Basics
import Foundation
import LinuxHost
import LinuxSystem
import Synchronization
import Telemetry

/// A machine that runs on a thread of its own inside a namespace.
final class RunningMachine<Machine: HostedMachine & SendableMetatype & ~Copyable>: Sendable {
    typealias Host = MachineHost<Machine>

    private struct State {
        var records: [(at: Instant, record: TelemetryRecord)] = []
        var jobs: [@Sendable (inout Host) -> Void] = []
        var failure: HostError?
        var isStarted = false
        var isStopped = false
    }

    private let state = Mutex(State())
    private let bell: (reader: Int32, writer: Int32)
    private let hasStarted = DispatchSemaphore(value: 0)
    private let hasEnded = DispatchSemaphore(value: 0)

    /// Starts a machine; throws what its host throws before it runs.
    init(
        in namespace: borrowing NetworkNamespace, _ configuration: HostConfiguration,
        make: @escaping @Sendable () -> Machine
    ) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0, fcntl(ends[0], F_SETFL, O_NONBLOCK) == 0 else {
            throw SystemError.refused("make a pipe", number: errno, explanation: "")
        }
        bell = (ends[0], ends[1])
        let place = try FileDescriptor.duplicate(of: namespace.descriptorNumber)
        let number = place.number
        let thread = Thread { [self] in
            run(inNamespaceOf: number, configuration, make)
            hasEnded.signal()
        }
        thread.stackSize = 8 << 20
        thread.start()
        hasStarted.wait()
        withExtendedLifetime(place) {}
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }

    deinit {
        close(bell.reader)
        close(bell.writer)
    }

    private func run(
        inNamespaceOf number: Int32, _ configuration: HostConfiguration, _ make: @Sendable () -> Machine
    ) {
        do {
            try NetworkNamespace(owning: FileDescriptor.duplicate(of: number)).enter()
            var host = try Host(make(), configuration) { [self] record, at in
                state.withLock { $0.records.append((at, record)) }
            }
            try host.watch(bell.reader) { [self] host in
                var octet: UInt8 = 0
                while read(bell.reader, &octet, 1) == 1 {}
                for job in state.withLock({ state in
                    defer { state.jobs = [] }
                    return state.jobs
                }) { job(&host) }
            }
            // Whoever waits is to find the machine at work, its listeners there.
            state.withLock { state in state.jobs.append { [self] _ in tellStarted() } }
            ring()
            try host.run()
        } catch {
            let failure = error as? HostError ?? (error as? SystemError).map { HostError.system($0) }
            state.withLock { $0.failure = failure ?? .unknownPort(-1) }
        }
        tellStarted()
    }

    private func tellStarted() {
        let isNews = state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted
        }
        if isNews { hasStarted.signal() }
    }

    private func ring() {
        var octet: UInt8 = 1
        _ = write(bell.writer, &octet, 1)
    }

    /// Why the host ended, if it did by itself.
    var failure: HostError? { state.withLock { $0.failure } }

    /// Has the host do something between two events, and waits for it.
    func ask<Value: Sendable>(_ question: @escaping @Sendable (inout Host) -> Value) -> Value? {
        let answer = Mutex<Value?>(nil)
        let box = Box(answer)
        let isDone = DispatchSemaphore(value: 0)
        state.withLock {
            $0.jobs.append { host in
                let value = question(&host)
                box.value.withLock { $0 = value }
                isDone.signal()
            }
        }
        ring()
        guard isDone.wait(timeout: .now() + 5) == .success else { return nil }
        return box.value.withLock { $0 }
    }

    private final class Box<Value: Sendable>: Sendable {
        let value: Mutex<Value?>

        init(_ value: consuming Mutex<Value?>) {
            self.value = value
        }
    }

    /// Ends the machine as a kill does: what it held goes with it.
    func stop() {
        let wasStopped = state.withLock { state in
            defer { state.isStopped = true }
            state.jobs.append { $0.stop() }
            return state.isStopped
        }
        if wasStopped { return }
        ring()
        _ = hasEnded.wait(timeout: .now() + 5)
    }

    /// What the machine has reported since an instant.
    func records(since start: Instant = .zero) -> [(at: Instant, record: TelemetryRecord)] {
        state.withLock { $0.records.filter { $0.at >= start } }
    }
}

extension RunningMachine where Machine: ~Copyable {
    /// The tunnels whose last report says that they are up.
    var upTunnels: [TunnelID] {
        var states: [(TunnelID, TunnelState)] = []
        for (_, record) in records() {
            guard case .tunnelState(let tunnel, let state, _) = record else { continue }
            states.removeAll { $0.0 == tunnel }
            states.append((tunnel, state))
        }
        return states.filter { $0.1 == .up }.map(\.0).sorted()
    }

    /// Whether the last report on the session with the first peer says that it stands.
    var isEstablished: Bool {
        let states = records().compactMap { record -> BGPSessionState? in
            if case .sessionState(_, let state) = record.record { state } else { nil }
        }
        return states.last == .established
    }
}

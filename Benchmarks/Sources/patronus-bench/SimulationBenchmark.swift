import Basics
import Scenario
import Simulator

/// Runs a world up to `warmup`, then counts what the rest costs.
func benchmarkHops(_ name: String, _ scenario: Scenario, warmup: Interval) -> Measurement {
    let before = residentMebibytes()
    var simulation = Simulation(scenario)
    simulation.run(until: .zero + warmup)
    let held = residentMebibytes() - before
    let hops = simulation.hopCount
    let events = simulation.eventCount
    let seconds = measure { simulation.run(until: .zero + scenario.duration) }
    let simulated = (scenario.duration - warmup).inSeconds
    let counted = simulation.hopCount - hops
    return Measurement(
        name: name, unit: "hops", count: counted, cpuSeconds: seconds,
        details: [
            ("events_per_hop", Double(simulation.eventCount - events) / Double(max(1, counted))),
            ("cpu_s_per_simulated_s", seconds / simulated), ("speedup", simulated / seconds),
            ("nodes", Double(scenario.topology.nodes.count)),
            ("kib_per_node", held * 1_024 / Double(scenario.topology.nodes.count)),
            ("packets_in_flight", Double(simulation.packetsInFlight)),
            ("bytes_per_packet_slot", Double(simulation.bytesPerPacket)),
        ])
}

/// One bulk transfer: the cost of a simulated second, and what it delivered.
func benchmarkTransfer(seconds: Int64) -> Measurement {
    let scenario = Worlds.transfer(seconds: seconds)
    var simulation = Simulation(scenario)
    let spent = measure { simulation.run(until: .zero + scenario.duration) }
    let record = simulation.finish()
    let bytes = record.flowReports.map { $0.received?.bytes ?? 0 }.max() ?? 0
    return Measurement(
        name: "tcp-3-hops", unit: "segments", count: bytes / 1_448, cpuSeconds: spent,
        details: [
            ("cpu_s_per_simulated_s", spent / Double(seconds)),
            ("goodput_mbit", Double(bytes) * 8 / Double(seconds) / 1e6),
        ])
}

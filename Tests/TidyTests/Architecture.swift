/// A module with its floor and what it may import from outside the project.
struct Module {
    let name: String
    let floor: Int
    var outside: Set<String> = []
}

/// The floors are the architecture: a module imports only modules on lower floors.
let architecture: [Module] = [
    Module(name: "Basics", floor: 0, outside: ["CPrefetch"]),
    Module(name: "Telemetry", floor: 0),
    Module(name: "Wire", floor: 1),
    Module(name: "Machine", floor: 2),
    Module(name: "Links", floor: 2),
    Module(name: "TCP", floor: 2),
    Module(name: "BFD", floor: 2),
    Module(name: "BGP", floor: 2),
    Module(name: "BPF", floor: 2),
    Module(name: "Tunnel", floor: 2),
    Module(name: "Steering", floor: 2),
    Module(name: "Traffic", floor: 2),
    Module(name: "Dataplane", floor: 2, outside: ["CDataplane"]),
    Module(name: "Attacks", floor: 2),
    Module(name: "Node", floor: 3),
    Module(name: "Endpoints", floor: 3),
    Module(name: "Scenario", floor: 3),
    Module(name: "Plan", floor: 4),
    Module(name: "Simulator", floor: 5),
    Module(name: "Measure", floor: 5),
    Module(name: "ScenarioFiles", floor: 6, outside: ["Yams", "Foundation", "Glibc"]),
    Module(name: "Results", floor: 6, outside: ["GRDB", "CPcap", "CCrypto", "Foundation", "Glibc", "Synchronization"]),
    Module(name: "LinuxSystem", floor: 6, outside: ["CBPF", "CLinux", "CMnl", "Glibc", "Synchronization"]),
    Module(name: "LinuxHost", floor: 7, outside: ["CLinux", "Foundation", "Glibc", "Synchronization"]),
    Module(name: "Emulator", floor: 8, outside: ["CLinux", "Foundation", "Glibc", "Synchronization"]),
    Module(name: "patronus-sim", floor: 9, outside: ["ArgumentParser", "Foundation", "Glibc", "Synchronization"]),
]

/// What serves the tests stands beside the floors, and no module of a floor may import it.
let testSupport: [Module] = [
    Module(name: "TestKit", floor: 1, outside: ["CMallocCount", "Foundation", "Glibc", "Testing"]),
    Module(name: "ground-victim", floor: 9, outside: ["Glibc"]),
]

/// The modules that those on their own floor may import: the vocabulary, the contract and the stack's TCP.
private let importableBeside: Set<String> = ["Basics", "Machine", "TCP"]

/// The highest floor that reaches for nothing outside.
let highestPureFloor = 5

/// What one module may import, by the floors.
func mayImport(_ module: Module) -> Set<String> {
    let below = architecture.filter { $0.floor < module.floor }
    let beside = architecture.filter {
        $0.floor == module.floor && $0.name != module.name && importableBeside.contains($0.name)
    }
    return Set((below + beside).map(\.name)).union(module.outside)
}

// swift-tools-version: 6.2
import PackageDescription

let common: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
    // A node's work crosses ten modules for each packet: a twentieth of its instructions are calls between them.
    .unsafeFlags(["-cross-module-optimization"], .when(configuration: .release)),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: common)
}

/// Golden files lie beside the tests and are read from there, not bundled.
func tests(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestKit"], exclude: ["Golden"], swiftSettings: common)
}

let engines: [Target.Dependency] = [
    "Machine", "Links", "TCP", "BFD", "BGP", "Tunnel", "Steering", "Traffic", "Attacks",
]
let vocabulary: [Target.Dependency] = ["Basics", "Telemetry", "Wire"]

let package = Package(
    name: "patronus",
    platforms: [.macOS(.v26)],
    products: [
        .executable(name: "patronus-sim", targets: ["patronus-sim"]),
        .library(name: "PatronusSimulator", targets: ["Basics", "Wire", "BGP", "Scenario", "Simulator"]),
        .library(name: "PatronusLinux", targets: ["Basics", "Telemetry", "Wire", "Dataplane", "LinuxSystem"]),
        .library(
            name: "PatronusEmulator",
            targets: ["Basics", "Telemetry", "Wire", "Links", "Scenario", "Plan", "LinuxSystem", "Emulator"]),
        .library(name: "PatronusBPF", targets: ["BPF", "CBPFSyscall"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        // Floor 0: vocabulary
        .target(name: "CPrefetch"),
        library("Basics", ["CPrefetch"]),
        library("Telemetry", ["Basics"]),
        // Floor 1: octets
        library("Wire", ["Basics", "Telemetry"]),
        // Floor 2: the contract, and the engines that do not know each other
        library("Machine", vocabulary),
        library("Links", vocabulary),
        library("TCP", vocabulary),
        library("BFD", vocabulary),
        library("BGP", vocabulary),
        library("BPF", vocabulary),
        library("Tunnel", vocabulary),
        library("Steering", vocabulary),
        library("Traffic", vocabulary),
        .plugin(name: "CompileDataplane", capability: .buildTool()),
        .target(name: "CDataplane"),
        .target(
            name: "Dataplane", dependencies: vocabulary + ["CDataplane"], swiftSettings: common,
            plugins: ["CompileDataplane"]),
        library("Attacks", vocabulary),
        // Floor 3: wholes
        library("Node", vocabulary + engines),
        library("Endpoints", vocabulary + engines),
        library("Scenario", vocabulary + engines),
        // Floor 4: what a scenario comes to on any host
        library("Plan", vocabulary + engines + ["Node", "Endpoints", "Scenario"]),
        // Floor 5: worlds
        library("Simulator", vocabulary + engines + ["BPF", "Dataplane", "Node", "Endpoints", "Scenario", "Plan"]),
        library("Measure", vocabulary + engines + ["Scenario"]),
        // Floor 6: edges
        library(
            "ScenarioFiles", vocabulary + ["BFD", "BGP", "Links", "Scenario", .product(name: "Yams", package: "Yams")]),
        .systemLibrary(name: "CPcap", pkgConfig: "libpcap", providers: [.apt(["libpcap-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        library(
            "Results",
            vocabulary + ["Scenario", "Measure", "CPcap", "CCrypto", .product(name: "GRDB", package: "GRDB.swift")]),
        .target(name: "CBPF", linkerSettings: [.linkedLibrary("bpf")]),
        .target(name: "CLinux"),
        .systemLibrary(name: "CMnl", pkgConfig: "libmnl", providers: [.apt(["libmnl-dev"])]),
        library("LinuxSystem", vocabulary + ["Dataplane", "CBPF", "CLinux", "CMnl"]),
        // Floor 7: a machine on the kernel
        library(
            "LinuxHost",
            vocabulary + ["Machine", "Tunnel", "Node", "Endpoints", "Traffic", "Dataplane", "LinuxSystem", "CLinux"]),
        // Floor 8: labs
        library(
            "Emulator",
            vocabulary + engines + [
                "Node", "Endpoints", "Scenario", "Plan", "Measure", "LinuxSystem", "LinuxHost",
                "CLinux",
            ]),
        // Floor 9: the program
        .executableTarget(
            name: "patronus-sim",
            dependencies: vocabulary + [
                "Scenario", "Simulator", "Measure", "ScenarioFiles", "Results", "Plan", "LinuxSystem", "LinuxHost",
                "Emulator",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: common),
        // Tests
        .target(name: "CMallocCount"),
        library("TestKit", ["Basics", "CMallocCount"]),
        tests("BasicsTests", ["Basics"]),
        tests("WireTests", vocabulary),
        tests("LinksTests", vocabulary + ["Links"]),
        tests("TCPTests", vocabulary + ["TCP", "Links"]),
        tests("BFDTests", vocabulary + ["BFD"]),
        tests("BGPTests", vocabulary + ["BGP", "CLinux"]),
        .target(name: "CBPFSyscall"),
        tests("BPFTests", vocabulary + ["BPF", "CBPFSyscall"]),
        tests("TunnelTests", vocabulary + ["Tunnel"]),
        tests("SteeringTests", vocabulary + ["Steering"]),
        tests("TrafficTests", vocabulary + ["Traffic"]),
        tests("AttacksTests", vocabulary + ["Attacks"]),
        tests("NodeTests", vocabulary + engines + ["Node"]),
        tests("EndpointsTests", vocabulary + engines + ["Endpoints"]),
        tests("ScenarioTests", vocabulary + ["Scenario", "ScenarioFiles", "Simulator", "Measure", "Results"]),
        tests("SimulatorTests", vocabulary + engines + ["Simulator", "Scenario", "Node", "Endpoints"]),
        tests("MeasureTests", vocabulary + ["Measure", "Scenario"]),
        tests("ScenarioFilesTests", vocabulary + ["BFD", "BGP", "Scenario", "ScenarioFiles"]),
        tests("ResultsTests", vocabulary + ["Results", "Measure", "Scenario"]),
        tests("LinuxSystemTests", vocabulary + ["Dataplane", "LinuxSystem"]),
        tests(
            "LinuxHostTests", vocabulary + engines + ["Node", "Endpoints", "Dataplane", "LinuxSystem", "LinuxHost"]),
        // What a test of labs kills.
        .executableTarget(
            name: "ground-victim", dependencies: ["Scenario", "ScenarioFiles", "Plan", "LinuxSystem", "Emulator"],
            swiftSettings: common),
        tests(
            "EmulatorTests",
            vocabulary + engines + [
                "Node", "Scenario", "ScenarioFiles", "Plan", "LinuxSystem", "LinuxHost", "Emulator", "ground-victim",
            ]),
        tests("DataplaneTests", vocabulary + ["Dataplane", "CDataplane", "Tunnel", "LinuxSystem"]),
        tests(
            "DataplaneDifferentialTests", vocabulary + ["BPF", "Dataplane", "Tunnel", "LinuxSystem"]),
        tests("ProgramTests", ["LinuxSystem"]),
        tests("TidyTests"),
    ],
    swiftLanguageModes: [.v6]
)

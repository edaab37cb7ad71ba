// swift-tools-version: 6.2
import PackageDescription

// A package of its own: a fuzz target has no main, which the fuzzer's library brings.
// The modules are links to the project's, so that they are built with the fuzzer's counters.

let common: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableExperimentalFeature("Lifetimes"),
    .treatAllWarnings(as: .error),
]

func library(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: common)
}

let vocabulary: [Target.Dependency] = ["Basics", "Telemetry", "Wire"]
let engines: [Target.Dependency] = [
    "Machine", "Links", "TCP", "BFD", "BGP", "Tunnel", "Steering", "Traffic",
]

let package = Package(
    name: "fuzz",
    platforms: [.macOS(.v26)],
    dependencies: [
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2")
    ],
    targets: [
        .target(name: "CPrefetch"),
        library("Basics", ["CPrefetch"]),
        library("Telemetry", ["Basics"]),
        library("Wire", ["Basics", "Telemetry"]),
        library("Machine", vocabulary),
        library("Links", vocabulary),
        library("TCP", vocabulary),
        library("BFD", vocabulary),
        library("BGP", vocabulary),
        library("BPF", vocabulary),
        library("Tunnel", vocabulary),
        library("Steering", vocabulary),
        library("Traffic", vocabulary),
        library("Node", vocabulary + engines),
        library("Scenario", vocabulary + engines),
        library("ScenarioFiles", vocabulary + ["Links", "Scenario", .product(name: "Yams", package: "Yams")]),
        .executableTarget(
            name: "fuzz", dependencies: vocabulary + engines + ["BPF", "Node", "Scenario", "ScenarioFiles"],
            swiftSettings: common + [.unsafeFlags(["-parse-as-library"])]),
    ],
    swiftLanguageModes: [.v6]
)

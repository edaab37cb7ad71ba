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

let package = Package(
    name: "fuzz",
    platforms: [.macOS(.v26)],
    targets: [
        library("Basics"),
        library("Telemetry", ["Basics"]),
        library("Wire", ["Basics", "Telemetry"]),
        library("Links", vocabulary),
        library("BFD", vocabulary),
        library("BGP", vocabulary),
        library("Tunnel", vocabulary),
        library("Steering", vocabulary),
        library("Traffic", vocabulary),
        .executableTarget(
            name: "fuzz", dependencies: vocabulary + ["Links", "BFD", "BGP", "Tunnel", "Steering", "Traffic"],
            swiftSettings: common + [.unsafeFlags(["-parse-as-library"])]),
    ],
    swiftLanguageModes: [.v6]
)

// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "patronus-benchmarks",
    platforms: [.macOS(.v26)],
    dependencies: [.package(name: "patronus", path: "..")],
    targets: [
        .target(name: "CHeap"),
        .executableTarget(
            name: "patronus-bench",
            dependencies: [
                "CHeap",
                .product(name: "PatronusSimulator", package: "patronus"),
                .product(name: "PatronusBPF", package: "patronus"),
            ],
            swiftSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "patronus-bgp-host",
            dependencies: [.product(name: "PatronusSimulator", package: "patronus")],
            swiftSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "patronus-kernel-bench",
            dependencies: [.product(name: "PatronusLinux", package: "patronus")],
            swiftSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "patronus-wire-bench",
            dependencies: [.product(name: "PatronusEmulator", package: "patronus")],
            swiftSettings: [.treatAllWarnings(as: .error)]),
        .executableTarget(
            name: "patronus-lab-bench",
            dependencies: [.product(name: "PatronusEmulator", package: "patronus")],
            swiftSettings: [.treatAllWarnings(as: .error)]),
    ],
    swiftLanguageModes: [.v6]
)

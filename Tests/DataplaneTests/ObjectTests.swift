import Basics
import Dataplane
import Foundation
import TestKit
import Testing

/// The compiled object itself.
@Suite struct ObjectTests {
    @Test func `the object is an ELF file of the machine without a path in it`() {
        let octets = DataplaneProgram.octets
        #expect(Array(octets.prefix(6)) == [0x7F, 0x45, 0x4C, 0x46, 2, 1])
        #expect(octets[18] == 247, "e_machine is EM_BPF")
        let text = String(decoding: octets, as: UTF8.self)
        #expect(!text.contains(FileManager.default.currentDirectoryPath))
        for folder in ["/usr/", "/home/", "/bpf/", ".build"] { #expect(!text.contains(folder), "\(folder)") }
        #expect(octets.count < 120_000)
    }

    @Test func `the same sources give the same octets wherever they lie`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let sources = folder.appending(path: "elsewhere")
        let original = root.appending(path: "bpf").resolvingSymlinksInPath()
        try FileManager.default.copyItem(at: original, to: sources)
        let output = folder.appending(path: "Object.swift")
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        process.arguments = [root.appending(path: "scripts/compile-dataplane"), sources, output].map(\.path)
        try process.run()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        let text = try String(contentsOf: output, encoding: .utf8)
        #expect(text.contains(Data(DataplaneProgram.octets).base64EncodedString()))
    }

    @Test(.enabled(if: KernelDataplane.isPossible, "only root may load programs"))
    func `the kernel has the maps in the sizes that Swift has for them`() throws {
        let dataplane = try KernelDataplane()
        for (map, found) in zip(DataplaneMap.allCases, try dataplane.layout()) {
            #expect(found.name == map.rawValue)
            #expect(found.key == map.keySize && found.value == map.valueSize, "\(map)")
        }
        let size = try dataplane.constantsSize
        #expect(size == DataplaneSwitches().octets.count)
    }

    @Test(.enabled(if: KernelDataplane.isPossible, "only root may load programs"))
    func `the object loads with the kernel's clock and with all switched off`() throws {
        let dataplane = try KernelDataplane { $0.virtualClock = false }
        let outcome = try dataplane.run(frame(try Packet().udp()))
        #expect(outcome.verdict == .pass)
        let flows = try dataplane.read { try $0.flows() }
        #expect(flows.count == 1 && flows[0].first.nanoseconds > 0)
    }
}

import Basics
import Foundation
import TestKit
import Testing
import Tunnel
import Wire

/// Somebody else's reading of our octets.
@Suite struct WiresharkTests {
    private static let program = "/usr/bin/tshark"
    private static let fields = [
        "frame.protocols", "udp.dstport", "geneve.version", "geneve.flags.oam", "geneve.flags.critical",
        "geneve.proto_type", "geneve.vni", "geneve.option.class", "geneve.option.type",
        "geneve.option.unknown.data", "ip.dst", "ipv6.dst", "_ws.malformed",
    ]

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: program), "needs tshark"))
    func `Wireshark decodes every form`() throws {
        let samples = SampleDatagrams.all
        let capture = FileManager.default.temporaryDirectory.appending(path: "tunnel-\(UUID().uuidString).pcap")
        defer { try? FileManager.default.removeItem(at: capture) }
        let datagrams = [samples.ipv4, samples.ipv6, samples.firstProbe, samples.answeringProbe]
        try Data(Self.capture(of: datagrams)).write(to: capture)
        let process = Process()
        process.executableURL = URL(filePath: Self.program)
        process.arguments =
            ["-n", "-r", capture.path, "-T", "fields", "-E", "separator=;"] + Self.fields.flatMap { ["-e", $0] }
        let output = Pipe()
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let octets = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        #expect(process.terminationStatus == 0)
        var text = ""
        let lines = String(decoding: octets, as: UTF8.self).split(separator: "\n")
        for (index, line) in lines.enumerated() {
            text += "# datagram \(index + 1)\n"
            for (field, value) in zip(Self.fields, line.split(separator: ";", omittingEmptySubsequences: false)) {
                text += "\(field): \(value)\n"
            }
        }
        try expectGolden(text, named: "wireshark.txt")
    }

    /// A capture file of Ethernet frames (draft-ietf-opsawg-pcap), one for each UDP payload, without UDP checksums.
    private static func capture(of payloads: [[UInt8]]) -> [UInt8] {
        var arena = ByteArena(capacity: 1024)
        arena.append(0xA1B2_C3D4 as UInt32)
        arena.append(0x0002_0004 as UInt32)
        arena.append(0 as UInt64)
        arena.append(65_535 as UInt32)
        arena.append(1 as UInt32)
        for payload in payloads {
            let datagramByteCount = UDPHeader.byteCount + payload.count
            let frameByteCount = EthernetHeader.byteCount + IPv4Header.minimumByteCount + datagramByteCount
            arena.append(0 as UInt64)
            arena.append(UInt32(frameByteCount))
            arena.append(UInt32(frameByteCount))
            EthernetHeader(
                destination: MACAddress(locallyAdministered: 2), source: MACAddress(locallyAdministered: 1),
                etherType: EtherType.ipv4
            ).append(to: &arena)
            IPv4Header(
                source: IPv4Address(192, 0, 2, 1), destination: IPv4Address(192, 0, 2, 2),
                protocolNumber: ProtocolNumber.udp, payloadByteCount: datagramByteCount
            ).append(to: &arena)
            UDPHeader(
                sourcePort: GeneveHeader.port, destinationPort: GeneveHeader.port, payloadByteCount: payload.count
            ).append(to: &arena)
            arena.append(payload.span.bytes)
        }
        return octets(arena.bytes(ByteRange(start: 0, count: arena.count)))
    }
}

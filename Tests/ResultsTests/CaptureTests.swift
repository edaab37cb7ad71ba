import Basics
import Foundation
import Results
import Scenario
import TestKit
import Testing
import Traffic

struct CaptureTests {
    private func written(_ frames: [(Instant, [UInt8])]) throws -> [UInt8] {
        try withTemporaryFolder { folder in
            let path = PcapWriter.Path("\(folder)/link.pcap")
            var writer = try PcapWriter(to: path)
            for (at, frame) in frames { writer.write(frame.span.bytes, at: at) }
            try writer.flush()
            return try bytes(of: path.path)
        }
    }

    private let frames: [(Instant, [UInt8])] = [
        (Instant(nanoseconds: 1_234_567), SampleFrames.udp(from: 1, to: 2, payload: Array("ping".utf8))),
        (Instant(nanoseconds: 2_000_000_003), SampleFrames.udp(from: 2, to: 1, payload: Array("pong!".utf8))),
    ]

    @Test func `captures are the same octets everywhere`() throws {
        let bytes = try written(frames)
        var text = ""
        for start in stride(from: 0, to: bytes.count, by: 16) {
            let line = bytes[start..<min(start + 16, bytes.count)].map { String(format: "%02x", $0) }
            text += line.joined(separator: " ") + "\n"
        }
        try expectGolden(text, named: "capture.hex")
    }

    @Test func `a capture that was written is read back`() throws {
        let packets = try PcapReader.conversation(in: CaptureFile(path: "link.pcap", bytes: try written(frames)))
        #expect(
            packets == [
                ReplayedPacket(offset: .zero, isForward: true, payloadByteCount: 4, payload: Array("ping".utf8)),
                ReplayedPacket(
                    offset: .nanoseconds(1_998_765_436), isForward: false, payloadByteCount: 5,
                    payload: Array("pong!".utf8)),
            ])
    }

    @Test(.enabled(if: program("capinfos") != nil, "capinfos is not installed"))
    func `Wireshark takes a capture for a nanosecond capture of Ethernet`() throws {
        let capinfos = try #require(program("capinfos"))
        try withTemporaryFolder { folder in
            let file = "\(folder)/link.pcap"
            try Data(try written(frames)).write(to: URL(filePath: file))
            let said = try output(of: capinfos, ["-tEcTM", file])
            #expect(said.contains("nsecpcap"))
            #expect(said.contains("ether"))
            #expect(said.contains("\t2"))
        }
    }

    @Test func `files of links have names that every system takes`() {
        let names = PcapWriter.fileNames(ofLinks: ["branch:wan-a--isp-a", "branch_wan-a--isp-a", "../x>y", ""])
        #expect(
            names == ["branch_wan-a--isp-a.pcap", "branch_wan-a--isp-a-2.pcap", "_._x_y.pcap", "_.pcap"])
    }

    @Test func `captures lie in a folder of their own`() throws {
        try withTemporaryFolder { parent in
            let folder = try ResultsFolder(at: "\(parent)/out")
            let (at, frame) = frames[0]
            for path in try folder.openCaptures(ofLinks: ["a:b--c", "d"]) {
                var writer = try PcapWriter(to: path)
                writer.write(frame.span.bytes, at: at)
                try writer.flush()
            }
            try folder.write(SampleRun.results(callCount: 1))
            try folder.commit()
            #expect(contents(of: "\(parent)/out/pcap") == ["a_b--c.pcap", "d.pcap"])
        }
    }
}

struct ReplayCaptureTests {
    private func conversation(_ bytes: [UInt8]) throws(ResultsError) -> [ReplayedPacket] {
        try PcapReader.conversation(in: CaptureFile(path: "phone.pcap", bytes: bytes))
    }

    @Test func `the client is who sent the first SYN`() throws {
        let capture = SampleFrames.pcap([
            (0, SampleFrames.tcp(from: 2, to: 1, flags: 0x10, payload: [1, 2, 3])),
            (5_000, SampleFrames.tcp(from: 1, to: 2, flags: 0x02, payload: [])),
            (9_000, SampleFrames.tcp(from: 2, to: 1, flags: 0x12, payload: [])),
        ])
        let packets = try conversation(capture)
        #expect(packets.map(\.isForward) == [false, true, false])
        #expect(packets.map(\.payload) == [[1, 2, 3], [], []])
        // As long on the wire as they were: the TCP header's 20 octets less UDP's 8 stay.
        #expect(packets.map(\.payloadByteCount) == [15, 12, 12])
        #expect(packets.map(\.offset) == [.zero, .microseconds(5), .microseconds(9)])
    }

    @Test func `the busiest two hosts are the conversation`() throws {
        let capture = SampleFrames.pcap([
            (0, SampleFrames.udp(from: 7, to: 8, payload: [9])),
            (1_000, SampleFrames.udp(from: 1, to: 2, payload: [1])),
            (2_000, SampleFrames.udp(from: 2, to: 1, payload: [2])),
            (3_000, SampleFrames.udp(from: 1, to: 2, payload: [3])),
        ])
        let packets = try conversation(capture)
        #expect(packets.map(\.payload) == [[1], [2], [3]])
        #expect(packets.map(\.isForward) == [true, false, true])
    }

    @Test(arguments: SampleFrames.Dressing.allCases)
    func `frames of every kind are looked into`(_ dressing: SampleFrames.Dressing) throws {
        let capture = SampleFrames.pcap(
            [(0, SampleFrames.dressed(dressing, SampleFrames.packet(from: 1, to: 2, payload: [1, 2])))],
            linkType: dressing.linkType)
        #expect(try conversation(capture).map(\.payload) == [[1, 2]])
    }

    @Test func `microseconds and pcapng are read too`() throws {
        let frame = SampleFrames.udp(from: 1, to: 2, payload: [1])
        let later = SampleFrames.udp(from: 2, to: 1, payload: [2])
        let micro = SampleFrames.pcap([(0, frame), (7_000, later)], isNanoseconds: false)
        #expect(try conversation(micro).map(\.offset) == [.zero, .microseconds(7)])
        let nextGeneration = SampleFrames.pcapng([(0, frame), (7_000, later)])
        #expect(try conversation(nextGeneration).map(\.offset) == [.zero, .microseconds(7)])
    }

    @Test func `IPv6 is looked into behind its extension headers`() throws {
        let capture = SampleFrames.pcap([(0, SampleFrames.udp6(payload: [4, 5, 6]))])
        let packets = try conversation(capture)
        #expect(packets.map(\.payload) == [[4, 5, 6]])
        #expect(packets.map(\.payloadByteCount) == [11])
    }

    @Test func `what cannot be replayed is refused with the file's name`() throws {
        func refusal(_ bytes: [UInt8]) -> String {
            do {
                _ = try conversation(bytes)
                return "accepted"
            } catch {
                return error.description
            }
        }
        #expect(refusal([]).hasPrefix("phone.pcap: this file is empty"))
        #expect(refusal([0x1F, 0x8B, 8, 0]).hasSuffix("unpack it with gunzip first"))
        #expect(refusal(Array("hello, I am no capture at all".utf8)).contains("no capture in pcap or pcapng format"))
        #expect(refusal(SampleFrames.pcap([])).contains("holds no IP packets"))
        #expect(refusal(SampleFrames.pcap([(0, [1, 2, 3])], linkType: 105)).contains("IEEE802_11"))
        let cut = SampleFrames.pcap([(0, SampleFrames.udp(from: 1, to: 2, payload: [1]))]).dropLast(4)
        #expect(refusal(Array(cut)).contains("packet 1 cannot be read"))
    }

    @Test func `traffic takes the conversation as its script`() throws {
        let capture = SampleFrames.pcap([
            (0, SampleFrames.udp(from: 1, to: 2, payload: [1, 2])),
            (4_000_000, SampleFrames.udp(from: 2, to: 1, payload: [3])),
        ])
        let script = try PcapReader.script(of: CaptureFile(path: "a.pcap", bytes: capture))
        #expect(script.packets.map(\.direction) == [.forward, .backward])
        #expect(script.packets.map(\.offset) == [.zero, .milliseconds(4)])
        #expect(script.packets.map(\.payloadByteCount) == [2, 1])
    }

    @Test func `no damaged capture brings the reader down`() throws {
        let frames = [
            SampleFrames.udp(from: 1, to: 2, payload: Array(0..<40)),
            SampleFrames.tcp(from: 2, to: 1, flags: 0x02, payload: [1, 2, 3]), SampleFrames.udp6(payload: [7, 8]),
        ].enumerated().map { (UInt64($0.offset) * 1_000, $0.element) }
        let whole = [
            SampleFrames.pcap(frames), SampleFrames.pcap(frames, isNanoseconds: false), SampleFrames.pcapng(frames),
        ]
        forEachSeed(3_000) { random in
            var bytes = whole[Int(random.below(3))]
            for _ in 0..<(1 + random.below(8)) {
                let place = Int(random.below(UInt64(bytes.count)))
                bytes[place] = UInt8(truncatingIfNeeded: random.next())
            }
            if random.below(4) == 0 { bytes.removeLast(Int(random.below(UInt64(bytes.count)))) }
            do {
                let script = try PcapReader.script(of: CaptureFile(path: "x", bytes: bytes))
                let offsets = script.packets.map(\.offset)
                try #require(offsets == offsets.sorted())
                try #require(offsets.allSatisfy { $0 >= .zero })
            } catch let error as ResultsError {
                try #require(!error.text.isEmpty)
            }
        }
    }
}

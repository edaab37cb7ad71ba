import Foundation
import Glibc
import TestKit
import Testing

/// A node of a lab with a collector on one of its links (BMP, RFC 7854).
@Suite(
    .serialized, .enabled(if: geteuid() == 0, "only root may make network namespaces"),
    .enabled(if: access("/usr/bin/python3", X_OK) == 0, "needs python3"))
struct LabMonitoringTests {
    /// Keeps all that the first who calls has to say.
    private static let collector = """
        import socket, sys
        listener = socket.create_server(("192.0.2.2", 11019))
        connection, _ = listener.accept()
        with open(sys.argv[1], "wb", buffering=0) as file:
            while octets := connection.recv(65536):
                file.write(octets)

        """

    private struct Message {
        let type: UInt8
        let body: [UInt8]
    }

    /// What the collector has kept, as far as it is whole: of each message the version, its length and its type come
    /// first (§4.1).
    private func messages(_ bench: LabBench) throws -> [Message] {
        var rest = try Array(Data(contentsOf: bench.workspace.url("heard")))[...]
        var messages: [Message] = []
        while rest.count >= 6 {
            let start = rest.startIndex
            try #require(rest[start] == 3)
            let length = rest[(start + 1)..<(start + 5)].reduce(0) { $0 << 8 | Int($1) }
            guard rest.count >= length else { break }
            messages.append(Message(type: rest[start + 5], body: Array(rest[(start + 6)..<(start + length)])))
            rest = rest.dropFirst(length)
        }
        return messages
    }

    @Test func `a collector hears who speaks, of sessions and routes, and of a session's end`() throws {
        let bench = try LabBench()
        try bench.workspace.write(Self.collector, to: "collector.py")
        try bench.workspace.write("", to: "heard")
        let files = ["collector.py", "heard"].map { bench.workspace.url($0).path }
        let command = "exec /usr/bin/python3 \(files.joined(separator: " "))"
        let topology = Fixture.topology
            .replacing(
                #""asn": 65001, "#,
                with: #""asn": 65001, "bgp": { "bmp": [{ "address": "192.0.2.2", "retry": "1s" }] }, "#
            )
            .replacing(
                #""isp-b": {"#, with: #""collector": { "kind": "linux", "exec": ["\#(command)"] }, "isp-b": {"#
            )
            .replacing(
                #""links": ["#,
                with: """
                    "links": [ { "endpoints": ["hq:mon0", "collector:eth0"],
                      "addresses": ["192.0.2.1/30", "192.0.2.2/30"] },
                    """)
        try bench.workspace.write(topology, to: "topology.json")
        let up = try bench.run("lab", "up", "topology.json")
        try #require(up.status == 0, "\(up.errors)")
        let (routes, down, begin, initiation): (UInt8, UInt8, UInt8, UInt8) = (0, 2, 3, 4)
        #expect(
            try eventually(within: 20, every: 0.2) {
                try messages(bench).contains { $0.type == routes && $0.body.contains([16, 10, 2]) }
            })
        let heard = try messages(bench)
        let first = try #require(heard.first)
        #expect(first.type == initiation && first.body.contains(Array("hq".utf8)))
        let places = [begin, routes].map { type in heard.firstIndex { $0.type == type } ?? 0 }
        #expect(places[0] > 0 && places[0] < places[1])
        #expect(try bench.run("lab", "session", "hq", "branch", "stop").status == 0)
        #expect(try eventually { try messages(bench).last?.type == down })
        #expect(try bench.run("lab", "session", "hq", "branch", "start").status == 0)
        #expect(
            try eventually(within: 20, every: 0.2) { try messages(bench).count { $0.type == begin } == 2 })
        #expect(try bench.run("lab", "down").status == 0)
    }
}

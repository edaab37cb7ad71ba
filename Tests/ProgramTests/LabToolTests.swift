import Foundation
import Glibc
import TestKit
import Testing

/// Programs that everybody knows, in labs: what they say is what the topology says.
@Suite(.serialized, .enabled(if: geteuid() == 0, "only root may make network namespaces"))
struct LabToolTests {
    /// One way from site to site, 15 ms long, at 20 Mbit/s.
    private static let topology = """
        {
          "name": "tools",
          "nodes": {
            "hq": { "kind": "patronus", "asn": 65001, "lan": ["10.1.0.0/16"], "role": "hub" },
            "branch": { "kind": "patronus", "asn": 65002, "lan": ["10.2.0.0/16"] },
            "isp": { "kind": "router" },
            "server": { "kind": "host", "at": "hq" },
            "laptop": { "kind": "host", "at": "branch" }
          },
          "links": [
            { "endpoints": ["branch:wan", "isp:branch"], "rate": "20Mbit", "delay": "10ms" },
            { "endpoints": ["hq:wan", "isp:hq"], "rate": "100Mbit", "delay": "5ms" }
          ],
          "overlay": { "tunnels": "full-mesh", "encryption": "none", "probeInterval": "100ms" }
        }
        """
    private static let link = "branch:wan--isp:branch"
    private static let tunnel = "branch:wan>hq:wan"

    private struct Tool {
        static let ping = path("ping"), iperf = path("iperf3"), tcpdump = path("tcpdump"), tshark = path("tshark")

        static func isThere(_ path: String) -> Bool { access(path, X_OK) == 0 }

        private static func path(_ name: String) -> String {
            ["/usr/bin", "/bin", "/usr/sbin", "/sbin"].map { "\($0)/\(name)" }.first(where: isThere) ?? name
        }
    }

    private func lab() throws -> LabBench {
        let bench = try LabBench()
        try bench.workspace.write(Self.topology, to: "topology.json")
        let up = try bench.run("lab", "up", "topology.json")
        try #require(up.status == 0, "\(up.errors)")
        let isUp = try eventually(within: 20) {
            // What BGP has learnt is in the kernels of both nodes, as /proc writes it.
            try bench.run("lab", "exec", "branch", "--", "/bin/cat", "/proc/net/route").output.contains("0000010A")
                && bench.run("lab", "exec", "hq", "--", "/bin/cat", "/proc/net/route").output.contains("0000020A")
        }
        try #require(isUp)
        return bench
    }

    /// Puts what a command of the program says into a file, octet for octet.
    private func start(_ arguments: [String], into file: String, _ bench: LabBench) throws -> RunningProgram {
        let wrapper = ["/bin/sh", "-c", "file=\"$1\"; shift; exec \"$@\" > \"$file\"", "sh", file]
        return try bench.start(arguments, through: wrapper)
    }

    @Test(.enabled(if: Tool.isThere(Tool.ping), "needs ping (iputils-ping)"))
    func `a ping through a tunnel takes as long as the links are long, there and back`() throws {
        let bench = try lab()
        func roundTrips() throws -> [Double] {
            let ping = try bench.run(
                "lab", "exec", "laptop", "--", Tool.ping, "-n", "-c", "20", "-i", "0.05", "10.1.0.10")
            return ping.output.matches(of: #/time=([\d.]+) ms/#).compactMap { Double($0.output.1) }.sorted()
        }
        let before = try roundTrips()
        // Nothing is lost and nothing is early; half may be late by what a busy machine takes.
        #expect(before.count == 20)
        #expect(before[0] >= 30 && before[0] < 34 && before[10] < 45, "\(before)")
        #expect(try bench.run("lab", "link", Self.link, "set", "delay=40ms", "--direction", "forward").status == 0)
        let after = try roundTrips()
        #expect(after.count == 20)
        #expect(after[0] >= 60 && after[0] < 64 && after[10] < 75, "\(after)")
    }

    @Test(.enabled(if: Tool.isThere(Tool.iperf), "needs iperf3"))
    func `a transfer of kernel TCP through the overlay goes about as fast as its thinnest link`() throws {
        let bench = try lab()
        let server = try bench.start("lab", "exec", "server", "--", Tool.iperf, "-s", "-1")
        let listens = try eventually {
            // Port 5201, listening.
            let sockets = try bench.run("lab", "exec", "server", "--", "/bin/cat", "/proc/net/tcp", "/proc/net/tcp6")
            return sockets.output.contains(#/:1451 0+:0000 0A/#)
        }
        try #require(listens)
        let client = try bench.run(
            "lab", "exec", "laptop", "--", Tool.iperf, "-c", "10.1.0.10", "-n", "6M", "-C", "cubic", "-J")
        #expect(client.status == 0, "\(client.errors)\(client.output)")
        let end = try #require(try parsed(client.output)["end"] as? [String: Any])
        func figure(_ part: String, _ name: String) -> Double {
            (end[part] as? [String: Any])?[name] as? Double ?? 0
        }
        let (sent, received) = (figure("sum_sent", "bytes"), figure("sum_received", "bytes"))
        // What still lies in a queue when the client has had enough is sent and not received.
        #expect(sent >= 6 * 1_048_576 && received > 0.7 * sent && received <= sent)
        let rate = figure("sum_received", "bits_per_second")
        // Headers take a twelfth of the link; slow start and a busy machine take more.
        #expect(rate < 19_000_000 && rate > 11_000_000, "\(rate)")
        #expect(try server.outcome().status == 0)
    }

    @Test(.enabled(if: Tool.isThere(Tool.tcpdump) && Tool.isThere(Tool.ping), "needs tcpdump and ping"))
    func `tcpdump sees a host's packets inside, and tunnels outside`() throws {
        let bench = try lab()
        let outside = try bench.start(
            "lab", "exec", "isp", "--", Tool.tcpdump, "-n", "-l", "-c", "4", "-i", "branch",
            "udp port 6081 and greater 130")
        let inside = try bench.start(
            "lab", "exec", "server", "--", Tool.tcpdump, "-n", "-l", "-c", "4", "-i", "any", "icmp")
        let ping = try bench.start(
            "lab", "exec", "laptop", "--", Tool.ping, "-n", "-c", "200", "-i", "0.1", "-s", "100", "10.1.0.10")
        let (tunnelled, plain) = (try outside.outcome(), try inside.outcome())
        ping.end()
        #expect(tunnelled.status == 0 && plain.status == 0, "\(tunnelled.errors)\(plain.errors)")
        let packets = plain.output.split(separator: "\n")
        #expect(packets.count == 4)
        #expect(packets.allSatisfy { $0.contains("ICMP echo") && $0.contains("length 108") })
        #expect(packets.contains { $0.contains("10.2.0.10 > 10.1.0.10: ICMP echo request") }, "\(packets)")
        #expect(packets.contains { $0.contains("10.1.0.10 > 10.2.0.10: ICMP echo reply") }, "\(packets)")
        let outer = tunnelled.output.matches(of: #/IP (\d+\.\d+\.\d+\.\d+)\.\d+ > (\d+\.\d+\.\d+\.\d+)\.6081: /#)
        let addresses = Set(outer.flatMap { [$0.output.1, $0.output.2] })
        #expect(outer.count == 4 && addresses.count == 2, "\(tunnelled.output)")
        #expect(addresses.isDisjoint(with: ["10.1.0.10", "10.2.0.10"]), "\(tunnelled.output)")
    }

    /// What tshark makes of a capture: the fields of each packet that a filter lets through.
    private func dissect(_ file: String, _ filter: String, _ fields: [String], _ bench: LabBench) throws -> [[String]] {
        let arguments =
            ["-n", "-r", bench.workspace.url(file).path, "-Y", filter, "-T", "fields"] + fields.flatMap { ["-e", $0] }
        let outcome = try bench.tool(Tool.tshark, arguments)
        try #require(outcome.status == 0, "\(outcome.errors)")
        return outcome.output.split(separator: "\n").map {
            $0.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
        }
    }

    @Test(.enabled(if: Tool.isThere(Tool.tshark) && Tool.isThere(Tool.ping), "needs tshark and ping"))
    func `tshark reads what is captured of a lab's link, and finds the hosts' packets in the tunnel`() throws {
        let bench = try lab()
        let ping = try bench.start(
            "lab", "exec", "laptop", "--", Tool.ping, "-n", "-c", "200", "-i", "0.1", "-s", "100", "10.1.0.10")
        let capture = try start(["lab", "capture", Self.link, "--count", "60"], into: "lab.pcap", bench)
        let outcome = try capture.outcome()
        ping.end()
        try #require(outcome.status == 0, "\(outcome.errors)")
        let all = try dissect("lab.pcap", "frame", ["frame.number", "_ws.malformed"], bench)
        #expect(all.count == 60 && all.allSatisfy { $0[1].isEmpty })
        let echoes = try dissect(
            "lab.pcap", "geneve && icmp", ["geneve.vni", "ip.src", "ip.dst", "icmp.type", "data.len"], bench)
        try #require(echoes.count >= 4)
        for echo in echoes {
            // Outer address, then inner one.
            let (source, destination) = (echo[1].split(separator: ","), echo[2].split(separator: ","))
            try #require(source.count == 2 && destination.count == 2)
            // The first tunnel of the topology, which is the only one.
            #expect(echo[0] == "0x000000", "\(echo)")
            let isRequest = echo[3] == "8"
            #expect(source[1] == (isRequest ? "10.2.0.10" : "10.1.0.10"), "\(echo)")
            #expect(destination[1] == (isRequest ? "10.1.0.10" : "10.2.0.10"), "\(echo)")
            #expect(source[0] != source[1] && echo[4] == "92", "\(echo)")
        }
        #expect(Set(echoes.map { $0[3] }) == ["0", "8"])
        // What is in tunnels is whole: the inner header's sum too.
        let bad = try dissect(
            "lab.pcap", "ip.checksum.status == 0 || icmp.checksum.status == 0", ["frame.number"], bench)
        #expect(bad.isEmpty)
    }

    @Test(.enabled(if: Tool.isThere(Tool.tshark), "needs tshark"), arguments: ["sim", "netns"])
    func `tshark reads the captures of a run`(_ backend: String) throws {
        let bench = try LabBench()
        try bench.workspace.write(Fixture.scenario(events: "[]"), to: "scenario.json")
        let run = try bench.run(
            "run", "scenario.json", "--backend", backend, "--pcap", "all", "--out", "out", "--quiet")
        // A machine that is too busy makes a run invalid, not wrong.
        try #require([0, 3].contains(run.status), "\(run.errors)")
        // Two tunnels there are: by the first provider the first one, by the second the second.
        for (place, name) in ["branch_wan-a", "branch_wan-b"].enumerated() {
            let file = try #require(bench.workspace.names(in: "out/pcap").first { $0.hasPrefix(name) })
            let tunnelled = try dissect("out/pcap/\(file)", "geneve", ["geneve.vni"], bench)
            #expect(tunnelled.count > 20 && Set(tunnelled) == [["0x00000\(place)"]], "\(Set(tunnelled))")
            let malformed = try dissect("out/pcap/\(file)", "_ws.malformed", ["frame.number"], bench)
            #expect(malformed.isEmpty)
        }
        let file = try #require(bench.workspace.names(in: "out/pcap").first { $0.hasPrefix("branch_wan-a") })
        let calls = try dissect(
            "out/pcap/\(file)", "geneve && udp.length > 170 && ip.src == 10.2.0.10", ["ip.dst", "udp.length"], bench)
        // A packet every 20 ms from the first second to the third, of two calls.
        #expect(calls.count > 150 && calls.count <= 202, "\(calls.count)")
        #expect(calls.allSatisfy { $0[0].hasSuffix(",10.1.0.10") }, "\(calls.prefix(2))")
    }
}

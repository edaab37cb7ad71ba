import Basics
import Scenario
import Wire

/// Topologies and loads that the benchmarks share with the peer programs in `ns3/`.
enum Worlds {
    static func settings(
        rate: BitRate, delay: Interval, loss: Double = 0, queue: QueueSetting? = nil
    ) -> LinkSettings {
        var settings = LinkSettings()
        settings.rate = rate
        settings.delay = delay
        if loss > 0 { settings.loss = .independent(Ratio(loss)) }
        settings.queue = queue
        return settings
    }

    private static func constantRate(_ name: String, _ rate: BitRate, from: Int, to: Int) -> TrafficEntry {
        TrafficEntry(
            name: name, application: .constantRate(rate: rate, packetSize: ByteCount(1_428)), from: from, to: to)
    }

    /// `count` nodes in a row, a host at each end: 1400-byte datagrams at 200 Mbit/s over 10 Gbit/s, 1 ms links.
    static func chain(of count: Int, seconds: Int64) -> Scenario {
        let nodes = (0..<count).map { index in
            TopologyNode(name: "n\(index)", kind: index == 0 || index == count - 1 ? .host : .router)
        }
        let link = settings(rate: .gigabits(10), delay: .milliseconds(1))
        let links = (1..<count).map { LinkDeclaration(EndDeclaration($0 - 1), EndDeclaration($0), forward: link) }
        return Scenario(
            name: "chain", topology: Topology(name: "chain", nodes: nodes, links: links), duration: .seconds(seconds),
            traffic: [constantRate("load", .megabits(200), from: 0, to: count - 1)])
    }

    /// A hub with so many ports: every host sends to the next one, 4 Gbit/s in all.
    static func star(of count: Int, seconds: Int64) -> Scenario {
        var nodes = [TopologyNode(name: "hub", kind: .router)]
        nodes += (0..<count).map { TopologyNode(name: "h\($0)", kind: .host) }
        let link = settings(rate: .gigabits(10), delay: .milliseconds(1))
        let links = (1...count).map { LinkDeclaration(EndDeclaration($0), EndDeclaration(0), forward: link) }
        let traffic = (1...count).map { index in
            constantRate("load\(index)", .megabits(4_000 / UInt64(count)), from: index, to: index % count + 1)
        }
        return Scenario(
            name: "star", topology: Topology(name: "star", nodes: nodes, links: links), duration: .seconds(seconds),
            traffic: traffic)
    }

    /// Two sites over one provider: every packet passes two full nodes.
    static func overlay(seconds: Int64) -> Scenario {
        let nodes = [
            TopologyNode(name: "isp", kind: .router),
            site("a", prefix: IPv4Prefix(IPv4Address(10, 1, 0, 0), length: 16), number: 1),
            site("b", prefix: IPv4Prefix(IPv4Address(10, 2, 0, 0), length: 16), number: 2),
            TopologyNode(name: "left", kind: .host, attachment: 1),
            TopologyNode(name: "right", kind: .host, attachment: 2),
        ]
        let link = settings(rate: .gigabits(10), delay: .milliseconds(1))
        let links = [
            LinkDeclaration(EndDeclaration(1, port: "wan-a"), EndDeclaration(0), forward: link),
            LinkDeclaration(EndDeclaration(2, port: "wan-a"), EndDeclaration(0), forward: link),
        ]
        var load = constantRate("load", .megabits(200), from: 3, to: 4)
        load.start = .seconds(10)
        return Scenario(
            name: "overlay", topology: Topology(name: "overlay", nodes: nodes, links: links),
            duration: .seconds(10 + seconds), traffic: [load])
    }

    /// One CUBIC flow over three hops: 100 Mbit/s, 30 ms round trip, a loss of 1e-5.
    static func transfer(seconds: Int64) -> Scenario {
        let nodes = [
            TopologyNode(name: "client", kind: .host), TopologyNode(name: "r1", kind: .router),
            TopologyNode(name: "r2", kind: .router), TopologyNode(name: "server", kind: .host),
        ]
        let link = settings(rate: .megabits(100), delay: .milliseconds(5), loss: 1e-5 / 3)
        let links = (1..<4).map { LinkDeclaration(EndDeclaration($0 - 1), EndDeclaration($0), forward: link) }
        return Scenario(
            name: "transfer", topology: Topology(name: "transfer", nodes: nodes, links: links),
            duration: .seconds(seconds),
            traffic: [TrafficEntry(name: "bulk", application: .fileTransfer(bytes: nil), from: 0, to: 3)])
    }

    /// So many sites in a full mesh over one provider, ten probes a second, and so many calls at each site.
    static func mesh(sites: Int, callsPerSite: Int, seconds: Int64, usesDataplane: Bool = true) -> Scenario {
        var nodes = [TopologyNode(name: "isp", kind: .router)]
        for index in 1...sites {
            nodes.append(
                site(
                    "site\(index)", prefix: IPv4Prefix(IPv4Address(10, UInt8(index), 0, 0), length: 16),
                    number: UInt32(index)))
        }
        for index in 1...sites { nodes.append(TopologyNode(name: "host\(index)", kind: .host, attachment: index)) }
        let link = settings(rate: .gigabits(1), delay: .milliseconds(10))
        let links = (1...sites).map {
            LinkDeclaration(EndDeclaration($0, port: "wan-a"), EndDeclaration(0), forward: link)
        }
        // Each call has two ends, so half of a site's calls start there.
        var traffic: [TrafficEntry] = []
        for index in 0..<sites {
            for step in 1...max(1, callsPerSite / 2) {
                let far = (index + step * 7) % sites
                traffic.append(
                    TrafficEntry(
                        name: "calls\(index)-\(step)", application: .voip, from: 1 + sites + index,
                        to: 1 + sites + far, start: .seconds(8)))
            }
        }
        var topology = Topology(name: "mesh", nodes: nodes, links: links)
        topology.overlay.usesDataplane = usesDataplane
        var scenario = Scenario(
            name: "mesh", topology: topology, duration: .seconds(seconds), traffic: traffic)
        scenario.record.interval = .seconds(1)
        return scenario
    }

    private static func site(_ name: String, prefix: IPv4Prefix, number: UInt32) -> TopologyNode {
        TopologyNode(name: name, kind: .patronus, autonomousSystem: 65_000 + number, lan: [.v4(prefix)])
    }
}

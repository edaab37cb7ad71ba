import Basics
import Scenario
import Simulator
import Telemetry
import Traffic
import Wire

extension Worlds {
    /// The places of ``dualProvider(duration:traffic:events:seed:failbackDelay:spare:)`` by name.
    enum Dual {
        static let hq = 0
        static let branch = 1
        static let right = 4
        static let left = 5
        /// The links of the branch and of the head office to provider A, and of the two hosts to their sites.
        static let branchToA = 0
        static let hqToA = 2
        static let rightLAN = 4
        static let leftLAN = 5
        /// The tunnel over provider A.
        static let tunnelA = TunnelID(0)
    }

    /// Two sites with one row of links between them; `left` is a host at the second site, `right` at the first.
    ///
    /// Without routers in between, the sites' ports face each other.
    static func sites(
        between middles: [LinkSettings], duration: Interval, traffic: [TrafficEntry] = [],
        events: [ScriptedEvent] = [],
        lan: (UInt8) -> IPPrefix = { .v4(IPv4Prefix(IPv4Address(10, $0, 0, 0), length: 16)) },
        bgp: BGPDeclaration? = nil
    ) -> Scenario {
        var nodes = [("hq", 1), ("branch", 2)].map { name, number in
            TopologyNode(
                name: name, kind: .patronus, autonomousSystem: 65_000 + UInt32(number), lan: [lan(UInt8(number))])
        }
        nodes[0].bgp = bgp
        nodes.append(TopologyNode(name: "right", kind: .host, attachment: 0))
        nodes.append(TopologyNode(name: "left", kind: .host, attachment: 1))
        var links: [LinkDeclaration] = []
        for (index, settings) in middles.enumerated() {
            let isLast = index == middles.count - 1
            if !isLast { nodes.append(TopologyNode(name: "r\(index)", kind: .router)) }
            let near = index == 0 ? EndDeclaration(1, port: "wan-a") : EndDeclaration(3 + index)
            let far = isLast ? EndDeclaration(0, port: "wan-a") : EndDeclaration(4 + index)
            links.append(LinkDeclaration(near, far, forward: settings))
        }
        return Scenario(
            name: "sites", topology: Topology(name: "sites", nodes: nodes, links: links), seed: 1,
            duration: duration, traffic: traffic, events: events)
    }

    static func event(_ at: Interval, _ kind: ScriptedEvent.Kind) -> ScriptedEvent {
        ScriptedEvent(at: at, label: "event", kind: kind)
    }

    static func transfer(_ bytes: UInt64, from: Int, to: Int, start: Interval) -> TrafficEntry {
        TrafficEntry(
            name: "file", application: .fileTransfer(bytes: ByteCount(bytes)), from: from, to: to, start: start)
    }
}

extension RunRecord {
    /// How many packets were dropped for a cause, anywhere.
    func dropped(_ cause: DropCause) -> UInt64 {
        conservation.reduce(0) { $0 + ($1.dropped.isEmpty ? 0 : $1.dropped[Int(cause.rawValue)]) }
    }

    var isBalanced: Bool { conservation.allSatisfy(\.isBalanced) && links.allSatisfy(\.isBalanced) }

    /// What a node said of a tunnel's state, in order.
    func verdicts(of node: Int, on tunnel: TunnelID) -> [(at: Instant, state: TunnelState, cause: ChangeCause)] {
        telemetry.compactMap { entry in
            guard entry.node == node, case .tunnelState(tunnel, let state, let cause) = entry.record else { return nil }
            return (entry.at, state, cause)
        }
    }

    /// The last state of a node's BGP session with its first peer.
    func lastSessionState(of node: Int) -> BGPSessionState? {
        telemetry.last {
            guard $0.node == node, case .sessionState(peer: 0, _) = $0.record else { return false }
            return true
        }.flatMap {
            if case .sessionState(_, let state) = $0.record { state } else { nil }
        }
    }

    /// Whether a flow still arrived in the run's last 200 ms.
    func arrivesToTheEnd(_ flow: UInt32, _ direction: FlowDirection) -> Bool {
        guard let last = report(flow, direction)?.received?.lastArrival else { return false }
        return end - last < .milliseconds(200)
    }
}

import Basics
public import Endpoints
public import Scenario
import Steering
public import Traffic
import Wire

/// Which host plays which part in which flow, with addresses and ports.
///
/// Flows are numbered from 1 in the order of the scenario's traffic. Datagram flows get
/// a port of their own at both ends; streams meet at the server's well-known port.
public struct FlowPlan: Sendable {
    public private(set) var descriptions: [FlowDescription] = []
    /// For each node of the topology, what it has to do.
    private var assignments: [[FlowAssignment]]
    private var nextOffset: [UInt16]
    /// For each node, how many of its flows took one of its further addresses.
    private var turns: [Int]

    public init(_ scenario: Scenario, replays: [ReplayScript?]) {
        assignments = Array(repeating: [], count: scenario.topology.nodes.count)
        nextOffset = Array(repeating: 0, count: scenario.topology.nodes.count)
        turns = Array(repeating: 0, count: scenario.topology.nodes.count)
        for (index, entry) in scenario.traffic.enumerated() {
            let replay = index < replays.count ? replays[index] : nil
            guard let profile = Self.profile(of: entry.application, replay) else { continue }
            for place in 0..<entry.flows {
                add(entry, index, profile, startingAt: entry.start(ofFlow: place), scenario)
            }
        }
    }

    /// What a host has to do.
    public func configuration(of host: Int, in scenario: Scenario) -> EndHostConfiguration {
        EndHostConfiguration(
            name: scenario.topology.nodes[host].name, flows: assignments[host],
            recordInterval: scenario.record.interval)
    }

    private mutating func add(
        _ entry: TrafficEntry, _ index: Int, _ profile: ApplicationProfile, startingAt offset: Interval,
        _ scenario: Scenario
    ) {
        guard let (own, to) = Self.addresses(entry.from, entry.to, scenario.topology) else { return }
        let from = takeAddress(of: entry.from, likeThat: own, scenario.topology)
        let number = UInt32(descriptions.count + 1)
        let (source, sink) = endpoints(of: profile, entry, from, to)
        let start = Instant.zero + offset
        let stop = Instant.zero + min(entry.stop ?? scenario.duration, scenario.duration)
        assignments[entry.from].append(
            FlowAssignment(
                flow: number, role: .source, application: profile, local: source, remote: sink, start: start,
                stop: stop))
        assignments[entry.to].append(
            FlowAssignment(
                flow: number, role: .sink, application: profile, local: sink, remote: source, start: start,
                stop: stop))
        var description = FlowDescription(number: number, entry: index)
        if !profile.usesStreams {
            let forward = FiveTuple(protocolNumber: ProtocolNumber.udp, from: source, to: sink)
            description.forwardKey = forward.key
            description.reverseKey = forward.reversed.key
        }
        descriptions.append(description)
    }

    private mutating func endpoints(
        of profile: ApplicationProfile, _ entry: TrafficEntry, _ from: IPAddress, _ to: IPAddress
    ) -> (source: SocketAddress, sink: SocketAddress) {
        switch profile {
        case .web:
            return (SocketAddress(from, port: 0), SocketAddress(to, port: Self.webPort))
        case .fileTransfer:
            return (SocketAddress(from, port: 0), SocketAddress(to, port: Self.filePort))
        case .voip:
            // Even ports of the range that telephones take for RTP.
            return (
                SocketAddress(from, port: 16_384 + takeOffset(entry.from) % 8_192 * 2),
                SocketAddress(to, port: 16_384 + takeOffset(entry.to) % 8_192 * 2)
            )
        case .constantRate, .replay:
            return (
                SocketAddress(from, port: 40_000 + takeOffset(entry.from) % 8_192),
                SocketAddress(to, port: 40_000 + takeOffset(entry.to) % 8_192)
            )
        }
    }

    private static let webPort: UInt16 = 443
    private static let filePort: UInt16 = 20

    /// Where a host listens for streams, as the scenario's traffic has it; that of the web where it has none.
    public static func servicePort(of host: Int, in scenario: Scenario) -> UInt16 {
        for entry in scenario.traffic where entry.to == host {
            switch entry.application {
            case .web: return webPort
            case .fileTransfer: return filePort
            default: continue
            }
        }
        return webPort
    }

    /// The next of a host's further addresses; its own where it has none.
    private mutating func takeAddress(of host: Int, likeThat own: IPAddress, _ topology: Topology) -> IPAddress {
        let prefixes = topology.nodes[host].prefixes.filter { $0.isIPv4 == own.isIPv4 }
        guard !prefixes.isEmpty else { return own }
        let turn = turns[host]
        turns[host] += 1
        let prefix = prefixes[turn % prefixes.count]
        let bits = min((prefix.isIPv4 ? 32 : 128) - prefix.length, 24)
        // Neither the prefix's own address nor the last, which would be that of a broadcast.
        let count = max(1, (1 << bits) - 2)
        let place = bits > 1 ? 1 + turn / prefixes.count % count : 0
        switch prefix {
        case .v4(let prefix): return .v4(prefix.address + UInt32(place))
        case .v6(let prefix): return .v6(prefix.address + UInt64(place))
        }
    }

    private mutating func takeOffset(_ node: Int) -> UInt16 {
        nextOffset[node] &+= 1
        return nextOffset[node] &- 1
    }

    /// The addresses of two hosts in a family that both have, IPv4 first.
    private static func addresses(_ from: Int, _ to: Int, _ topology: Topology) -> (IPAddress, IPAddress)? {
        guard let first = topology.ports(of: from).first, let second = topology.ports(of: to).first else { return nil }
        let (source, sink) = (topology.end(first), topology.end(second))
        if let from = source.ipv4, let to = sink.ipv4 { return (.v4(from), .v4(to)) }
        if let from = source.ipv6, let to = sink.ipv6 { return (.v6(from), .v6(to)) }
        return nil
    }

    private static func profile(of application: TrafficApplication, _ replay: ReplayScript?) -> ApplicationProfile? {
        switch application {
        case .constantRate(let rate, let size):
            .constantRate(ConstantRate(rate: rate, packetByteCount: Int(clamping: size.bytes)))
        case .voip: .voip(VoIP())
        case .web: .web(Web())
        case .fileTransfer(let bytes): .fileTransfer(FileTransfer(byteCount: bytes?.bytes))
        case .replay: replay.map { .replay($0) }
        case .other: nil
        }
    }
}

import BFD
import BGP
import Basics
import Scenario
import Wire

/// A node's `bgp` key: neighbours outside the overlay, and the policies towards them.
extension TopologyDecoder {
    mutating func bgp(_ cursor: Cursor, of node: Int) -> BGPDeclaration? {
        guard let object = cursor.object(keys: KnownKeys.bgp) else { return nil }
        var result = BGPDeclaration()
        result.networks = object["networks"].map { networks($0) } ?? []
        var names = BGPNames()
        names.prefixLists = object["prefixLists"].map { prefixLists($0) } ?? []
        names.communityLists = object["communityLists"].map { communityLists($0) } ?? []
        if let maps = object["routeMaps"] { readRouteMaps(maps, &names) }
        result.origins = object["origins"].map { OriginTable(origins($0)) }
        result.maximumPaths = object["maximumPaths"]?.integer(in: 1...64) ?? 1
        result.spreadsOverNeighbors = object["multipathRelax"]?.bool() ?? false
        if let relaxed = object["multipathRelax"], result.spreadsOverNeighbors, object["maximumPaths"] == nil {
            relaxed.warn("this does nothing while one path is used; write \"maximumPaths\": 2")
        }
        for element in object["neighbors"]?.elements(expected: "a list of neighbours, [{ … }]") ?? [] {
            guard let neighbor = neighbor(element, names) else { continue }
            result.neighbors.append(neighbor)
            neighborPlaces.append((node, neighbor, element))
        }
        return result
    }

    private func networks(_ cursor: Cursor) -> [IPPrefix] {
        (cursor.elements(expected: "a list of prefixes, [\"10.2.0.0/16\"]") ?? []).compactMap { element in
            element.prefix().flatMap { element.mayAnnounce($0) ? $0 : nil }
        }
    }

    private func neighbor(_ cursor: Cursor, _ names: BGPNames) -> BGPNeighborDeclaration? {
        guard let object = cursor.object(keys: KnownKeys.bgpNeighbor), let place = place(object) else { return nil }
        // The addresses are the topology's, and an AS number of 0 is the neighbour's own.
        let unknown = IPAddress.v4(IPv4Address(bits: 0))
        var settings = PeerConfiguration(address: unknown, autonomousSystem: 0, localAddress: unknown)
        if let number = object["asn"].flatMap({ autonomousSystem($0) }) { settings.autonomousSystem = number }
        settings.families = object["families"].map { families($0) } ?? [.ipv4Unicast, .ipv6Unicast]
        // The overlay's next hops mean nothing outside it.
        settings.nextHopSelf = object["nextHopSelf"]?.bool() ?? true
        settings.isPassive = object["passive"]?.bool() ?? false
        settings.advertisementInterval = object["advertisementInterval"]?.duration() ?? .zero
        settings.damping = object["damping"].flatMap { damping($0) }
        let maps = names.routeMaps.map { (name: $0.name, value: $0.policy) }
        settings.importPolicy = object["routeMapIn"].flatMap { $0.named("route map", among: maps) }
        settings.exportPolicy = object["routeMapOut"].flatMap { $0.named("route map", among: maps) }
        for (key, does) in [("routeMapIn", "takes nothing from"), ("routeMapOut", "tells nothing to")]
        where object[key] == nil {
            cursor.warn("without \"\(key)\" the node \(does) a neighbour of another AS (RFC 8212); write \"all\"")
        }
        settings.session = session(object)
        let liveness = object["bfd"].flatMap { timing($0) }
        settings.session.followsBFD = liveness != nil
        var result = BGPNeighborDeclaration(place, settings: settings)
        result.liveness = liveness
        result.description = object["description"]?.name(forbidden: "")
        return result
    }

    /// `true`, or an object with the session's timing.
    private func timing(_ cursor: Cursor) -> LivenessTiming? {
        if case .bool(let isWanted) = cursor.node.value { return isWanted ? LivenessTiming() : nil }
        guard let object = cursor.object(keys: KnownKeys.bfd) else { return nil }
        var timing = LivenessTiming()
        timing.interval = object["interval"]?.duration(in: .milliseconds(10)...Interval.seconds(60)) ?? timing.interval
        timing.detectMultiplier =
            object["detectMultiplier"]?.integer(in: 1...255).map { UInt8($0) } ?? timing.detectMultiplier
        return timing
    }

    /// `true` for what RFC 7196 recommends, or an object with what differs from that.
    private func damping(_ cursor: Cursor) -> FlapDamping? {
        if case .bool(let isWanted) = cursor.node.value { return isWanted ? FlapDamping() : nil }
        guard let object = cursor.object(keys: KnownKeys.damping) else { return nil }
        var damping = FlapDamping()
        let times = Interval.seconds(1)...Interval.seconds(86_400)
        damping.halfLife = object["halfLife"]?.duration(in: times) ?? damping.halfLife
        damping.maximumSuppression = object["maximumSuppression"]?.duration(in: times) ?? damping.maximumSuppression
        let penalties = 1...damping.maximumPenalty
        damping.suppressThreshold = object["suppress"]?.integer(in: penalties) ?? damping.suppressThreshold
        damping.reuseThreshold = object["reuse"]?.integer(in: penalties) ?? damping.reuseThreshold
        guard damping.reuseThreshold < damping.suppressThreshold else {
            cursor.fault(
                "routes would be used again at \(damping.reuseThreshold), where they are suppressed from "
                    + "\(damping.suppressThreshold) on; write a \"reuse\" that is smaller than \"suppress\"")
            return nil
        }
        return damping
    }

    private func place(_ object: ObjectCursor) -> BGPNeighborDeclaration.Place? {
        switch (object["address"], object["node"]) {
        case (let address?, nil): return address.address().map { .address($0) }
        case (nil, let node?): return nodeIndex(node).map { .node($0) }
        case (nil, nil):
            object.cursor.fault("the neighbour is nowhere; write \"address\": \"192.0.2.1\" or \"node\": \"frr\"")
        case (_, let node?): node.fault("the neighbour has an address already; leave one of them out")
        }
        return nil
    }

    private func families(_ cursor: Cursor) -> AddressFamilies {
        var result: AddressFamilies = []
        for element in cursor.elements(expected: "a list of families, [\"ipv4\", \"ipv6\"]") ?? [] {
            switch element.word(FamilyName.self, what: "family") {
            case .ipv4: result.insert(.ipv4Unicast)
            case .ipv6: result.insert(.ipv6Unicast)
            case nil: break
            }
        }
        return result
    }

    private func session(_ object: ObjectCursor) -> SessionConfiguration {
        var session = SessionConfiguration()
        session.holdTime = .seconds(90)
        session.connectRetry = .seconds(5)
        session.idleHold = .seconds(1)
        session.capabilities.enhancedRouteRefresh = true
        session.capabilities.extendedMessages = true
        if let timers = object["timers"]?.object(keys: KnownKeys.bgpTimers) {
            session.holdTime = timers["holdtime"].flatMap { holdTime($0) } ?? session.holdTime
            session.connectRetry =
                timers["connectRetry"]?.duration(in: .seconds(1)...Interval.seconds(65_535)) ?? session.connectRetry
        }
        session.transport.md5Key = object["password"].flatMap { password($0) }
        session.transport.securedHops = object["ttlSecurity"]?.integer(in: 1...254).map { UInt8($0) }
        if let time = object["gracefulRestart"]?.duration(in: .seconds(1)...Interval.seconds(4_095)) {
            var restart = GracefulRestartConfiguration()
            restart.restartTime = .seconds(time.nanoseconds / 1_000_000_000)
            session.gracefulRestart = restart
        }
        switch object["addPath"]?.word(NumberedPaths.self, what: "direction of paths") {
        case .both: (session.capabilities.numberedFamiliesHeard, session.capabilities.numberedFamiliesTold) = (all, all)
        case .receive: session.capabilities.numberedFamiliesHeard = all
        case .send: session.capabilities.numberedFamiliesTold = all
        case nil: break
        }
        if let maximum = object["maximumPrefixes"]?.integer(in: 1...100_000_000) {
            session.prefixLimit = PrefixLimit(maximum: maximum)
        }
        session.role = object["role"]?.word(RoleName.self, what: "role").map(\.role)
        return session
    }

    private var all: AddressFamilies { [.ipv4Unicast, .ipv6Unicast] }

    private func holdTime(_ cursor: Cursor) -> Interval? {
        guard let time = cursor.duration(in: .zero...Interval.seconds(65_535)) else { return nil }
        guard time == .zero || time >= .seconds(3), time.nanoseconds % 1_000_000_000 == 0 else {
            cursor.fault("\(time) is no hold time; write whole seconds, 0 or from 3s to 65535s")
            return nil
        }
        return time
    }

    private func password(_ cursor: Cursor) -> String? {
        guard let text = cursor.string() else { return nil }
        guard (1...80).contains(text.utf8.count) else {
            cursor.fault("the password has \(text.utf8.count) octets; write 1 to 80")
            return nil
        }
        return text
    }

    /// Each neighbour must be across one of its node's links, once, and speak.
    func checkNeighbors(of topology: Topology) {
        var known: [(node: Int, address: IPAddress)] = []
        for (node, neighbor, cursor) in neighborPlaces {
            if let found = topology.resolve(neighbor, of: node) {
                let address = found.settings.address
                if known.contains(where: { $0 == (node, address) }) {
                    cursor.fault("the neighbour \(address) stands here twice; leave one of the two out")
                }
                known.append((node, address))
                let far = topology.nodes[topology.farEnd(found.port).node]
                guard far.kind != .patronus, far.kind != .linux else { continue }
                cursor.warn("\"\(far.name)\" is a \(far.kind.rawValue), which speaks no BGP in this version")
                continue
            }
            let name = topology.nodes[node].name
            if case .node(let far) = neighbor.place,
                topology.ports(of: node).contains(where: {
                    topology.farEnd($0).node == far
                })
            {
                cursor.fault(
                    "\"\(topology.nodes[far].name)\" has no \"asn\"; give it one, or write \"asn\": 65100 here")
                continue
            }
            let known = topology.ports(of: node).map { topology.farEnd($0) }.flatMap { end in
                end.addresses.map { "\($0.address) (\(topology.nodes[end.node].name))" }
            }
            cursor.fault(
                "no link of \"\(name)\" leads to the neighbour; at its links are \(known.joined(separator: ", "))")
        }
    }
}

private enum FamilyName: String, CaseIterable { case ipv4, ipv6 }

private enum NumberedPaths: String, CaseIterable { case both, receive, send }

/// What the node is to the neighbour (RFC 9234 §4.1).
private enum RoleName: String, CaseIterable {
    case provider, customer, peer
    case routeServer = "route-server"
    case routeServerClient = "route-server-client"

    var role: PeerRole {
        switch self {
        case .provider: .provider
        case .customer: .customer
        case .peer: .peer
        case .routeServer: .routeServer
        case .routeServerClient: .routeServerClient
        }
    }
}

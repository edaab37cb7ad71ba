import BFD
import BGP
import Basics
import Scenario
import Wire

/// Sessions with neighbours outside the overlay: each one's own settings, over those of its group.
extension TopologyDecoder {
    /// What a group has in common, or a neighbour has.
    struct NeighborSettings {
        var peer: PeerConfiguration
        var liveness: LivenessTiming?
        /// The keys of the route maps that are named, be they there or not.
        var routeMaps: Set<String> = []
    }

    func groups(_ cursor: Cursor, _ names: BGPNames) -> [(name: String, value: NeighborSettings)] {
        var result: [(name: String, value: NeighborSettings)] = []
        for element in cursor.elements(expected: "a list of groups, [{ \"name\": … }]") ?? [] {
            guard let object = element.object(keys: KnownKeys.bgpGroup),
                let place = object.required("name", "\"name\": \"customers\""),
                let name = place.newName("group", among: result.map(\.name))
            else { continue }
            result.append((name, settings(object, names, over: .standard)))
        }
        return result
    }

    func neighbor(
        _ cursor: Cursor, of node: Int, _ names: BGPNames, _ groups: [(name: String, value: NeighborSettings)]
    ) -> BGPNeighborDeclaration? {
        guard let object = cursor.object(keys: KnownKeys.bgpNeighbor), let place = place(object) else { return nil }
        let group = object["group"].map { $0.named("group", among: groups) } ?? .standard
        guard let group else { return nil }
        let settings = settings(object, names, over: group)
        judgePolicies(of: settings, at: node, cursor)
        var result = BGPNeighborDeclaration(place, settings: settings.peer)
        result.liveness = settings.liveness
        result.description = object["description"]?.name(forbidden: "")
        return result
    }

    func listener(
        _ cursor: Cursor, of node: Int, _ groups: [(name: String, value: NeighborSettings)]
    ) -> BGPListenerDeclaration? {
        guard let object = cursor.object(keys: KnownKeys.bgpListener),
            let range = object.required("range", "\"range\": \"192.0.2.0/24\"")?.prefix(),
            let group = object.required("group", "\"group\": \"customers\""),
            let settings = group.named("group", among: groups)
        else { return nil }
        let transport = settings.peer.session.transport
        guard settings.peer.autonomousSystem != 0 else {
            group.fault("who calls has to have a number; give the group an \"asn\"")
            return nil
        }
        guard transport.md5Key == nil, transport.securedHops == nil, settings.liveness == nil else {
            group.fault(
                "\"password\", \"ttlSecurity\" and \"bfd\" are for neighbours whose address is known; leave them out "
                    + "of the group")
            return nil
        }
        judgePolicies(of: settings, at: node, cursor)
        var result = BGPListenerDeclaration(range, settings: settings.peer)
        result.maximumCount = object["maximum"]?.integer(in: 1...1_000) ?? result.maximumCount
        return result
    }

    /// Inside an AS routes go without a policy; of a neighbour that has its number from its node it is not known here.
    private func judgePolicies(of settings: NeighborSettings, at node: Int, _ cursor: Cursor) {
        guard settings.peer.autonomousSystem != nodes[node].autonomousSystem else { return }
        for (key, does) in [("routeMapIn", "takes nothing from"), ("routeMapOut", "tells nothing to")]
        where !settings.routeMaps.contains(key) {
            cursor.warn("without \"\(key)\" the node \(does) a neighbour of another AS (RFC 8212); write \"all\"")
        }
    }

    private func settings(
        _ object: ObjectCursor, _ names: BGPNames, over base: NeighborSettings
    ) -> NeighborSettings {
        var result = base
        if let number = object["asn"].flatMap({ autonomousSystem($0) }) { result.peer.autonomousSystem = number }
        result.peer.families = object["families"].map { families($0) } ?? base.peer.families
        result.peer.nextHopSelf = object["nextHopSelf"]?.bool() ?? base.peer.nextHopSelf
        result.peer.isPassive = object["passive"]?.bool() ?? base.peer.isPassive
        result.peer.requiresFirstAS = object["requireFirstAS"]?.bool() ?? base.peer.requiresFirstAS
        result.peer.advertisementInterval =
            object["advertisementInterval"]?.duration() ?? base.peer.advertisementInterval
        if let damping = object["damping"] { result.peer.damping = self.damping(damping) }
        let maps = names.routeMaps.map { (name: $0.name, value: $0.policy) }
        result.routeMaps.formUnion(["routeMapIn", "routeMapOut"].filter { object[$0] != nil })
        if let map = object["routeMapIn"] { result.peer.importPolicy = map.named("route map", among: maps) }
        if let map = object["routeMapOut"] { result.peer.exportPolicy = map.named("route map", among: maps) }
        readSession(object, into: &result.peer.session)
        if let bfd = object["bfd"] { result.liveness = timing(bfd) }
        result.peer.session.followsBFD = result.liveness != nil
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

    private func readSession(_ object: ObjectCursor, into session: inout SessionConfiguration) {
        if let timers = object["timers"]?.object(keys: KnownKeys.bgpTimers) { readTimers(timers, into: &session) }
        session.transport.md5Key = object["password"].flatMap { password($0) } ?? session.transport.md5Key
        session.transport.securedHops =
            object["ttlSecurity"]?.integer(in: 1...254).map { UInt8($0) } ?? session.transport.securedHops
        readRestart(object, into: &session)
        switch object["addPath"]?.word(NumberedPaths.self, what: "direction of paths") {
        case .both: (session.capabilities.numberedFamiliesHeard, session.capabilities.numberedFamiliesTold) = (all, all)
        case .receive:
            (session.capabilities.numberedFamiliesHeard, session.capabilities.numberedFamiliesTold) = (all, [])
        case .send: (session.capabilities.numberedFamiliesHeard, session.capabilities.numberedFamiliesTold) = ([], all)
        case nil: break
        }
        if let limit = object["maximumPrefixes"].flatMap({ prefixLimit($0) }) { session.prefixLimit = limit }
        session.role = object["role"]?.word(RoleName.self, what: "role").map(\.role) ?? session.role
        session.requiresRole = object["requireRole"]?.bool() ?? session.requiresRole
        session.capabilities.extendedNextHop =
            object["extendedNextHop"]?.bool() ?? session.capabilities.extendedNextHop
        session.carriesAccumulatedMetric = object["accumulatedMetric"]?.bool() ?? session.carriesAccumulatedMetric
        if let isClient = object["routeReflectorClient"]?.bool() {
            session.reflection = RouteReflection(isClient: isClient)
        }
    }

    private func readTimers(_ timers: ObjectCursor, into session: inout SessionConfiguration) {
        let seconds = Interval.seconds(1)...Interval.seconds(65_535)
        session.holdTime = timers["holdtime"].flatMap { holdTime($0) } ?? session.holdTime
        session.connectRetry = timers["connectRetry"]?.duration(in: seconds) ?? session.connectRetry
        session.delayOpen = timers["delayOpen"]?.duration(in: seconds) ?? session.delayOpen
        session.idleHold = timers["idleHold"]?.duration(in: seconds) ?? session.idleHold
        session.sendHoldTime =
            timers["sendHold"]?.duration(in: .zero...Interval.seconds(65_535)) ?? session.sendHoldTime
    }

    private func readRestart(_ object: ObjectCursor, into session: inout SessionConfiguration) {
        if let time = object["gracefulRestart"]?.duration(in: .seconds(1)...Interval.seconds(4_095)) {
            var restart = session.gracefulRestart ?? GracefulRestartConfiguration()
            restart.restartTime = .seconds(time.nanoseconds / 1_000_000_000)
            session.gracefulRestart = restart
        }
        guard let longLived = object["longLivedGracefulRestart"],
            let time = longLived.duration(in: .seconds(1)...Interval.seconds(16_777_215))
        else { return }
        guard session.gracefulRestart != nil else {
            return longLived.fault(
                "RFC 9494 goes on where graceful restart ends; write \"gracefulRestart\": \"120s\" too")
        }
        session.gracefulRestart?.longLivedStaleTime = .seconds(time.nanoseconds / 1_000_000_000)
    }

    /// A number, or an object with what happens beyond it.
    private func prefixLimit(_ cursor: Cursor) -> PrefixLimit? {
        let numbers = 1...100_000_000
        guard case .object = cursor.node.value else {
            return cursor.integer(in: numbers).map { PrefixLimit(maximum: $0) }
        }
        guard let object = cursor.object(keys: KnownKeys.prefixLimit),
            let maximum = object.required("maximum", "\"maximum\": 1000")?.integer(in: numbers)
        else { return nil }
        var limit = PrefixLimit(maximum: maximum)
        if let share = object["warning"]?.ratio() { limit.warningPercentage = Int((share.fraction * 100).rounded()) }
        switch object["then"]?.word(LimitResponse.self, what: "answer") {
        case .warn: limit.response = .warn
        case .restart:
            let times = Interval.seconds(1)...Interval.seconds(86_400)
            limit.response = .restart(after: object["after"]?.duration(in: times) ?? .seconds(60))
        case .end, nil: break
        }
        if case .restart = limit.response { return limit }
        object["after"]?.fault(
            "\"after\" goes with \"then\": \"restart\"; leave it out", at: object.keyPosition("after"))
        return limit
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
}

extension TopologyDecoder.NeighborSettings {
    /// What holds unless it is said otherwise.
    ///
    /// The addresses are the topology's, and an AS number of 0 is the neighbour's own.
    static let standard: Self = {
        let unknown = IPAddress.v4(.any)
        var peer = PeerConfiguration(address: unknown, autonomousSystem: 0, localAddress: unknown)
        peer.families = [.ipv4Unicast, .ipv6Unicast]
        // The overlay's next hops mean nothing outside it.
        peer.nextHopSelf = true
        peer.session.holdTime = .seconds(90)
        peer.session.connectRetry = .seconds(5)
        peer.session.idleHold = .seconds(1)
        peer.session.capabilities.enhancedRouteRefresh = true
        peer.session.capabilities.extendedMessages = true
        return Self(peer: peer)
    }()
}

private enum FamilyName: String, CaseIterable { case ipv4, ipv6 }

private enum NumberedPaths: String, CaseIterable { case both, receive, send }

/// What happens beyond a limit of prefixes.
private enum LimitResponse: String, CaseIterable { case warn, end, restart }

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

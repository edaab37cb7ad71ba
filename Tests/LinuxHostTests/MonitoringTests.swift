import BGP
import Basics
import LinuxHost
import LinuxSystem
import Machine
import Node
import TestKit
import Testing
import Wire

/// A plain TCP server in a namespace, to which one peer writes.
private struct PlainCollector: ~Copyable {
    private let listener: StreamListener
    private var connection = Slab<StreamSocket>()
    private(set) var octets: [UInt8] = []
    private(set) var hasEnded = false

    init(in namespace: borrowing NetworkNamespace, at address: SocketAddress) throws(SystemError) {
        listener = try namespace.perform { () throws(SystemError) in try StreamListener(at: address) }
    }

    /// Gives the connection up, and takes the next.
    mutating func beginAnew() {
        connection.removeAll()
        octets = []
    }

    /// Takes what has come.
    mutating func read() throws {
        if connection.count == 0 {
            guard let arrival = try listener.accept() else { return }
            connection.append(arrival.taken())
        }
        var room = [UInt8](repeating: 0, count: 65_536)
        while case .octets(let count) = room.withUnsafeMutableBytes({ connection[0].read(into: $0) }) {
            octets += room.prefix(count)
        }
        if case .end = room.withUnsafeMutableBytes({ connection[0].read(into: $0) }) { hasEnded = true }
    }

    func messages() throws -> [BMPMessage] {
        var reader = BMPReader()
        var messages: [BMPMessage] = []
        while let message = try reader.next(in: octets.span.bytes) { messages.append(message) }
        return messages
    }

    /// The prefixes that the station has been told, of peers or of what is chosen.
    func prefixes(_ kind: BMPPeer.Kind) throws -> [IPPrefix] {
        try messages().flatMap { message -> [IPPrefix] in
            guard case .routes(let peer, let place) = message.content, peer.kind == kind else { return [] }
            let body = Array(octets[place].dropFirst(19))
            let update = try UpdateMessage(body: body.span.bytes, context: UpdateContext(isInternal: false))
            return update.announcements.flatMap(\.prefixes)
        }
    }
}

/// A node on the kernel's TCP and a collector on its LAN.
@Suite(.enabled(if: Privileges.suffice, "\(Privileges.reason)"), .serialized)
struct MonitoringTests {
    @Test func `a collector on the LAN reads what the node is told, to its end`() throws {
        let sites = try TwoSites()
        let address = SocketAddress(TwoSites.host(0), port: MonitoringCollector.usualPort)
        var collector = MonitoringCollector(address)
        collector.tellsBestRoutes = true
        collector.statisticsInterval = .seconds(1)
        collector.retryInterval = .seconds(1)
        let (wanted, clock) = (collector, sites.clock)
        // Nobody listens yet, and the first call is refused.
        let west = try sites.startNode(0) {
            $0.collectors = [wanted]
            $0.epoch = clock.secondsAtZero
        }
        let east = try sites.startNode(1)
        defer {
            west.stop()
            east.stop()
        }
        #expect(eventually { west.isEstablished })
        var station = try PlainCollector(in: sites.hosts[0], at: address)
        let hasTables = try eventually {
            try station.read()
            return try station.prefixes(.global).contains(TwoSites.lan(1))
                && station.prefixes(.bestRoutes).contains(TwoSites.lan(1))
                && station.messages().contains { if case .statistics = $0.content { true } else { false } }
        }
        #expect(hasTables)
        let status = west.ask { $0.machine.collectorStatuses }
        #expect(status == [CollectorStatus(isConnected: true, connectionCount: 1, overrunCount: 0)])
        _ = west.ask { host -> Bool in (try? host.command(.shutDown)) != nil }
        let hasEnded = try eventually {
            try station.read()
            return station.hasEnded
        }
        #expect(hasEnded)
        let messages = try station.messages()
        #expect(messages.last?.place.upperBound == station.octets.count)
        #expect(messages.first?.content == .initiation([.description("Patronus"), .name("site-0")]))
        #expect(messages.last?.content == .termination(.administrative, []))
        let ups = messages.compactMap { if case .peerUp(let peer, let up) = $0.content { (peer, up) } else { nil } }
        try #require(ups.map(\.0.kind) == [.bestRoutes, .global])
        #expect(ups[1].0.address == .v4(TwoSites.overlayAddress(1)) && ups[1].0.autonomousSystem == 65_002)
        #expect(ups[1].1.local.address == .v4(TwoSites.overlayAddress(0)))
        // Times are those of the day, not of the process.
        #expect(ups[1].0.time.seconds > 1_700_000_000)
        #expect(messages.contains { if case .peerDown = $0.content { true } else { false } })
    }

    @Test func `a collector that does not read costs its connection, and gets the whole table on the next`() throws {
        let sites = try TwoSites()
        let address = SocketAddress(TwoSites.host(0), port: MonitoringCollector.usualPort)
        var collector = MonitoringCollector(address)
        collector.tellsBestRoutes = true
        collector.retryInterval = .seconds(1)
        let wanted = collector
        var station = try PlainCollector(in: sites.hosts[0], at: address)
        let west = try sites.startNode(0) { $0.collectors = [wanted] }
        defer { west.stop() }
        let block = IPPrefix(.v4(IPv4Address(20, 0, 0, 0)), length: 8)
        let series = try #require(PrefixSeries(count: 20_000, length: 24, in: block))
        func overruns() -> UInt64? { west.ask { $0.machine.collectorStatuses[0].overrunCount } }
        #expect(eventually { west.ask { $0.machine.collectorStatuses[0].isConnected } == true })
        // What the kernels of both ends take is no small amount.
        for _ in 0..<20 where overruns() == 0 {
            for command in [Command.announce(series), .withdraw(series)] {
                _ = west.ask { host -> Bool in (try? host.command(command)) != nil }
            }
        }
        #expect(overruns() == 1)
        _ = west.ask { host -> Bool in (try? host.command(.announce(series))) != nil }
        try station.read()
        station.beginAnew()
        let hasTable = try eventually {
            try station.read()
            guard station.octets.count > 20_000 * 80 else { return false }
            return try station.messages().count { if case .routes = $0.content { true } else { false } } >= 20_001
        }
        #expect(hasTable)
        #expect(try station.messages().first?.content == .initiation([.description("Patronus"), .name("site-0")]))
        #expect(overruns() == 1)
    }
}

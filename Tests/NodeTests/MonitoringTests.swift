import BGP
import Basics
import Machine
import Node
import TestKit
import Testing
import Wire

/// What a node tells its collectors (RFC 7854), and what it does about those that are not there.
@Suite struct MonitoringTests {
    private static let first = IPPrefix(.v4(IPv4Address(198, 51, 100, 0)), length: 24)
    private static let second = IPPrefix(.v4(IPv4Address(198, 51, 101, 0)), length: 24)

    private static func prefix(_ number: Int) -> IPPrefix {
        IPPrefix(.v4(IPv4Address(20, UInt8(number >> 16), UInt8(number >> 8 & 0xFF), UInt8(number & 0xFF))), length: 32)
    }

    private static func words(_ messages: [BMPMessage]) -> [String] {
        messages.map { message in
            switch message.content {
            case .routes(let peer, _): peer.kind == .bestRoutes ? "chosen" : "routes"
            case .statistics(let peer, _): peer.kind == .bestRoutes ? "chosen statistics" : "statistics"
            case .peerDown: "peer down"
            case .peerUp(let peer, _): peer.kind == .bestRoutes ? "chosen up" : "peer up"
            case .initiation: "initiation"
            case .termination: "termination"
            case .other: "other"
            }
        }
    }

    private func tables(_ node: MonitoredNode) throws -> CollectedTables {
        try CollectedTables(node.messages(), of: node.stream)
    }

    @Test func `a collector that is there from the start is told of sessions and routes as they come`() throws {
        let node = MonitoredNode()
        #expect(node.calls.map(\.at) == [.zero])
        node.answer()
        node.run(for: .milliseconds(1_500))
        node.establish()
        node.announce([Self.first])
        node.loseSession()
        let messages = try node.messages()
        // Nothing stood when it came, so that there was nothing to end.
        try #require(Self.words(messages) == ["initiation", "peer up", "routes", "peer down"])
        #expect(messages[0].content == .initiation([.description("Patronus"), .name("node")]))
        guard case .peerUp(let peer, let up) = messages[1].content, case .routes(peer, let update) = messages[2].content
        else {
            Issue.record("\(messages)")
            return
        }
        #expect(peer.address == MonitoredNode.neighbor && peer.autonomousSystem == 65_002)
        #expect(peer.time == WallTime(seconds: 1_000_001, microseconds: 500_000))
        #expect(up.local == SocketAddress(MonitoredNode.own, port: 179) && up.remotePort == 40_000)
        let body = Array(node.stream[update].dropFirst(19))
        let read = try UpdateMessage(body: body.span.bytes, context: MonitoredNode.context)
        #expect(read.announcements.flatMap(\.prefixes) == [Self.first])
        #expect(messages[3].content == .peerDown(peer, .remoteClosed))
    }

    @Test func `a collector that comes late is told what stands, and that it is all`() throws {
        let node = MonitoredNode { $0.tellsBestRoutes = true }
        node.establish()
        node.announce([Self.first, Self.second])
        node.withdraw(Self.second)
        node.answer()
        let messages = try node.messages()
        #expect(
            Self.words(messages) == [
                "initiation", "chosen up", "peer up", "chosen", "routes", "chosen", "routes", "routes", "chosen",
                "chosen",
            ])
        let tables = try tables(node)
        #expect(tables.told.keys.sorted() == [Self.first])
        #expect(tables.chosen.keys.sorted() == [Self.first] && tables.own == [MonitoredNode.lan])
        #expect(tables.toldEnds == 2 && tables.chosenEnds == 2)
    }

    @Test func `a collector that refuses, or goes away, is called again when its time has come`() throws {
        let node = MonitoredNode { $0.retryInterval = .seconds(7) }
        node.run(for: .milliseconds(200))
        node.end(.refused)
        node.run(for: .milliseconds(6_999))
        #expect(node.calls.count == 1)
        node.run(for: .milliseconds(1))
        #expect(node.calls.map(\.at) == [.zero, .zero + .milliseconds(7_200)])
        node.answer()
        #expect(node.status.isConnected && node.status.connectionCount == 1)
        node.run(for: .seconds(100))
        #expect(node.calls.count == 2)
        // One that only stops to write is taken for gone, and its stream given up.
        node.end(.finished)
        #expect(node.aborted == [node.calls[1].stream] && !node.status.isConnected)
        node.establish()
        node.run(for: .seconds(7))
        #expect(node.calls.map(\.at).last == .zero + .milliseconds(114_200))
        node.answer()
        #expect(try Self.words(node.messages()) == ["initiation", "peer up", "routes", "routes"])
        #expect(node.status == CollectorStatus(isConnected: true, connectionCount: 2, overrunCount: 0))
    }

    @Test func `a node that shuts down says so, and calls nobody any more`() throws {
        let node = MonitoredNode()
        node.answer()
        node.establish()
        node.shutDown()
        let messages = try node.messages()
        #expect(Self.words(messages) == ["initiation", "peer up", "peer down", "termination"])
        #expect(messages.last?.content == .termination(.administrative, []))
        #expect(node.finished == [node.calls[0].stream] && node.aborted.isEmpty)
        let octetCount = node.stream.count
        node.run(for: .seconds(300))
        #expect(node.calls.count == 1 && node.stream.count == octetCount)
    }

    @Test func `an attempt that has not been answered ends with the node`() {
        let node = MonitoredNode()
        node.shutDown()
        #expect(node.aborted == [node.calls[0].stream] && node.finished.isEmpty)
        node.run(for: .seconds(300))
        #expect(node.calls.count == 1)
    }

    @Test func `statistics come at their interval while the collector is there`() throws {
        let node = MonitoredNode {
            $0.tellsBestRoutes = true
            $0.statisticsInterval = .seconds(60)
        }
        node.establish()
        node.announce([Self.first, Self.second])
        node.run(for: .seconds(10))
        node.answer()
        node.run(for: .seconds(125))
        let reports = try node.messages().compactMap { message -> (WallTime, [BMPStatistic])? in
            if case .statistics(let peer, let values) = message.content { (peer.time, values) } else { nil }
        }
        #expect(reports.map(\.0.seconds) == [1_000_070, 1_000_070, 1_000_130, 1_000_130])
        #expect(reports.first?.1.first == BMPStatistic(.receivedRoutes, 2))
        #expect(reports.last?.1 == [BMPStatistic(.bestRoutes, 3)])
        node.end(.reset)
        #expect(try node.messages().count(where: { if case .statistics = $0.content { true } else { false } }) == 4)
    }

    @Test func `a large table is told as the collector reads it, and changes meanwhile are not lost`() throws {
        let node = MonitoredNode { $0.tellsBestRoutes = true }
        node.establish()
        let count = 3_000
        for first in stride(from: 0, to: count, by: 500) {
            node.announce((first..<first + 500).map { Self.prefix($0) })
        }
        node.answer()
        var before = 0
        var offers = 0
        #expect(node.stream.count <= 64 * 1_024 + 1_024)
        // One that has been told, one that has not, and one that is new.
        node.announce([Self.prefix(0), Self.prefix(count - 1), Self.prefix(count)], discriminator: 7)
        node.withdraw(Self.prefix(1))
        node.withdraw(Self.prefix(count - 2))
        while node.stream.count > before {
            before = node.stream.count
            node.offer(128 * 1_024)
            #expect(node.stream.count - before <= 128 * 1_024 + 1_024)
            offers += 1
        }
        #expect(offers > 3)
        let tables = try tables(node)
        let expected = (0...count).filter { $0 != 1 && $0 != count - 2 }.map { Self.prefix($0) }
        // Thousands of prefixes would drown what is wrong with one.
        #expect(Array(Set(expected).symmetricDifference(tables.told.keys)) == [])
        #expect(tables.chosen.keys == tables.told.keys && tables.own == [MonitoredNode.lan])
        for table in [tables.told, tables.chosen] {
            #expect(table.filter { $0.value == 7 }.keys.sorted() == [0, count - 1, count].map { Self.prefix($0) })
        }
        #expect(tables.toldEnds == 2 && tables.chosenEnds == 2)
        #expect(node.status.overrunCount == 0)
    }

    @Test func `a collector that does not read is given up before much waits for it, and begun anew`() throws {
        let node = MonitoredNode { $0.retryInterval = .seconds(5) }
        node.answer()
        node.establish()
        var rounds = 0
        while node.status.isConnected, rounds < 10_000 {
            node.announce((0..<500).map { Self.prefix($0) }, discriminator: UInt32(rounds))
            rounds += 1
        }
        #expect(node.status == CollectorStatus(isConnected: false, connectionCount: 1, overrunCount: 1))
        #expect(node.aborted == [node.calls[0].stream])
        #expect((4 << 20)...(5 << 20) ~= node.stream.count)
        let octetCount = node.stream.count
        node.announce([Self.prefix(1)], discriminator: 5)
        #expect(node.stream.count == octetCount)
        node.run(for: .seconds(5))
        #expect(node.calls.count == 2)
        node.answer()
        node.offer(128 * 1_024)
        let tables = try tables(node)
        #expect(tables.told.count == 500 && tables.told[Self.prefix(1)] == 5)
        #expect(tables.told[Self.prefix(2)] == UInt32(rounds - 1))
        #expect(tables.toldEnds == 2)
    }

    @Test func `a collector's tables are the node's, whatever comes when`() {
        forEachSeed(40) { random in
            let node = MonitoredNode {
                $0.tellsBestRoutes = true
                $0.retryInterval = .seconds(1)
            }
            var table: [IPPrefix: UInt32?] = [:]
            var isUp = false
            for _ in 0..<60 {
                node.run(for: .milliseconds(500))
                if node.status.isConnected {
                    node.offer(128 * 1_024)
                } else if random.below(2) == 0 {
                    node.answer()
                }
                let prefix = Self.prefix(Int(random.below(8)))
                switch random.below(12) {
                case 0 where node.status.isConnected: node.end(.reset)
                case 1 where isUp:
                    node.loseSession()
                    (isUp, table) = (false, [:])
                case 2...4 where isUp:
                    node.withdraw(prefix)
                    table[prefix] = nil
                case _ where isUp:
                    let discriminator = UInt32(random.below(3))
                    node.announce([prefix], discriminator: discriminator)
                    table.updateValue(discriminator, forKey: prefix)
                default:
                    node.run(for: .seconds(60))
                    node.establish()
                    isUp = true
                }
            }
            if !node.status.isConnected {
                node.run(for: .seconds(2))
                node.answer()
            }
            let tables = try CollectedTables(node.messages(), of: node.stream)
            try #require(tables.told == table)
            try #require(tables.chosen == table && tables.own == [MonitoredNode.lan])
            for prefix in (0..<8).map({ Self.prefix($0) }) {
                try #require(node.knows(prefix) == table.keys.contains(prefix))
            }
        }
    }
}

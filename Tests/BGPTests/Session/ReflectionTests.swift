import BGP
import Basics
import Testing
import Wire

/// A speaker among inner peers: two clients, two others, and one that has nothing to do with reflection.
private final class Reflector {
    let bench: Bench

    init(cluster: IPv4Address? = nil) {
        bench = Bench(ownAS: 65001, peerAS: 65001) { configuration in
            let roles: [RouteReflection?] = [
                RouteReflection(isClient: true, cluster: cluster), RouteReflection(isClient: true, cluster: cluster),
                RouteReflection(isClient: false, cluster: cluster), RouteReflection(isClient: false, cluster: cluster),
                nil,
            ]
            configuration.peers = roles.enumerated().map { index, role in
                var peer = PeerConfiguration(
                    address: .v4(IPv4Address(192, 0, 2, UInt8(index + 2))), autonomousSystem: 65001,
                    localAddress: "192.0.2.1")
                peer.isPassive = true
                peer.session.reflection = role
                return peer
            }
        }
        bench.start()
        for peer in 0..<5 {
            bench.speaker.connected(
                peer: peer, connection: ConnectionID(UInt32(10 + peer)), isIncoming: true, at: bench.now,
                into: &bench.outbox)
            bench.collect()
            let identifier = IPv4Address(10, 0, 0, UInt8(peer + 2))
            bench.send(
                Bench.open(autonomousSystem: 65001, identifier: identifier) + keepalive, on: UInt32(10 + peer))
        }
    }

    func tell(_ peer: Int, change: (inout PathAttributes) -> Void = { _ in }) {
        bench.send(
            announcement(
                ["198.51.100.0/24"], path: ASPath(65009), nextHop: .v4(IPv4Address(192, 0, 2, UInt8(peer + 2)))
            ) { attributes in
                attributes.localPreference = 150
                change(&attributes)
            }, on: UInt32(10 + peer))
    }

    /// The peers that have been told.
    var told: [Int] { (0..<5).filter { !bench.speaker.advertisedRoutes(to: $0).isEmpty } }
}

@Suite struct ReflectionTests {
    @Test func `what a client tells goes to all, what another tells to clients`() {
        for (source, told) in [(0, [1, 2, 3]), (1, [0, 2, 3]), (2, [0, 1]), (3, [0, 1]), (4, [])] {
            let reflector = Reflector()
            reflector.tell(source)
            #expect(reflector.told == told)
        }
    }

    @Test func `what is passed on says who began and where it has been, and nothing else changes`() throws {
        let reflector = Reflector(cluster: IPv4Address(9, 9, 9, 9))
        reflector.tell(0)
        let fresh = try #require(reflector.bench.speaker.advertisedRoutes(to: 1).first?.attributes)
        #expect(fresh.originatorID == IPv4Address(10, 0, 0, 2))
        #expect(fresh.clusterList == [IPv4Address(9, 9, 9, 9)])
        #expect(fresh.nextHop == "192.0.2.2" && fresh.localPreference == 150 && fresh.path == ASPath(65009))
        reflector.tell(0) { attributes in
            attributes.originatorID = IPv4Address(10, 7, 7, 7)
            attributes.clusterList = [IPv4Address(8, 8, 8, 8)]
        }
        let passed = try #require(reflector.bench.speaker.advertisedRoutes(to: 1).first?.attributes)
        #expect(passed.originatorID == IPv4Address(10, 7, 7, 7))
        #expect(passed.clusterList == [IPv4Address(9, 9, 9, 9), IPv4Address(8, 8, 8, 8)])
    }

    @Test func `a route that began here or has been in the cluster is not used`() {
        for change in [
            { $0.originatorID = IPv4Address(10, 0, 0, 1) }, { $0.clusterList = [IPv4Address(10, 0, 0, 1)] },
        ] as [(inout PathAttributes) -> Void] {
            let reflector = Reflector()
            reflector.tell(0, change: change)
            #expect(reflector.bench.speaker.bestRoutes.isEmpty)
            #expect(reflector.bench.speaker.receivedRoutes(from: 0).count == 1)
        }
    }
}

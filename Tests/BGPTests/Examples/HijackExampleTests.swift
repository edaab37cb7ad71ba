import BGP
import Basics
import TestKit
import Testing
import Wire

@Suite(.enabled(if: HijackExample.isPresent, "the examples lie in ../shared/data/bgp/bgpy, which is not there"))
struct HijackExampleTests {
    /// Policies of the examples that are not replayed.
    ///
    /// BGPsec signs paths (RFC 8205), which no policy can stand in for. BGPy's PeerROV minds
    /// from whom the neighbour has a route, not what the neighbour is, and so lets its AS 9
    /// take from a peer what is invalid.
    private static let unsupported: Set<String> = ["BGPsec", "PeerROV"]

    @Test func `hijacks and leaks come to what BGPy has worked out`() throws {
        var replayed: [String] = []
        for name in try HijackExample.names() {
            let example = try HijackExample(name)
            #expect(example.nodes.count == 12 && example.outcomes.count == 12)
            guard example.policies.isDisjoint(with: Self.unsupported) else { continue }
            replayed.append(name)
            let net = ExampleNetwork(example)
            #expect(net.network.faults.isEmpty)
            for (index, number) in net.numbers.prefix(12).enumerated() {
                let expected = example.nodes[number]?.routes ?? [:]
                let routes = net.network.speakers[index].bestRoutes
                #expect(routes.map(\.prefix) == expected.keys.sorted(), "\(name), AS \(number)")
                for route in routes {
                    guard let wanted = expected[route.prefix] else { continue }
                    let own = net.network.speakers[index].configuration.autonomousSystem
                    #expect([own] + route.attributes.path.numbers == wanted.path, "\(name), AS \(number)")
                    guard let peer = route.peer, !(wanted.isSeed && wanted.nextHop == number) else { continue }
                    #expect(net.neighbor(of: index, peer: peer) == wanted.nextHop, "\(name), AS \(number)")
                }
                #expect(net.outcome(number) == example.outcomes[number], "\(name), packets from AS \(number)")
            }
        }
        #expect(replayed.count == 17, "\(replayed)")
    }

    @Test func `what is invalid is refused of peers and taken of a provider, where peers alone are checked`() throws {
        let net = ExampleNetwork(try HijackExample("ex_006_subprefix_hijack_peer_rov_simple"))
        let index = try #require(net.numbers.firstIndex(of: 9))
        let route = try #require(net.network.speakers[index].bestRoute(to: "1.2.3.0/24"))
        #expect(route.attributes.path.numbers == [11, 8, 1, 666])
        let candidates = net.network.speakers[index].candidates(for: "1.2.3.0/24")
        #expect(candidates.compactMap(\.peer).map { net.neighbor(of: index, peer: $0) } == [11])
        let heard = net.network.speakers[index].receivedRoutes(from: try #require(peer(8, of: index, net)))
        #expect(heard.map(\.prefix) == ["1.2.0.0/16", "1.2.3.0/24"])
    }

    private func peer(_ number: UInt32, of index: Int, _ net: ExampleNetwork) -> Int? {
        net.network.speakers[index].configuration.peers.indices.first { net.neighbor(of: index, peer: $0) == number }
    }
}

import BGP
import Scenario
import Wire

/// Whether a node's sessions have links to run over.
extension TopologyDecoder {
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

    /// Who calls comes over one of the node's links.
    func checkListeners(of topology: Topology) {
        for (node, listener, cursor) in listenerPlaces where topology.resolve(listener, of: node).isEmpty {
            cursor.fault(
                "no link of \"\(topology.nodes[node].name)\" leads to \(listener.range); write a range on one of them")
        }
    }

    /// To peers of the overlay that are not in it, or do not know that they are, a node of a confederation has a number
    /// that they do not expect.
    func checkConfederations(of topology: Topology) {
        for (node, confederation, cursor) in confederationPlaces {
            let peers = Set(topology.tunnels().compactMap { $0.farEnd(from: node)?.node }).sorted()
            for peer in peers {
                let (other, name) = (topology.nodes[peer], topology.nodes[peer].name)
                guard other.kind == .patronus else { continue }
                let isMember =
                    other.autonomousSystem == topology.nodes[node].autonomousSystem
                    || other.autonomousSystem.map { confederation.members.contains($0) } ?? false
                guard !isMember || other.bgp?.confederation?.identifier != confederation.identifier else { continue }
                cursor.fault(
                    isMember
                        ? "its peer \"\(name)\" is in the confederation and does not say so; give it the same"
                        : "its peer \"\(name)\" is not in the confederation; add its \"asn\" to the members")
            }
        }
    }
}

import Basics
public import Wire

/// One route of an underlay router: a prefix, and the port behind which it lies.
public struct UnderlayRoute: Equatable, Sendable {
    public var prefix: IPPrefix
    public var port: NodePort

    public init(prefix: IPPrefix, port: NodePort) {
        self.prefix = prefix
        self.port = port
    }
}

/// The static shortest paths of a topology's routers.
///
/// A path is shorter by its delay, then by its number of hops; of equal ones a router
/// takes the link that comes first in the file. Each router knows the prefixes of the
/// links at which something other than a router stands and what lies behind these, those
/// of links between two routers only where ``init(_:includingTransitLinks:)`` is told so.
public struct UnderlayRoutes: Sendable {
    /// For each node of the topology its routes, in the order of links; empty for what is no router.
    public private(set) var routes: [[UnderlayRoute]]

    public init(_ topology: Topology, includingTransitLinks: Bool = false) {
        routes = Array(repeating: [], count: topology.nodes.count)
        let ports = topology.nodes.indices.map { topology.isTransit($0) ? topology.ports(of: $0) : [] }
        var paths: [Int: ShortestPaths] = [:]  // not iterated
        for (index, link) in topology.links.enumerated() where !link.isLAN {
            let ends = [link.first.node, link.second.node].filter { topology.isTransit($0) }
            guard let near = ends.first, ends.count == 1 || includingTransitLinks else { continue }
            let prefixes = Self.prefixes(of: link, at: index, in: topology)
            for end in ends where paths[end] == nil {
                paths[end] = ShortestPaths(to: end, in: topology, ports: ports)
            }
            for router in topology.nodes.indices where topology.isTransit(router) {
                let port: NodePort?
                if ends.contains(router) {
                    port = link.direction(from: router).map { NodePort(link: index, direction: $0) }
                } else if ends.count == 1 {
                    port = paths[near]?.next[router]
                } else {
                    port = Self.nearer(ends.compactMap { paths[$0] }, from: router)
                }
                guard let port else { continue }
                for prefix in prefixes { routes[router].append(UnderlayRoute(prefix: prefix, port: port)) }
            }
        }
    }

    private static func nearer(_ paths: [ShortestPaths], from router: Int) -> NodePort? {
        var best: ShortestPaths?
        for candidate in paths where candidate.next[router] != nil {
            guard let current = best else {
                best = candidate
                continue
            }
            if candidate.cost[router] < current.cost[router] { best = candidate }
        }
        return best?.next[router]
    }

    /// The prefixes that a link leads to: its own, a host's further ones, the public part of a site's LAN.
    private static func prefixes(of link: TopologyLink, at index: Int, in topology: Topology) -> [IPPrefix] {
        var result: [IPPrefix] = []
        for address in link.first.addresses + link.second.addresses where !result.contains(address.prefix) {
            result.append(address.prefix)
        }
        for end in [link.first, link.second] {
            let node = topology.nodes[end.node]
            switch node.kind {
            case .host where topology.ports(of: end.node).first?.link == index: result += node.prefixes
            case .patronus where topology.wanPorts(of: end.node).first?.link == index: result += node.publicPrefixes
            default: break
            }
        }
        return result
    }
}

/// What a path costs: its delay, then its hops.
private struct PathCost: Comparable {
    var delay: UInt64
    var hops: UInt64

    static var unreachable: PathCost { PathCost(delay: .max, hops: .max) }

    static func < (left: PathCost, right: PathCost) -> Bool {
        left.delay != right.delay ? left.delay < right.delay : left.hops < right.hops
    }
}

/// The way from every router to one of them (Dijkstra 1959).
private struct ShortestPaths {
    /// Longer delays count as this one, so that no sum of them overflows.
    private static let longestDelay: UInt64 = 1 << 40

    var cost: [PathCost]
    var next: [NodePort?]

    init(to target: Int, in topology: Topology, ports: [[NodePort]]) {
        cost = Array(repeating: .unreachable, count: topology.nodes.count)
        next = Array(repeating: nil, count: topology.nodes.count)
        cost[target] = PathCost(delay: 0, hops: 0)
        var queue = EventQueue()
        queue.schedule(QueuedEvent(at: .zero, key: UInt64(target)))
        while let event = queue.popFirst(notAfter: .never) {
            let node = Int(event.key & 0xFFFF_FFFF)
            let here = cost[node]
            guard here == PathCost(delay: event.at.nanoseconds, hops: event.key >> 32) else { continue }
            for port in ports[node] {
                let neighbor = topology.farEnd(port).node
                guard topology.isTransit(neighbor), neighbor != node else { continue }
                let back = NodePort(link: port.link, direction: port.direction.opposite)
                let delay = topology.links[port.link].settings(back.direction).delay ?? .zero
                let there = PathCost(
                    delay: here.delay &+ min(UInt64(clamping: delay.nanoseconds), Self.longestDelay),
                    hops: here.hops &+ 1)
                if there == cost[neighbor], let current = next[neighbor], back.link < current.link {
                    next[neighbor] = back
                }
                guard there < cost[neighbor] else { continue }
                cost[neighbor] = there
                next[neighbor] = back
                queue.schedule(
                    QueuedEvent(at: Instant(nanoseconds: there.delay), key: there.hops << 32 | UInt64(neighbor)))
            }
        }
    }
}

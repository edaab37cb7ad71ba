import Scenario
import Wire

/// What can only be judged when all nodes and links are known.
extension TopologyDecoder {
    // MARK: Addresses

    mutating func checkAddresses() {
        checkHostPrefixes()
        checkLANs()
        checkHostCapacity()
        guard links.count + nodes.count <= AllottedAddresses.linkLimit else {
            root.fault("there are too many links; at most \(AllottedAddresses.linkLimit) have addresses")
            return
        }
        checkLinkAddresses()
        checkAutonomousSystems()
    }

    /// A host's further addresses are part of its site's LAN, beside those of the hosts there, or a network of its own.
    private mutating func checkHostPrefixes() {
        for owned in hostPrefixes {
            guard let site = nodes[owned.node].attachment, nodes[site].kind == .patronus else {
                ownedPrefixes.append(owned)
                continue
            }
            guard let lan = nodes[site].lan.first(where: { $0.covers(owned.prefix) }) else {
                owned.cursor.fault(
                    "\(owned.prefix) is no part of \"\(nodes[site].name)\"'s \"lan\"; write a prefix that lies in it")
                continue
            }
            let hostCount = nodes.count { $0.attachment == site }
            let taken = [LANAddresses.gateway(of: lan)] + (0..<hostCount).map { LANAddresses.host($0, in: lan) }
            if let address = taken.first(where: { owned.prefix.contains($0) }) {
                owned.cursor.fault("\(owned.prefix) holds \(address), which is taken; write another prefix of \(lan)")
            }
        }
        for (place, owned) in hostPrefixes.enumerated() {
            guard let other = hostPrefixes[..<place].first(where: { $0.prefix.overlaps(owned.prefix) }),
                nodes[owned.node].attachment.map({ nodes[$0].kind }) == .patronus
            else { continue }
            owned.cursor.fault(
                "\(owned.prefix) overlaps \(other.prefix) of \"\(nodes[other.node].name)\"; write another prefix")
        }
    }

    private func checkLANs() {
        let pools: [IPPrefix] = [.v4(AllottedAddresses.ipv4Pool), .v6(AllottedAddresses.ipv6Pool)]
        for owned in ownedPrefixes {
            for pool in pools where pool.overlaps(owned.prefix) {
                owned.cursor.fault(
                    "\(owned.prefix) overlaps \(pool), from which links get addresses; write another prefix")
            }
        }
        // Prefixes nest or are apart, so that the widest one so far is all there is to compare with.
        let ordered = ownedPrefixes.enumerated().sorted { left, right in
            (left.element.prefix, left.offset) < (right.element.prefix, right.offset)
        }
        var widest: OwnedPrefix?
        for (_, owned) in ordered {
            guard let wide = widest, wide.prefix.overlaps(owned.prefix) else {
                widest = owned
                continue
            }
            let isLater =
                (wide.cursor.position.line, wide.cursor.position.column)
                < (owned.cursor.position.line, owned.cursor.position.column)
            let (earlier, later) = isLater ? (wide, owned) : (owned, wide)
            later.cursor.fault(
                "\(later.prefix) overlaps \(earlier.prefix) of \"\(nodes[earlier.node].name)\"; write another prefix"
            )
        }
    }

    private func checkHostCapacity() {
        var counts = [Int](repeating: 0, count: nodes.count)
        for node in nodes {
            if let site = node.attachment { counts[site] += 1 }
        }
        for (index, count) in counts.enumerated() where count > 0 && nodes[index].kind == .patronus {
            for prefix in LANAddresses.families(of: nodes[index].lan) {
                let capacity = LANAddresses.hostCapacity(of: prefix)
                guard count > capacity, let place = nodePlaces[index] else { continue }
                place.cursor.fault(
                    "\(prefix) has room for \(capacity) hosts, not for \(count); write a shorter prefix",
                    at: place.keyPosition)
            }
        }
    }

    /// Every link's prefix with the place to blame, nil where the addresses were allotted.
    private func linkPrefixes() -> [(prefix: IPPrefix, place: Cursor?)] {
        var result: [(prefix: IPPrefix, place: Cursor?)] = []
        for (index, link) in links.enumerated() {
            let place = linkPlaces[index]
            for address in link.first.addresses { result.append((address.prefix, place)) }
            let allotted = AllottedAddresses(linkNumber: index)
            if !link.first.addresses.contains(where: { $0.address.isIPv4 }) {
                result.append((IPPrefix(.v4(allotted.ipv4), length: 31), nil))
            }
            if !link.first.addresses.contains(where: { !$0.address.isIPv4 }) {
                result.append((IPPrefix(.v6(allotted.ipv6), length: 127), nil))
            }
        }
        let accessLinks = nodes.count { node in node.attachment.map { nodes[$0].kind != .patronus } ?? false }
        for number in 0..<accessLinks {
            let allotted = AllottedAddresses(linkNumber: links.count + number)
            result.append((IPPrefix(.v4(allotted.ipv4), length: 31), nil))
            result.append((IPPrefix(.v6(allotted.ipv6), length: 127), nil))
        }
        return result
    }

    private func checkLinkAddresses() {
        var entries = linkPrefixes().enumerated().map {
            (order: $0.offset, prefix: $0.element.prefix, place: $0.element.place)
        }
        guard entries.contains(where: { $0.place != nil }) else { return }
        entries.append((entries.count, .v4(OverlayAddresses.pool), nil))
        for owned in ownedPrefixes { entries.append((entries.count, owned.prefix, nil)) }
        entries.sort { ($0.prefix, $0.order) < ($1.prefix, $1.order) }
        var widest = entries.first
        for entry in entries.dropFirst() {
            guard let wide = widest, wide.prefix.overlaps(entry.prefix) else {
                widest = entry
                continue
            }
            // Of two links with addresses of their own, the later one is to blame.
            let (blamed, other) =
                entry.place == nil || (wide.place != nil && wide.order > entry.order)
                ? (wide, entry) : (entry, wide)
            blamed.place?.fault("\(blamed.prefix) overlaps \(other.prefix), which is taken; write other \"addresses\"")
        }
    }

    private func checkAutonomousSystems() {
        for (index, link) in links.enumerated() {
            let first = nodes[link.first.node]
            let second = nodes[link.second.node]
            guard let number = first.autonomousSystem, number == second.autonomousSystem,
                first.kind != .patronus || second.kind != .patronus
            else { continue }
            linkPlaces[index]?.fault(
                "\"\(first.name)\" and \"\(second.name)\" are neighbours with the same asn \(number); give one another")
        }
        var owners: [UInt32: String] = [:]
        for (index, node) in nodes.enumerated() {
            guard let number = node.autonomousSystem else { continue }
            guard let owner = owners[number] else {
                owners[number] = node.name
                continue
            }
            nodePlaces[index]?.cursor.warn(
                "\"\(owner)\" has the same asn \(number)", at: nodePlaces[index]?.keyPosition)
        }
    }

    // MARK: Reachability

    /// Faults for nodes that no link leads to, and for parts that no link joins.
    func checkReachability() {
        guard !hasLostLinks, !nodes.isEmpty else { return }
        let parts = connectedParts()
        var sizes = [Int](repeating: 0, count: nodes.count)
        for part in parts { sizes[part] += 1 }
        var main = 0
        for index in nodes.indices where sizes[parts[index]] > sizes[main] { main = parts[index] }
        guard nodes.count > 1 else { return }
        var loneImported = 0
        var blamed: Set<Int> = []
        for index in nodes.indices where parts[index] != main && isNeeded(nodes[index]) {
            guard let place = nodePlaces[index] else {
                loneImported += 1
                continue
            }
            guard blamed.insert(parts[index]).inserted else { continue }
            let name = nodes[index].name
            if sizes[parts[index]] == 1 {
                let remedy = nodes[index].kind == .host ? "write \"at\" with the node where it stands" : "add a link"
                place.cursor.fault("no link leads to \"\(name)\"; \(remedy)", at: place.keyPosition)
            } else {
                place.cursor.fault(
                    "\"\(name)\" cannot be reached from \"\(nodes[main].name)\"; add a link between the two parts",
                    at: place.keyPosition)
            }
        }
        if loneImported > 0 {
            root.warn("\(loneImported) imported nodes are not linked to the others")
        }
    }

    /// Whether a node must be reached; those that stand idle in this version need no link.
    private func isNeeded(_ node: TopologyNode) -> Bool {
        node.kind != .linux && !node.kind.isCloud
    }

    /// For each node the lowest index of a node in its part of the graph.
    private func connectedParts() -> [Int] {
        var parts = Array(nodes.indices)
        func root(_ node: Int) -> Int {
            var node = node
            while parts[node] != node {
                parts[node] = parts[parts[node]]
                node = parts[node]
            }
            return node
        }
        func join(_ first: Int, _ second: Int) {
            let first = root(first)
            let second = root(second)
            parts[max(first, second)] = min(first, second)
        }
        for link in links { join(link.first.node, link.second.node) }
        for (index, node) in nodes.enumerated() {
            if let site = node.attachment { join(index, site) }
        }
        return nodes.indices.map { root($0) }
    }
}

extension IPPrefix {
    /// Whether all of another prefix's addresses are this one's.
    func covers(_ other: IPPrefix) -> Bool { other.length >= length && contains(other.address) }
}

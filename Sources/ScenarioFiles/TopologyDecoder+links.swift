import Basics
import Scenario
import Wire

extension TopologyDecoder {
    mutating func decodeLinks(_ cursor: Cursor?) {
        guard let elements = cursor?.elements(expected: "a list of links, [ { \"endpoints\": [\"a\", \"b\"] } ]") else {
            return
        }
        var names: Set<String> = Set(links.map { name(of: $0) })
        var ports: Set<String> = []
        for element in elements {
            guard let object = element.object(keys: KnownKeys.link), let link = link(object) else {
                hasLostLinks = true
                continue
            }
            let name = name(of: link)
            let isNew = names.insert(name).inserted
            guard judgePorts(link, object, taken: &ports) else {
                hasLostLinks = true
                continue
            }
            if !isNew {
                (object["name"] ?? object["endpoints"])?.fault(
                    "another link is named \"\(name)\"; give this one a \"name\" of its own")
            }
            links.append(link)
            linkPlaces.append(element)
        }
    }

    /// What events and captures call a link.
    private func name(of link: LinkDeclaration) -> String {
        func text(_ end: EndDeclaration) -> String {
            end.port.map { "\(nodes[end.node].name):\($0)" } ?? nodes[end.node].name
        }
        return link.name ?? "\(text(link.first))--\(text(link.second))"
    }

    private func link(_ object: ObjectCursor) -> LinkDeclaration? {
        let name = object["name"]?.name(forbidden: " /\"")
        let settings = LinkSettingsDecoder(session: session)
        let forward = settings.decode(object)
        var reverse = forward
        if let cursor = object["reverse"], let overrides = cursor.object(keys: KnownKeys.linkSettings) {
            reverse = forward.overridden(by: settings.decode(overrides))
        }
        let addresses = object["addresses"].map { self.addresses($0) } ?? ([], [])
        let example = "\"endpoints\": [\"branch:wan-a\", \"isp-a\"]"
        guard let cursor = object.required("endpoints", example),
            let ends = cursor.elements(expected: "a list of two endpoints, [\"branch:wan-a\", \"isp-a\"]")
        else { return nil }
        guard ends.count == 2 else {
            cursor.fault("a link has two endpoints, not \(ends.count); write [\"branch:wan-a\", \"isp-a\"]")
            return nil
        }
        let first = end(ends[0], addresses.0)
        let second = end(ends[1], addresses.1)
        guard let first, let second else { return nil }
        guard first.node != second.node else {
            cursor.fault("both endpoints are \"\(nodes[first.node].name)\"; a link joins two nodes")
            return nil
        }
        let kinds = [nodes[first.node].kind, nodes[second.node].kind]
        if kinds.contains(.host), kinds.contains(.patronus) {
            cursor.fault("a host is no endpoint of a patronus node's link; put it on the LAN with \"at\" in its node")
            return nil
        }
        return LinkDeclaration(name: name, first, second, forward: forward, reverse: reverse)
    }

    private func end(_ cursor: Cursor, _ addresses: [PortAddress]) -> EndDeclaration? {
        guard let text = cursor.string(expected: "an endpoint such as \"branch:wan-a\"") else { return nil }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count <= 2, parts.count == 1 || !parts[1].isEmpty else {
            cursor.fault("\"\(cursor.shown(text))\" is no endpoint; write NODE or NODE:PORT, such as \"branch:wan-a\"")
            return nil
        }
        guard let node = nodeIndex(named: String(parts[0]), cursor) else { return nil }
        guard parts.count == 2 else { return EndDeclaration(node, addresses: addresses) }
        let port = String(parts[1])
        guard Cursor.judgeName(port, forbidden: " >/\"", { cursor.fault($0) }) else { return nil }
        return EndDeclaration(node, port: port, addresses: addresses)
    }

    /// Whether both ports are free, which they are no more afterwards.
    private func judgePorts(_ link: LinkDeclaration, _ object: ObjectCursor, taken: inout Set<String>) -> Bool {
        var areFree = true
        for (index, end) in [link.first, link.second].enumerated() {
            guard let port = end.port, !taken.insert("\(nodes[end.node].name):\(port)").inserted else { continue }
            let ends = object["endpoints"]?.elements(expected: "")
            ends?[index].fault(
                "port \"\(port)\" of \"\(nodes[end.node].name)\" is taken by another link; write another port")
            areFree = false
        }
        return areFree
    }

    /// The addresses of both ends: one pair of either family, or one of each.
    private func addresses(_ cursor: Cursor) -> ([PortAddress], [PortAddress]) {
        let example = "[\"192.0.2.0\", \"192.0.2.1\"]"
        guard let elements = cursor.elements(expected: "a pair of addresses, \(example)") else { return ([], []) }
        guard elements.count == 2 || elements.count == 4 else {
            cursor.fault("there are \(elements.count) addresses; write \(example), or a pair of each family")
            return ([], [])
        }
        var first: [PortAddress] = []
        var second: [PortAddress] = []
        for start in stride(from: 0, to: elements.count, by: 2) {
            guard let left = elements[start].portAddress(), let right = elements[start + 1].portAddress() else {
                continue
            }
            guard let pair = pair(left, right, elements[start + 1]) else { continue }
            if first.contains(where: { $0.address.isIPv4 == left.address.isIPv4 }) {
                elements[start].fault("both pairs are of one family; write one pair of IPv4 and one of IPv6")
                continue
            }
            first.append(pair.0)
            second.append(pair.1)
        }
        return (first, second)
    }

    private func pair(
        _ left: (address: IPAddress, length: Int?), _ right: (address: IPAddress, length: Int?), _ place: Cursor
    ) -> (PortAddress, PortAddress)? {
        guard left.address.isIPv4 == right.address.isIPv4 else {
            place.fault("the pair mixes IPv4 and IPv6; write two addresses of one family")
            return nil
        }
        guard left.address != right.address else {
            place.fault("both ends have the address \(right.address); write two different ones")
            return nil
        }
        let width = left.address.isIPv4 ? 32 : 128
        let difference = left.address.bits ^ right.address.bits
        let common = difference.leadingZeroBitCount - (128 - width)
        // A pair that is no /31 or /127 needs room for the prefix's own address, as in 192.0.2.1 and 192.0.2.2.
        let length = left.length ?? right.length ?? common
        guard length <= common, left.length ?? length == length, right.length ?? length == length else {
            place.fault(
                "the addresses are not in one prefix; write two neighbours such as 192.0.2.0/31 and 192.0.2.1/31")
            return nil
        }
        return (
            PortAddress(left.address, prefixLength: length), PortAddress(right.address, prefixLength: length)
        )
    }
}

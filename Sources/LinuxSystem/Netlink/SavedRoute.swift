import CMnl
import Glibc
public import Wire

/// A route with everything about it that can be set, so that it can be given back as it was.
///
/// Two are equal that are the same but for the time that they have left.
public struct SavedRoute: Codable, Sendable {
    /// The message's structure (`rtmsg`), with nothing in it that only the kernel sets.
    private var header: [UInt8]
    private var attributes: [SavedAttribute]
    /// Seconds for which it is there, as a router has told it; nil for ever.
    public private(set) var validSeconds: UInt32?

    /// How many octets a way of several takes before its own attributes.
    private static let nextHopSize = MemoryLayout<rtnexthop>.size

    /// What a message says; nil for what the kernel keeps beside its tables, unless that was asked for.
    init?(_ message: UnsafePointer<nlmsghdr>, includingClones: Bool = false) {
        let size = MemoryLayout<rtmsg>.size
        guard mnl_nlmsg_get_payload_len(message) >= size,
            var header = mnl_nlmsg_get_payload(message)?.loadUnaligned(as: rtmsg.self),
            includingClones || header.rtm_flags & UInt32(RTM_F_CLONED) == 0
        else { return nil }
        header.rtm_flags &= UInt32(RTNH_F_ONLINK | RTNH_F_PERVASIVE)
        var attributes: [SavedAttribute] = []
        var seconds: UInt32?
        NetlinkAttributes(of: message, after: size).forEach { type, attribute in
            switch type {
            case Int(RTA_CACHEINFO.rawValue): seconds = Self.secondsLeft(attribute)
            case Int(RTA_MULTIPATH.rawValue):
                attributes.append(SavedAttribute(type, octets: Self.withoutState(Array(attribute.octets))))
            default: attributes.append(SavedAttribute(type, attribute))
            }
        }
        // A route by a next hop that has a number of its own says where that leads, but may not be made so.
        if attributes.contains(where: { $0.type == Int(RTA_NH_ID.rawValue) }) {
            let told = [RTA_OIF, RTA_GATEWAY, RTA_MULTIPATH, RTA_VIA].map { Int($0.rawValue) }
            attributes.removeAll { told.contains($0.type) }
        }
        self.header = withUnsafeBytes(of: header) { Array($0) }
        self.attributes = attributes
        validSeconds = seconds
    }

    private static func secondsLeft(_ attribute: NetlinkAttributes) -> UInt32? {
        guard attribute.octets.count >= MemoryLayout<rta_cacheinfo>.size else { return nil }
        // In ticks of the kernel's clock; below zero where the kernel has yet to notice its end.
        let ticks = attribute.octets.loadUnaligned(as: rta_cacheinfo.self).rta_expires
        return ticks == 0 ? nil : UInt32(max(ticks, 0)) / UInt32(max(sysconf(Int32(_SC_CLK_TCK)), 1))
    }

    /// What is left of it after so many seconds; nil where nothing is.
    public func aged(by seconds: UInt32) -> SavedRoute? {
        guard let validSeconds else { return self }
        guard validSeconds > seconds else { return nil }
        var result = self
        result.validSeconds = validSeconds - seconds
        return result
    }

    /// The ways of a route without what the kernel says of their links.
    private static func withoutState(_ octets: [UInt8]) -> [UInt8] {
        var octets = octets
        var place = 0
        while place + nextHopSize <= octets.count {
            octets[place + 2] &= UInt8(RTNH_F_ONLINK | RTNH_F_PERVASIVE)
            guard let size = wayLength(octets, at: place) else { break }
            place += (size + 3) & ~3
        }
        return octets
    }

    private static func wayLength(_ octets: [UInt8], at place: Int) -> Int? {
        let size = Int(octets.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place, as: UInt16.self) })
        return size >= nextHopSize ? size : nil
    }

    private var fields: rtmsg {
        header.withUnsafeBytes { $0.count >= MemoryLayout<rtmsg>.size ? $0.loadUnaligned(as: rtmsg.self) : rtmsg() }
    }

    private func attribute(_ type: rtattr_type_t) -> SavedAttribute? {
        attributes.first { $0.type == Int(type.rawValue) }
    }

    public var table: UInt32 { attribute(RTA_TABLE)?.number ?? UInt32(fields.rtm_table) }
    /// Whether it is of the table that the kernel keeps for itself.
    public var isOfLocalTable: Bool { table == UInt32(RT_TABLE_LOCAL.rawValue) }
    /// Whether it leads everywhere.
    public var isDefault: Bool { fields.rtm_dst_len == 0 && Int32(fields.rtm_type) == RTN_UNICAST }
    public var hasGateway: Bool {
        [RTA_GATEWAY, RTA_MULTIPATH, RTA_VIA].contains { attribute($0) != nil }
    }
    /// Which of the machine's addresses packets get.
    public var source: IPAddress? { attribute(RTA_PREFSRC)?.address }

    /// All the interfaces by which it leads.
    public var interfaces: [InterfaceIndex] {
        var found: [InterfaceIndex] = []
        if let single = attribute(RTA_OIF) { found.append(InterfaceIndex(single.number)) }
        guard let ways = attribute(RTA_MULTIPATH)?.octets else { return found }
        var place = 0
        while place + Self.nextHopSize <= ways.count, let size = Self.wayLength(ways, at: place) {
            let number = ways.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self) }
            found.append(InterfaceIndex(number))
            place += (size + 3) & ~3
        }
        return found
    }

    func put(in message: NetlinkMessage, withLifetime: Bool) {
        message.put(structure: fields)
        for attribute in attributes { message.put(attribute.type, octets: attribute.octets) }
        guard withLifetime, let validSeconds else { return }
        message.put(Int(RTA_EXPIRES.rawValue), octets: withUnsafeBytes(of: validSeconds) { Array($0) })
    }
}

extension SavedRoute: Hashable {
    public static func == (left: SavedRoute, right: SavedRoute) -> Bool {
        left.header == right.header && left.attributes == right.attributes
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(header)
        hasher.combine(attributes)
    }
}

extension SavedRoute: CustomStringConvertible {
    public var description: String {
        let destination = attribute(RTA_DST)?.address.map { "\($0)/\(fields.rtm_dst_len)" } ?? "everywhere"
        let gateway = attribute(RTA_GATEWAY)?.address.map { " through \($0)" } ?? ""
        return destination + gateway + interfaces.map { " on \($0)" }.joined()
    }
}

import CMnl
public import Wire

/// An address of an interface with everything about it that can be set, so that it can be given back as it was.
public struct SavedAddress: Hashable, Codable, Sendable {
    /// The message's structure (`ifaddrmsg`), with nothing in it that only the kernel sets.
    private var header: [UInt8]
    private var attributes: [SavedAttribute]
    /// Seconds for which it is preferred, and for which it is valid at all; nil for ever.
    public private(set) var preferredSeconds: UInt32?
    public private(set) var validSeconds: UInt32?

    private static let forever = UInt32.max

    init?(_ message: UnsafePointer<nlmsghdr>) {
        let size = MemoryLayout<ifaddrmsg>.size
        guard mnl_nlmsg_get_payload_len(message) >= size,
            var header = mnl_nlmsg_get_payload(message)?.loadUnaligned(as: ifaddrmsg.self)
        else { return nil }
        var flags = UInt32(header.ifa_flags)
        var lifetimes = ifa_cacheinfo(
            ifa_prefered: Self.forever, ifa_valid: Self.forever, cstamp: 0, tstamp: 0)
        var attributes: [SavedAttribute] = []
        NetlinkAttributes(of: message, after: size).forEach { type, attribute in
            switch type {
            case IFA_FLAGS: flags = attribute.number(UInt32.self)
            case IFA_CACHEINFO:
                guard attribute.octets.count >= MemoryLayout<ifa_cacheinfo>.size else { return }
                lifetimes = attribute.octets.loadUnaligned(as: ifa_cacheinfo.self)
            default: attributes.append(SavedAttribute(type, attribute))
            }
        }
        flags &= Self.settableFlags(isIPv4: Int32(header.ifa_family) == AF_INET)
        header.ifa_flags = UInt8(truncatingIfNeeded: flags)
        attributes.append(SavedAttribute(IFA_FLAGS, flags))
        self.header = withUnsafeBytes(of: header) { Array($0) }
        self.attributes = attributes
        preferredSeconds = lifetimes.ifa_prefered == Self.forever ? nil : lifetimes.ifa_prefered
        validSeconds = lifetimes.ifa_valid == Self.forever ? nil : lifetimes.ifa_valid
    }

    /// What a request may ask for; the rest is the kernel's to know.
    private static func settableFlags(isIPv4: Bool) -> UInt32 {
        let both = IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN
        return UInt32(isIPv4 ? both : both | IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_MANAGETEMPADDR)
    }

    private var fields: ifaddrmsg {
        header.withUnsafeBytes {
            $0.count >= MemoryLayout<ifaddrmsg>.size ? $0.loadUnaligned(as: ifaddrmsg.self) : ifaddrmsg()
        }
    }

    public var interface: InterfaceIndex { InterfaceIndex(fields.ifa_index) }
    public var prefixLength: UInt8 { fields.ifa_prefixlen }
    public var isIPv4: Bool { Int32(fields.ifa_family) == AF_INET }
    /// Whether the kernel made it for the link alone (RFC 4291 §2.5.6).
    public var isLinkLocal: Bool { !isIPv4 && Int32(fields.ifa_scope) == Int32(RT_SCOPE_LINK.rawValue) }

    /// The interface's own end, which is the only one unless there is a peer's.
    public var address: IPAddress? {
        (attributes.first { $0.type == IFA_LOCAL } ?? attributes.first { $0.type == IFA_ADDRESS })?.address
    }

    /// Whether it is the same but for the time that it has left.
    public func isSame(as other: SavedAddress) -> Bool {
        header == other.header && Set(attributes) == Set(other.attributes)
    }

    /// What is left of it after so many seconds; nil where nothing is.
    public func aged(by seconds: UInt32) -> SavedAddress? {
        var result = self
        if let validSeconds {
            guard validSeconds > seconds else { return nil }
            result.validSeconds = validSeconds - seconds
        }
        if let preferredSeconds { result.preferredSeconds = preferredSeconds - min(preferredSeconds, seconds) }
        return result
    }

    func put(in message: NetlinkMessage, withLifetime: Bool) {
        message.put(structure: fields)
        for attribute in attributes { message.put(attribute.type, octets: attribute.octets) }
        guard withLifetime, preferredSeconds != nil || validSeconds != nil else { return }
        let lifetimes = ifa_cacheinfo(
            ifa_prefered: preferredSeconds ?? Self.forever, ifa_valid: validSeconds ?? Self.forever, cstamp: 0,
            tstamp: 0)
        message.put(IFA_CACHEINFO, octets: withUnsafeBytes(of: lifetimes) { Array($0) })
    }
}

extension SavedAddress: CustomStringConvertible {
    public var description: String {
        "\(address.map { "\($0)" } ?? "?")/\(prefixLength) on \(interface)"
    }
}

/// One attribute of a message, kept.
struct SavedAttribute: Hashable, Codable, Sendable {
    let type: Int
    let octets: [UInt8]

    init(_ type: Int, _ attribute: NetlinkAttributes) {
        self.type = type
        octets = Array(attribute.octets)
    }

    init(_ type: Int, _ value: UInt32) {
        self.type = type
        octets = withUnsafeBytes(of: value) { Array($0) }
    }

    init(_ type: Int, octets: [UInt8]) {
        self.type = type
        self.octets = octets
    }

    var number: UInt32 { octets.withUnsafeBytes { NetlinkAttributes(octets: $0).number(UInt32.self) } }

    var address: IPAddress? { octets.withUnsafeBytes { NetlinkAttributes(octets: $0).address } }
}

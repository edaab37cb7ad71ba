import CMnl
import Wire

/// One request to the kernel while it is being written; valid only within the call that gets it.
struct NetlinkMessage {
    let header: UnsafeMutablePointer<nlmsghdr>

    /// Adds a fixed structure, as the message's own header or inside a nest.
    func put<Structure: BitwiseCopyable>(structure: Structure) {
        let place = mnl_nlmsg_put_extra_header(header, MemoryLayout<Structure>.size)
        place?.storeBytes(of: structure, as: Structure.self)
    }

    func put(_ type: Int, _ value: UInt32) {
        mnl_attr_put_u32(header, UInt16(type), value)
    }

    func put(_ type: Int, _ text: String) {
        // The kernel refuses what is longer than this, and the message has room for this much.
        mnl_attr_put_strz(header, UInt16(type), String(decoding: text.utf8.prefix(300), as: UTF8.self))
    }

    func put(_ type: Int, _ address: MACAddress) {
        put(type, octets: (0..<6).map { UInt8(truncatingIfNeeded: address.bits >> (40 - 8 * $0)) })
    }

    func put(_ type: Int, _ address: IPAddress) {
        let count = address.isIPv4 ? 4 : 16
        put(type, octets: (0..<count).map { UInt8(truncatingIfNeeded: address.bits >> (8 * (count - 1 - $0))) })
    }

    func put(_ type: Int, octets: [UInt8]) {
        mnl_attr_put(header, UInt16(type), octets.count, octets)
    }

    func nest(_ type: Int, _ fill: () -> Void) {
        guard let start = mnl_attr_nest_start(header, UInt16(type)) else { return }
        fill()
        mnl_attr_nest_end(header, start)
    }
}

/// The attributes of a message that came from the kernel; valid only within the call that gets it.
struct NetlinkAttributes {
    let octets: UnsafeRawBufferPointer

    init(octets: UnsafeRawBufferPointer) {
        self.octets = octets
    }

    /// The attributes behind a message's fixed structure.
    init(of message: UnsafePointer<nlmsghdr>, after structureSize: Int) {
        let start = mnl_nlmsg_get_payload_offset(message, structureSize)
        let end = mnl_nlmsg_get_payload_tail(message)
        guard let start, let end, start <= end else {
            octets = UnsafeRawBufferPointer(start: nil, count: 0)
            return
        }
        octets = UnsafeRawBufferPointer(start: start, count: end - start)
    }

    /// Hands each attribute's type and octets to `body`.
    func forEach(_ body: (Int, NetlinkAttributes) -> Void) {
        guard var place = octets.baseAddress else { return }
        let end = place + octets.count
        while true {
            let attribute = place.assumingMemoryBound(to: nlattr.self)
            guard mnl_attr_ok(attribute, Int32(end - place)), let payload = mnl_attr_get_payload(attribute) else {
                return
            }
            let count = Int(mnl_attr_get_payload_len(attribute))
            body(
                Int(mnl_attr_get_type(attribute)),
                NetlinkAttributes(octets: UnsafeRawBufferPointer(start: payload, count: count)))
            guard let next = mnl_attr_next(attribute) else { return }
            place = UnsafeRawPointer(next)
        }
    }

    /// The octets as a number of the machine's order; zero when they are too few.
    func number<Number: FixedWidthInteger & BitwiseCopyable>(_: Number.Type) -> Number {
        octets.count >= MemoryLayout<Number>.size ? octets.loadUnaligned(as: Number.self) : 0
    }

    var text: String {
        String(decoding: octets.prefix { $0 != 0 }, as: UTF8.self)
    }

    /// The octets as a number of the network's order.
    private var bits: UInt128 { octets.reduce(0) { $0 << 8 | UInt128($1) } }

    var hardwareAddress: MACAddress? {
        octets.count == 6 ? MACAddress(bits: UInt64(truncatingIfNeeded: bits)) : nil
    }

    var address: IPAddress? {
        switch octets.count {
        case 4: .v4(IPv4Address(bits: UInt32(truncatingIfNeeded: bits)))
        case 16: .v6(IPv6Address(bits: bits))
        default: nil
        }
    }

    /// The gateway that an attribute of a route is, of whichever family; nil for any other attribute.
    func gateway(ofType type: Int) -> IPAddress? {
        switch UInt32(type) {
        case UInt32(RTA_GATEWAY.rawValue): address
        case UInt32(RTA_VIA.rawValue) where octets.count > 2:
            Self(octets: UnsafeRawBufferPointer(rebasing: octets[2...])).address
        default: nil
        }
    }
}

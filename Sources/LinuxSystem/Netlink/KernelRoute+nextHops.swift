import CMnl
import Glibc
public import Wire

extension KernelRoute {
    /// One of the ways of a route that has several.
    public struct NextHop: Hashable, Sendable, CustomStringConvertible {
        public var gateway: IPAddress
        public var interface: InterfaceIndex

        public init(through gateway: IPAddress, on interface: InterfaceIndex) {
            self.gateway = gateway
            self.interface = interface
        }

        public var description: String { "through \(gateway) on \(interface)" }
    }

    /// A route over which flows are spread evenly, each over one of several next hops.
    public init(to destination: IPPrefix, over nextHops: [NextHop], metric: UInt32? = nil) {
        self.init(to: destination, metric: metric)
        self.nextHops = nextHops
    }

    /// The next hops as the kernel wants them (`RTA_MULTIPATH` of rtnetlink(7)).
    var nextHopOctets: [UInt8] {
        nextHops.flatMap { hop -> [UInt8] in
            let gateway = gatewayAttribute(hop.gateway)
            let attributeSize = MemoryLayout<rtattr>.size + gateway.octets.count
            var head = rtnexthop()
            head.rtnh_len = UInt16(MemoryLayout<rtnexthop>.size + attributeSize)
            head.rtnh_ifindex = Int32(bitPattern: hop.interface.number)
            let attribute = rtattr(rta_len: UInt16(attributeSize), rta_type: UInt16(gateway.type))
            let padding = [UInt8](repeating: 0, count: -gateway.octets.count & 3)
            return withUnsafeBytes(of: head) { Array($0) } + withUnsafeBytes(of: attribute) { Array($0) }
                + gateway.octets + padding
        }
    }

    /// A gateway as the kernel wants it: one of the other family says so in front (RFC 8950).
    func gatewayAttribute(_ gateway: IPAddress) -> (type: Int, octets: [UInt8]) {
        let byteCount = gateway.isIPv4 ? 4 : 16
        let address = (0..<byteCount).map { place in
            UInt8(truncatingIfNeeded: gateway.bits >> (8 * (byteCount - 1 - place)))
        }
        guard gateway.isIPv4 != destination.isIPv4 else { return (Int(RTA_GATEWAY.rawValue), address) }
        let family = UInt16(gateway.isIPv4 ? AF_INET : AF_INET6)
        return (Int(RTA_VIA.rawValue), withUnsafeBytes(of: family) { Array($0) } + address)
    }

    /// Reads next hops as the kernel lists them; those without a gateway are left out.
    static func nextHops(from octets: UnsafeRawBufferPointer) -> [NextHop] {
        let headSize = MemoryLayout<rtnexthop>.size
        var found: [NextHop] = []
        var place = 0
        while place + headSize <= octets.count {
            let head = octets.loadUnaligned(fromByteOffset: place, as: rtnexthop.self)
            let end = place + Int(head.rtnh_len)
            guard Int(head.rtnh_len) >= headSize, end <= octets.count else { break }
            let attributes = NetlinkAttributes(octets: UnsafeRawBufferPointer(rebasing: octets[place + headSize..<end]))
            attributes.forEach { type, attribute in
                guard let gateway = attribute.gateway(ofType: type) else { return }
                found.append(NextHop(through: gateway, on: InterfaceIndex(UInt32(bitPattern: head.rtnh_ifindex))))
            }
            place += (Int(head.rtnh_len) + 3) & ~3
        }
        return found
    }
}

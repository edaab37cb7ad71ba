import BFD
import BGP
import Basics
import Links
import Steering
import Traffic
import Tunnel
import Wire

/// Every decoder of octets or text that others send; the input's first octet picks one.
///
/// A decoder passes by returning, with a value or with an error; what it must not do is trap.
/// New ones are added at the end, so that kept inputs go on meaning what they meant.
enum Decoder: UInt8, CaseIterable {
    case ipv4, ipv6, tcp, udp, icmp, arp, ethernet
    case bfd, geneve, tunnel, packetHead
    case address, quantity
    case bgpHeader, bgpOpen, bgpUpdate, bgpNotification, bgpRouteRefresh, community
    case trace, filePreamble, stamp

    func decode(_ bytes: RawSpan) {
        switch self {
        case .ipv4: _ = try? IPv4Header(parsing: bytes)
        case .ipv6: _ = try? IPv6Header(parsing: bytes)
        case .tcp: _ = try? TCPHeader(parsing: bytes)
        case .udp: udp(bytes)
        case .icmp: _ = try? ICMPHeader(parsing: bytes)
        case .arp: _ = try? ARPPacket(parsing: bytes)
        case .ethernet: _ = try? EthernetHeader(parsing: bytes)
        case .bfd: _ = try? ControlPacket(parsing: bytes)
        case .geneve: _ = try? GeneveHeader(parsing: bytes)
        case .tunnel: tunnel(bytes)
        case .packetHead: _ = PacketHead(parsing: bytes)
        case .address: address(text(bytes))
        case .quantity: quantity(text(bytes))
        case .bgpHeader: if bytes.byteCount >= MessageHeader.size { _ = try? MessageHeader(bytes) }
        case .bgpOpen: _ = try? OpenMessage(body: bytes)
        case .bgpUpdate: update(bytes)
        case .bgpNotification: _ = try? Notification(body: bytes)
        case .bgpRouteRefresh: _ = try? RouteRefreshMessage(body: bytes)
        case .community: community(text(bytes))
        case .trace: _ = try? Trace(parsing: bytes.withUnsafeBytes { Array($0) })
        case .filePreamble: _ = FilePreamble(parsing: bytes)
        case .stamp: stamp(bytes)
        }
    }

    private func udp(_ bytes: RawSpan) {
        _ = try? UDPHeader(parsing: bytes)
        _ = UDPHeader.isIntact(bytes, from: .v4(.any), to: .v4(.broadcast))
    }

    private func tunnel(_ bytes: RawSpan) {
        _ = Tunnel.peek(bytes)
        _ = try? TunnelHeader(parsing: bytes)
        _ = try? ProbePayload(parsing: bytes)
    }

    /// The first octet chooses among the sessions that read the message differently.
    private func update(_ bytes: RawSpan) {
        guard bytes.byteCount > 0 else { return }
        let kind = bytes.unsafeLoad(fromByteOffset: 0, as: UInt8.self)
        let context = UpdateContext(
            isInternal: kind & 1 != 0, isFourOctet: kind & 2 != 0,
            families: kind & 4 != 0 ? .ipv4Unicast : [.ipv4Unicast, .ipv6Unicast])
        _ = try? UpdateMessage(body: bytes.extracting(1...), context: context)
    }

    private func community(_ text: String) {
        if let community = Community(text) { precondition(Community(community.description) == community) }
        if let community = LargeCommunity(text) { precondition(LargeCommunity(community.description) == community) }
    }

    private func stamp(_ bytes: RawSpan) {
        for placement in StampPlacement.allCases { _ = MeasuringStamp(parsing: bytes, placement: placement) }
    }

    /// What prints must read back as itself.
    private func address(_ text: String) {
        if let address = IPAddress(text) { precondition(IPAddress(address.description) == address) }
        if let prefix = IPPrefix(text) { precondition(IPPrefix(prefix.description) == prefix) }
    }

    private func quantity(_ text: String) {
        if let interval = try? Interval(parsing: text) {
            precondition((try? Interval(parsing: interval.description)) == interval)
        }
        if let rate = try? BitRate(parsing: text) {
            precondition((try? BitRate(parsing: rate.description)) == rate)
        }
        if let ratio = try? Ratio(parsing: text) {
            precondition((try? Ratio(parsing: ratio.description)) == ratio)
        }
        _ = try? PacketRate(parsing: text)
        _ = try? ByteCount(parsing: text)
    }

    private func text(_ bytes: RawSpan) -> String {
        bytes.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
    }
}

/// What libFuzzer calls for each input.
@_cdecl("LLVMFuzzerTestOneInput")
func fuzz(_ input: UnsafePointer<UInt8>?, _ count: Int) -> Int32 {
    guard count > 0, let input else { return 0 }
    let bytes = unsafe UnsafeRawBufferPointer(start: input, count: count)
    let decoders = UInt8(Decoder.allCases.count)
    guard let decoder = unsafe Decoder(rawValue: bytes[0] % decoders) else { return 0 }
    // A copy of the exact size, so that a read past the end is one past an allocation.
    let octets = unsafe [UInt8](bytes.dropFirst())
    decoder.decode(octets.span.bytes)
    return 0
}

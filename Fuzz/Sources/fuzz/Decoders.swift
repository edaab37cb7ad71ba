import BFD
import BGP
import Basics
import ScenarioFiles
import Steering
import Tunnel
import Wire

/// Every decoder of octets or text that others send, and the machines behind them; the input's first octet picks one.
///
/// A decoder passes by returning, with a value or with an error; what it must not do is trap.
enum Decoder: UInt8, CaseIterable {
    case ipv4, ipv6, tcp, udp, icmp, arp, ethernet
    case bfd, geneve, tunnel, packetHead
    case address, quantity
    case bgpHeader, bgpOpen, bgpUpdate, bgpNotification, bgpRefresh
    case speaker, node
    case json, yaml, scenario, topology, yamlScenario, graph, trace
    case object, program
    case mrt, bmp

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
        case .bgpNotification: _ = try? BGP.Notification(body: bytes)
        case .bgpRefresh: _ = try? RouteRefreshMessage(body: bytes)
        case .speaker: SpeakerDriver.run(InputReader(bytes))
        case .node: NodeDriver.run(InputReader(bytes))
        case .json: document(bytes, file: "input.json")
        case .yaml: document(bytes, file: "input.yaml")
        case .scenario: FileSet().load("scenario.json", with: bytes, in: "scenario.json")
        case .topology: FileSet().load("scenario.json", with: bytes, in: "topology.json")
        case .yamlScenario: FileSet().load("scenario.yaml", with: bytes, in: "scenario.yaml")
        case .graph: FileSet().load("imported.json", with: bytes, in: "graph.graphml")
        case .trace: FileSet().load("traced.json", with: bytes, in: "line.trace")
        case .object: ObjectDriver.load(InputReader(bytes).rest())
        case .program: ObjectDriver.run(InputReader(bytes).rest())
        case .mrt: records(bytes)
        case .bmp: monitoring(bytes)
        }
    }

    private func records(_ bytes: RawSpan) {
        var reader = MRTReader()
        while reader.offset < bytes.byteCount {
            guard case .routes(let routes)? = (try? reader.next(in: bytes))?.content else { continue }
            var entries = MRTEntryReader(routes)
            while let entry = try? entries.next(in: bytes) {
                _ = try? UpdateMessage(tableEntry: bytes.extracting(entry.attributes), of: routes.prefix)
            }
        }
    }

    private func monitoring(_ bytes: RawSpan) {
        var reader = BMPReader()
        var last = -1
        while last != reader.offset {
            last = reader.offset
            _ = try? reader.next(in: bytes)
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

    /// The first octet says what the session has agreed on.
    private func update(_ bytes: RawSpan) {
        var input = InputReader(bytes)
        let flags = input.octet() ?? 0
        let context = UpdateContext(
            isInternal: flags & 1 != 0, isFourOctet: flags & 2 != 0,
            families: flags & 4 != 0 ? .ipv4Unicast : [.ipv4Unicast, .ipv6Unicast],
            requiredFirstAS: flags & 8 != 0 ? 65002 : nil)
        let body = input.rest()
        _ = try? UpdateMessage(body: body.span.bytes, context: context)
    }

    /// A document without a root says why.
    private func document(_ bytes: RawSpan, file: String) {
        let parsed = ParsedDocument(InputReader(bytes).rest(), file: file)
        precondition(parsed.root != nil || !parsed.faults.isEmpty)
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

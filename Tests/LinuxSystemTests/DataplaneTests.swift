import Basics
import Dataplane
import LinuxSystem
import Testing
import Wire

/// The project's own program on real ports, between sockets.
@Suite(.serialized, .enabled(if: Kernel.isWilling, "\(Kernel.reason)"))
struct DataplaneTests {
    private func tuple(_ number: UInt8, port: UInt16) -> FiveTuple {
        FiveTuple(
            source: .v4(Overlay.westHost), destination: .v4(Overlay.eastHost), protocolNumber: number, sourcePort: port,
            destinationPort: 5_000)
    }

    @Test func `datagrams go through the tunnel and arrive as they were sent`() throws {
        var overlay = try Overlay()
        try overlay.west.apply(.removeRoute(.v4(IPv4Prefix(Overlay.eastHost, length: 16))))
        let sender = try DatagramSocket(in: overlay.hosts.west, port: 4_000)
        let receiver = try DatagramSocket(in: overlay.hosts.east, port: 5_000)
        // Without a route and without steering, the node itself would get them.
        let unsteered = sender.send(5, to: .v4(Overlay.eastHost), port: 5_000)
        #expect(unsteered == 5)
        let unsteeredArrived = receiver.received(expecting: 1)
        #expect(unsteeredArrived == 0)
        var counts = try overlay.packets(.noRoute)
        #expect(counts == [5, 0])
        try overlay.west.apply(.steer(tuple(ProtocolNumber.udp, port: 4_000), .tunnel(Overlay.tunnel)))
        for size in [1, 33, 512, 1_472] {
            let payload = (0..<size).map { UInt8(truncatingIfNeeded: $0 * 7) }
            let isSent = sender.send(payload, to: Overlay.eastHost, port: 5_000)
            let octets = receiver.receive()
            #expect(isSent && octets == payload)
        }
        let many = sender.send(200, size: 200, to: .v4(Overlay.eastHost), port: 5_000)
        #expect(many == 200)
        let manyArrived = receiver.received(expecting: 200)
        #expect(manyArrived == 200)
        let errors = try overlay.hosts.east.checksumErrors()
        #expect(errors == 0)
        counts = try overlay.packets(.encapsulated)
        #expect(counts == [204, 0])
        counts = try overlay.packets(.delivered)
        #expect(counts == [0, 204])
        let sent = try #require(try overlay.west.account(of: Overlay.tunnel))
        let received = try #require(try overlay.east.account(of: Overlay.tunnel))
        #expect(sent.packetsSent == 204 && received.packetsReceived == 204 && received.packetsExpected == 204)
        let flow = try #require(try overlay.east.flow(tuple(ProtocolNumber.udp, port: 4_000)))
        #expect(flow.fromLower.packets == 204)
    }

    @Test func `a stream goes through tunnels in both directions with right octets`() throws {
        var overlay = try Overlay()
        let stream = try StreamPair(
            from: overlay.hosts.west, to: overlay.hosts.east, at: Overlay.eastHost, port: 5_000)
        let octets = (0..<400_000).map { UInt8(truncatingIfNeeded: ($0 * 31) >> 3) }
        let received = stream.carry(octets)
        #expect(received == octets)
        let counts = [try overlay.packets(.encapsulated), try overlay.packets(.delivered)]
        // Each node takes in as many as the other one sent, acknowledgments included.
        #expect(counts[0][0] == counts[1][1] && counts[0][1] == counts[1][0])
        #expect(counts[0][0] > 270 && counts[0][1] > 10)
        let handshakes = try overlay.packets(.handshake)
        #expect(handshakes == [1, 1])
    }

    @Test func `what is denied, floods or is too long does not arrive, and counts`() throws {
        var limits = FloodGuardLimits()
        limits.udp.source = FloodLimit(1, burst: 10)
        var overlay = try Overlay(limits: limits)
        let sender = try DatagramSocket(in: overlay.hosts.west, port: 4_000)
        let receiver = try DatagramSocket(in: overlay.hosts.east, port: 5_000)
        try overlay.west.apply(.list(.v4(IPv4Prefix(Overlay.westHost, length: 24)), .deny))
        let denied = sender.send(20, to: .v4(Overlay.eastHost), port: 5_000)
        #expect(denied == 20)
        let deniedArrived = receiver.received(expecting: 1)
        #expect(deniedArrived == 0)
        var counts = try overlay.packets(.denied)
        #expect(counts == [20, 0])
        try overlay.west.apply(.unlist(.v4(IPv4Prefix(Overlay.westHost, length: 24)), .deny))
        // Each port is a new flow, of which ten have a token.
        for port in 6_000..<6_100 as Range<UInt16> {
            let sent = sender.send(1, to: .v4(Overlay.eastHost), port: port)
            #expect(sent == 1)
        }
        let dropped = try overlay.packets(.udpFloodFromSource)
        let encapsulated = try overlay.packets(.encapsulated)
        #expect((85...90).contains(dropped[0]) && dropped[0] + encapsulated[0] == 100)
        // The host's link takes 1500 octets, the tunnel now 1500 with its headers.
        var tunnel = DataplaneTunnel(
            from: Overlay.westNode, to: Overlay.eastNode, on: DataplanePort(Overlay.wan.number),
            nextHop: Overlay.eastNode, firstSequence: 1)
        tunnel.maximumPacketByteCount = 1_500
        try overlay.west.apply(.setTunnel(Overlay.tunnel, tunnel))
        try overlay.west.apply(.steer(tuple(ProtocolNumber.udp, port: 4_000), .tunnel(Overlay.tunnel)))
        // The flood has used up the source's tokens for a while.
        try overlay.west.apply(.list(.v4(IPv4Prefix(Overlay.westHost, length: 24)), .allow))
        let long = sender.send(7, size: 1_472, to: .v4(Overlay.eastHost), port: 5_000)
        #expect(long == 7)
        let fitting = sender.send(3, size: 1_420, to: .v4(Overlay.eastHost), port: 5_000)
        #expect(fitting == 3)
        let arrived = receiver.received(expecting: 10)
        #expect(arrived == 3)
        counts = try overlay.packets(.tooLong)
        #expect(counts == [7, 0])
    }
}

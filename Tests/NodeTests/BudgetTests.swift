import Basics
import Machine
import Node
import Steering
import TestKit
import Testing
import Wire

/// What a packet may cost.
@Suite(.serialized)
struct BudgetTests {
    private static let packetCount = 2_000

    @Test func `sealing and opening packets of known flows does not go to the heap`() {
        let world = Overlays.settledPair()
        let (sender, receiver) = (world.sites[0], world.sites[1])
        let now = world.now
        let packets = (0..<8 as Range<UInt16>).map {
            Octets.udp(
                from: sender.host(), to: receiver.host(), ports: (40_000 + $0, 9_000),
                payload: Array(repeating: 1, count: 1_200))
        }
        var datagrams: [[UInt8]] = []
        for round in 0..<Self.packetCount {
            sender.forward(packets[round % 8], at: now)
            for index in 0..<sender.outbox.count {
                guard case .send = sender.outbox[index] else { continue }
                datagrams.append(sender.outbox.copy(of: sender.outbox[index]))
            }
            sender.outbox.removeAll()
        }
        #expect(datagrams.count == Self.packetCount)

        var sent = 0
        let sealing = allocations {
            for round in 0..<Self.packetCount {
                sender.forward(packets[round % 8], at: now)
                if sender.outbox.count == 1, case .send = sender.outbox[0] { sent += 1 }
                sender.outbox.removeAll()
            }
        }
        #expect(sent == Self.packetCount)
        #expect(sealing == 0)

        let remote = SocketAddress(Overlays.portAddress(0, 0), port: 6_081)
        var delivered = 0
        let opening = allocations {
            for datagram in datagrams {
                receiver.receive(datagram, on: SocketID(0), from: remote, at: now)
                if receiver.outbox.count == 1, case .deliver = receiver.outbox[0] { delivered += 1 }
                receiver.outbox.removeAll()
            }
        }
        #expect(delivered == Self.packetCount)
        #expect(opening == 0)
    }

    @Test func `refused packets and datagrams do not go to the heap`() {
        let world = Overlays.settledPair()
        let site = world.sites[0]
        let now = world.now
        let nowhere = Octets.udp(from: site.host(), to: .v4(IPv4Address(8, 8, 8, 8)), payload: [1])
        var random = SeededRandom(seed: 1)
        // Neither IPv4 nor IPv6: while tests run, the library that runs them boxes each error that is thrown.
        let noise = (0..<64).map { _ in [0x70] + random.octets(80) }
        let remote = SocketAddress(Overlays.portAddress(1, 0), port: 6_081)
        var reports = 0
        let count = allocations {
            for round in 0..<Self.packetCount {
                site.forward(nowhere, at: now)
                site.forward(noise[round % 64], at: now)
                site.receive(noise[round % 64], on: SocketID(0), from: remote, at: now)
                reports += site.outbox.count
                site.outbox.removeAll()
            }
        }
        #expect(reports == 3 * Self.packetCount)
        #expect(count == 0)
    }

    @Test func `new flows do not go to the heap once the table is full`() {
        let world = Overlays.pair { _, configuration in configuration.steering.flowCapacity = 100 }
        world.run(until: .zero + .seconds(12))
        let site = world.sites[0]
        let now = world.now
        let packets = (0..<1_000 as Range<UInt16>).map {
            Octets.udp(from: site.host(), to: world.sites[1].host(), ports: ($0, 9_000), payload: [1])
        }
        func pass() {
            for packet in packets {
                site.forward(packet, at: now)
                site.outbox.removeAll()
            }
        }
        pass()
        let count = allocations { pass() }
        #expect(count == 0)
    }

    @Test func `watching idle tunnels does not go to the heap`() throws {
        let world = Overlays.settledPair()
        let site = world.sites[0]
        var wakes = 0
        // The peer is cut off, and BGP is left out: its next KEEPALIVE ends the span that is looked at.
        let end = world.now + .milliseconds(250)
        let count = allocations {
            while let deadline = site.node.nextDeadline?.at, deadline <= end {
                site.node.handle(.deadline, at: deadline, into: &site.outbox)
                for index in 0..<site.outbox.count {
                    if case .send = site.outbox[index] { wakes += 1 }
                }
                site.outbox.removeAll()
            }
        }
        #expect(wakes >= 4)
        #expect(count == 0)
    }
}

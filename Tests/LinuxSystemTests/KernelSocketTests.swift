import Basics
import Foundation
import LinuxSystem
import TestKit
import Testing
import Wire

@Suite(.enabled(if: Kernel.isWilling, "\(Kernel.reason)"))
struct KernelSocketTests {
    private static let loopback = IPAddress.v4(IPv4Address(127, 0, 0, 1))
    private static let loopback6 = IPAddress.v6(IPv6Address(high: 0, low: 1))

    private static func namespace() throws -> NetworkNamespace {
        let namespace = try NetworkNamespace()
        var routes = try RouteSocket(in: namespace)
        try routes.change { $0.changeLink(.named("lo"), LinkChange(isUp: true)) }
        return namespace
    }

    private static func bound(
        _ address: IPAddress, in namespace: borrowing NetworkNamespace, interface: String? = nil
    ) throws -> LinuxSystem.DatagramSocket {
        try namespace.perform { () throws(SystemError) in
            try LinuxSystem.DatagramSocket(SocketAddress(address, port: 0), interface: interface)
        }
    }

    @Test(arguments: [loopback, loopback6])
    func `datagrams go by the batch, in order, with their senders and instants`(address: IPAddress) throws {
        let namespace = try Self.namespace()
        let sender = try Self.bound(address, in: namespace, interface: "lo")
        let receiver = try Self.bound(address, in: namespace)
        var arena = ByteArena(capacity: 1_024)
        var outgoing: [OutgoingDatagram] = []
        for number in 0..<150 as Range<UInt32> {
            let start = arena.count
            arena.append(number)
            arena.append(number)
            let size = number % 2 == 0 ? 4 : 8
            outgoing.append(OutgoingDatagram(to: receiver.local, ByteRange(start: start, count: size)))
        }
        let octets = arena.bytes(ByteRange(start: 0, count: arena.count))
        let before = MonotonicClock.leadOfRealTime() &+ MonotonicClock.kernelReading()
        var refused = 0
        sender.send(outgoing.span, from: octets) { _, _ in refused += 1 }
        #expect(refused == 0)
        var batch = DatagramBatch(capacity: 64)
        var received: [(number: UInt32, size: Int)] = []
        while received.count < 150 {
            try receiver.receive(into: &batch)
            let count = batch.count
            try #require(count > 0)
            for place in 0..<count {
                let sentBy = batch.sender(place)
                #expect(sentBy == sender.local)
                let arrival = batch.arrival(place) ?? 0
                #expect(arrival >= before && arrival < before + 10_000_000_000)
                let bytes = batch.bytes(place)
                let number = bytes.unsafeLoadUnaligned(as: UInt32.self).bigEndian
                received.append((number, bytes.byteCount))
            }
        }
        #expect(received.map(\.number) == Array(0..<150))
        #expect(received.map(\.size) == (0..<150).map { $0 % 2 == 0 ? 4 : 8 })
        try receiver.receive(into: &batch)
        let rest = batch.count
        #expect(rest == 0)
    }

    @Test func `what cannot be sent is refused one by one, and the others leave`() throws {
        let namespace = try Self.namespace()
        let sender = try Self.bound(Self.loopback, in: namespace)
        let receiver = try Self.bound(Self.loopback, in: namespace)
        var arena = ByteArena(capacity: 1_024)
        for number in 0..<70_000 / 8 as Range<UInt64> { arena.append(number) }
        let nowhere = SocketAddress(.v4(IPv4Address(203, 0, 113, 1)), port: 9)
        let outgoing = [
            OutgoingDatagram(to: receiver.local, ByteRange(start: 0, count: 10)),
            OutgoingDatagram(to: nowhere, ByteRange(start: 0, count: 20)),
            OutgoingDatagram(to: receiver.local, ByteRange(start: 0, count: 66_000)),
            OutgoingDatagram(to: receiver.local, ByteRange(start: 0, count: 30)),
        ]
        var refused: [(size: UInt32, number: Int32)] = []
        let octets = arena.bytes(ByteRange(start: 0, count: arena.count))
        sender.send(outgoing.span, from: octets) { refused.append(($0.octets.count, $1)) }
        #expect(refused.map(\.size) == [20, 66_000])
        // The loopback knows no way there, or the address is none to send from.
        #expect([ENETUNREACH, EINVAL].contains(refused[0].number))
        #expect(refused[1].number == EMSGSIZE)
        var batch = DatagramBatch()
        try receiver.receive(into: &batch)
        let sizes = (0..<batch.count).map { batch.bytes($0).byteCount }
        #expect(sizes == [10, 30])
    }

    @Test func `a port that nobody hears is told to a socket that keeps refusals, and sends on`() throws {
        let namespace = try Self.namespace()
        let sender = try Self.bound(Self.loopback, in: namespace)
        try sender.keepRefusals()
        let receiver = try Self.bound(Self.loopback, in: namespace)
        let deaf = SocketAddress(Self.loopback, port: 9)
        var arena = ByteArena(capacity: 16)
        arena.append(7 as UInt64)
        let octets = arena.bytes(ByteRange(start: 0, count: 8))
        var refused = 0
        for remote in [deaf, receiver.local] {
            let outgoing = [OutgoingDatagram(to: remote, ByteRange(start: 0, count: 8))]
            sender.send(outgoing.span, from: octets) { _, _ in refused += 1 }
        }
        #expect(refused == 0)
        let refusal = sender.nextRefusal()
        #expect(refusal == DatagramRefusal(remote: deaf, number: ECONNREFUSED, pathMTU: nil))
        let another = sender.nextRefusal()
        #expect(another == nil)
        var batch = DatagramBatch()
        try receiver.receive(into: &batch)
        let count = batch.count
        #expect(count == 1)
        try sender.receive(into: &batch)
        let none = batch.count
        #expect(none == 0)
    }

    @Test(arguments: [(nearKey: "one key", farKey: "one key"), (nearKey: "one key", farKey: "another")])
    func `signed streams connect where both ends have one key`(nearKey: String, farKey: String) throws {
        let namespace = try Self.namespace()
        let connected = try namespace.perform { () throws(SystemError) -> Bool in
            var listener = try StreamListener(at: SocketAddress(Self.loopback, port: 0))
            do throws(SystemError) {
                var protection = StreamProtection()
                protection.digestKey = Array(farKey.utf8)
                try listener.protect(Self.loopback, protection)
            } catch {
                // A kernel without RFC 2385 says so, and then there is nothing to try.
                guard error.number == ENOPROTOOPT else { throw error }
                return nearKey == farKey
            }
            var options = StreamSocket.Options()
            options.protection.digestKey = Array(nearKey.utf8)
            options.protection.leastHopLimit = 64
            let caller = try StreamSocket(from: Self.loopback, to: listener.local, options)
            let poll = try EventPoll()
            var ready = ReadyDescriptors()
            try poll.add(caller.number, for: .writable, token: 1)
            try poll.wait(atMost: .milliseconds(300), into: &ready)
            return ready.count == 1 && caller.failure() == 0
        }
        #expect(connected == (nearKey == farKey))
    }

    @Test func `links and neighbours are heard of as they change`() throws {
        let namespace = try NetworkNamespace()
        var routes = try RouteSocket(in: namespace)
        let monitor = try namespace.perform { () throws(SystemError) in
            try RouteMonitor([.links, .neighbours])
        }
        try routes.change { $0.createVeth(VethEnd("near"), peer: VethEnd("far")) }
        let near = try routes.existingLink(.named("near")).index
        try routes.change { batch in
            batch.changeLink(.named("near"), LinkChange(isUp: true))
            batch.changeLink(.named("far"), LinkChange(isUp: true))
        }
        // The kernel tells of a carrier when it gets round to it.
        var carriers: [Bool] = []
        let hasCarrier = try eventually {
            try monitor.takeNews { news in
                if case .link(let link) = news, link.index == near { carriers.append(link.isUp && link.hasCarrier) }
            }
            return carriers.last == true
        }
        #expect(hasCarrier && carriers.first == false)
        let address = IPAddress.v4(IPv4Address(192, 0, 2, 9))
        let hardware = MACAddress(locallyAdministered: 9)
        try routes.change { $0.addNeighbour(Neighbour(address, at: hardware, on: near)) }
        let all = try routes.neighbourStates()
        #expect(all.contains(NeighbourState(interface: near, address: address, hardwareAddress: hardware)))
        try routes.change { $0.removeNeighbour(Neighbour(address, at: hardware, on: near)) }
        try routes.change { $0.changeLink(.named("far"), LinkChange(isUp: false)) }
        try routes.change { $0.deleteLink(.named("near")) }
        var known: [MACAddress?] = []
        var isGone = false
        let isComplete = try eventually {
            try monitor.takeNews { news in
                switch news {
                case .linkGone(near): isGone = true
                case .link(let link) where link.index == near: carriers.append(link.isUp && link.hasCarrier)
                case .neighbour(let state) where state.address == address: known.append(state.hardwareAddress)
                default: break
                }
            }
            return isGone
        }
        #expect(isComplete)
        #expect(carriers.last == false)
        #expect(known.first == .some(hardware) && known.last == .some(nil))
    }
}

import Basics
import Emulator
import Glibc
import Links
import LinuxSystem
import Scenario
import Telemetry
import TestKit
import Testing
import Wire

@Suite(.serialized, .enabled(if: WireAbility.isThere, "\(WireAbility.reason)"))
struct WireTests {
    @Test func `no datagram arrives before its delay, and half of them hardly later`() throws {
        let world = try WireWorld(LinkProfile(delay: .milliseconds(20)))
        let arrivals = try world.probe(400, apart: 500)
        let transits = arrivals.map(\.transit).sorted()
        #expect(transits.count == 400 && transits[0] >= .milliseconds(20))
        #expect(transits[200] < .milliseconds(21))
        let lateness = world.wire.lateness(of: 0, .forward)
        #expect(lateness.count == 400 && lateness.quantile(.one) == lateness.maximum)
        #expect(lateness.quantile(Ratio(0.5)) < .milliseconds(1))
    }

    @Test func `a link without delay is never late, for nothing has to wait`() throws {
        let world = try WireWorld(LinkProfile())
        let arrivals = try world.probe(100, apart: 100)
        let lateness = world.wire.lateness(of: 0, .forward)
        #expect(arrivals.count == 100 && lateness.count == 0)
        #expect(world.wire.lateDirections().isEmpty)
    }

    @Test func `the frames that are lost are those that the same link loses in the simulator`() throws {
        let profile = LinkProfile(delay: .milliseconds(5), loss: .bernoulli(Ratio(0.1)))
        let world = try WireWorld(profile)
        let count = 2_000
        let arrivals = try world.probe(count, apart: 20)
        var model = Link(profile, random: SeededRandom(seed: WireWorld.seed, stream: "link wan-0 forward"))
        var expected: [UInt32] = []
        for sequence in 0..<count {
            let now = Instant(nanoseconds: UInt64(sequence) * 100_000)
            _ = model.offer(QueuedPacket(token: UInt32(sequence), byteCount: 142), at: now)
        }
        while let outcome = model.next(at: Instant(nanoseconds: 1_000_000_000)) {
            if case .delivered(let token, _) = outcome { expected.append(token) }
        }
        #expect(arrivals.map(\.sequence) == expected)
        // Three standard deviations and a third of the binomial distribution: 99.9 of a hundred runs.
        let lost = Double(count - arrivals.count)
        #expect(abs(lost - 200) <= 3.29 * (200 * 0.9).squareRoot())
        let counters = world.wire.counters(of: 0, .forward)
        #expect(counters.link.dropped(.loss) == UInt64(count - arrivals.count) && counters.packetsInside == 0)
    }

    @Test func `frames leave by the rate`() throws {
        let world = try WireWorld(LinkProfile(rate: .megabits(10), delay: .milliseconds(5)))
        let arrivals = try world.probe(500, size: 1_208)
        #expect(arrivals.count == 500)
        guard let first = arrivals.first, let last = arrivals.last else { return }
        // 499 frames of 1250 octets, a millisecond each.
        let took = (last.arrivedAt - first.arrivedAt).inMilliseconds
        #expect(abs(took - 499) <= 4.99)
    }

    @Test func `what finds the queue full is dropped and counted`() throws {
        let world = try WireWorld(LinkProfile(rate: .megabits(1), queue: .packets(10)))
        let arrivals = try world.probe(100, size: 208)
        let counters = world.wire.counters(of: 0, .forward).link
        #expect(counters.offered == 100 && counters.delivered == UInt64(arrivals.count))
        #expect(arrivals.count >= 11 && arrivals.count < 40)
        #expect(counters.dropped(.queueFull) == UInt64(100 - arrivals.count))
    }

    @Test func `every frame arrives twice where that is asked for`() throws {
        let world = try WireWorld(LinkProfile(delay: .milliseconds(2), duplicate: .one))
        let arrivals = try world.probe(50, apart: 100)
        #expect(arrivals.map(\.sequence) == (0..<50).flatMap { [UInt32($0), UInt32($0)] })
        #expect(world.wire.counters(of: 0, .forward).link.duplicated == 50)
    }

    @Test func `frames that skip the delay overtake the others`() throws {
        let world = try WireWorld(LinkProfile(delay: .milliseconds(50), reorder: Ratio(0.3)))
        let arrivals = try world.probe(300, apart: 50)
        let early = arrivals.count { $0.transit < .milliseconds(25) }
        #expect(arrivals.count == 300 && abs(Double(early) - 90) <= 3.29 * (90 * 0.7).squareRoot())
        #expect(world.wire.counters(of: 0, .forward).link.reordered == UInt64(early))
        let kept = arrivals.filter { $0.transit >= .milliseconds(25) }.map(\.sequence)
        #expect(kept == kept.sorted())
    }

    @Test func `a damaged frame has one bit inverted, and a capture shows what passed the first end`() throws {
        let world = try WireWorld(
            [(LinkProfile(), LinkProfile(delay: .milliseconds(1), corrupt: .one))], isCaptured: true)
        _ = try world.probe(20, .reverse, size: 100, apart: 100)
        _ = try world.probe(1, .forward, size: 60)
        let capture = world.wire.takeCapture()
        #expect(capture.frames.count == 21 && capture.missed == 0)
        let frames = capture.frames.map { Array(capture.octets(of: $0)) }
        #expect(frames.prefix(20).allSatisfy { $0.count == 142 } && frames.last?.count == 102)
        let instants = capture.frames.map(\.at)
        #expect(instants == instants.sorted() && capture.frames.allSatisfy { $0.link == 0 })
        // What is the same in all datagrams: the Ethernet header, the addresses, the filling. Damage lies anywhere.
        let places = Array(0..<14) + Array(26..<38) + Array(54..<142)
        var template = [UInt8](repeating: 0, count: 142)
        for place in places {
            let values = frames.prefix(20).map { $0[place] }
            template[place] =
                values.max { left, right in
                    values.count { $0 == left } < values.count { $0 == right }
                } ?? 0
        }
        let flips = frames.prefix(20).map { frame in
            places.reduce(0) { $0 + (frame[$1] ^ template[$1]).nonzeroBitCount }
        }
        #expect(flips.allSatisfy { $0 <= 1 } && flips.reduce(0, +) >= 10)
        #expect(world.wire.counters(of: 0, .reverse).link.damaged == 20)
        #expect(world.wire.takeCapture().frames.isEmpty)
    }

    @Test func `the carrier goes with the last direction that works, for both ends`() throws {
        var world = try WireWorld(LinkProfile())
        func carriers(_ world: inout WireWorld) throws -> [Bool] {
            [
                try world.leftRoutes.existingLink(.named("wan-0")).hasCarrier,
                try world.rightRoutes.existingLink(.named("wan-0")).hasCarrier,
            ]
        }
        try world.wire.setUp(0, .forward, false)
        let stillThere = try carriers(&world)
        let lost = try world.probe(10, .forward)
        let kept = try world.probe(10, .reverse)
        let counters = world.wire.counters(of: 0, .forward).link
        #expect(stillThere == [true, true] && lost.isEmpty && kept.count == 10)
        #expect(counters.dropped(.linkDown) == 10)
        #expect(!world.wire.isUp(0, .forward) && world.wire.isUp(0, .reverse))
        try world.wire.setUp(0, .reverse, false)
        let isGone = try eventually { try carriers(&world) == [false, false] }
        #expect(isGone)
        try world.wire.setUp(0, .forward, true)
        try world.wire.setUp(0, .reverse, true)
        let isBack = try eventually { try carriers(&world) == [true, true] }
        #expect(isBack)
        // The kernel opens the interfaces' queues a little after it has seen the carrier.
        let isOpen = try eventually { try world.probe(1, quiet: 100).count == 1 }
        #expect(isOpen)
    }

    @Test func `a machine that is gone hears and says nothing, and nobody sees it by the carrier`() throws {
        var world = try WireWorld(LinkProfile(delay: .milliseconds(300)))
        let heard: [ProbeSocket.Arrival]
        do {
            let sender = try world.socket(.forward)
            let receiver = try world.socket(.reverse)
            let address = WireWorld.address(0, .reverse)
            for sequence in 0..<10 { sender.send(UInt32(sequence), size: 100, to: address, world.clock) }
            let isInside = eventually { world.wire.counters(of: 0, .forward).link.offered == 10 }
            #expect(isInside)
            world.wire.setMachine(at: 0, .reverse, isThere: false)
            heard = receiver.arrivals(expecting: 1, quiet: 600, world.clock)
        }
        let said = try world.probe(10, .reverse, quiet: 600)
        let (near, far) = (
            try world.leftRoutes.existingLink(.named("wan-0")), try world.rightRoutes.existingLink(.named("wan-0"))
        )
        let forward = world.wire.counters(of: 0, .forward)
        #expect(heard.isEmpty && forward.link.delivered == 10 && forward.arrivedAtNobody == 10)
        #expect(said.isEmpty && world.wire.counters(of: 0, .reverse).link.offered == 0)
        #expect(near.hasCarrier && far.hasCarrier)
        world.wire.setMachine(at: 0, .reverse, isThere: true)
        // Nothing of what was sent meanwhile comes later.
        let after = try world.probe(10, apart: 100, quiet: 600).map(\.sequence)
        let back = try world.probe(10, .reverse, apart: 100, quiet: 600).map(\.sequence)
        #expect(after == Array(0..<10) && back == after)
        #expect(world.wire.counters(of: 0, .forward).arrivedAtNobody == 10)
    }

    @Test func `what is on its way when a link goes down is lost`() throws {
        let world = try WireWorld(LinkProfile(delay: .milliseconds(200)))
        let sender = try world.socket(.forward)
        let receiver = try world.socket(.reverse)
        for sequence in 0..<10 {
            sender.send(UInt32(sequence), size: 100, to: WireWorld.address(0, .reverse), world.clock)
        }
        let isInside = eventually { world.wire.counters(of: 0, .forward).packetsInside == 10 }
        try world.wire.setUp(0, .forward, false)
        try world.wire.setUp(0, .forward, true)
        let arrivals = receiver.arrivals(expecting: 1, quiet: 400, world.clock)
        let counters = world.wire.counters(of: 0, .forward)
        #expect(isInside && arrivals.isEmpty && counters.link.dropped(.linkDown) == 10 && counters.packetsInside == 0)
    }

    @Test func `a link is changed while frames are on their way`() throws {
        let world = try WireWorld(LinkProfile(delay: .milliseconds(5)))
        let before = try world.probe(20, apart: 100, quiet: 100)
        world.wire.change(0, .forward, to: LinkProfile(delay: .milliseconds(60)))
        let after = try world.probe(20, apart: 100, quiet: 200)
        let other = try world.probe(20, .reverse, apart: 100, quiet: 100)
        #expect(world.wire.profile(of: 0, .forward).delay == .milliseconds(60))
        #expect(before.count == 20 && before.allSatisfy { $0.transit < .milliseconds(40) })
        #expect(after.count == 20 && after.allSatisfy { $0.transit >= .milliseconds(60) })
        #expect(other.count == 20 && other.allSatisfy { $0.transit < .milliseconds(40) })
    }

    @Test func `one thread serves many links, each as it is configured`() throws {
        let count = 40
        let profiles = (0..<count).map { LinkProfile(delay: .milliseconds(Int64(2 + $0))) }
        let world = try WireWorld(profiles.map { ($0, $0) })
        let sender = try world.socket(.forward)
        let receiver = try world.socket(.reverse)
        for round in 0..<5 {
            for link in 0..<count {
                sender.send(
                    UInt32(round * count + link), size: 100, to: WireWorld.address(link, .reverse), world.clock)
            }
        }
        let arrivals = receiver.arrivals(expecting: 5 * count, world.clock)
        #expect(Set(arrivals.map(\.sequence)).count == 5 * count)
        for arrival in arrivals {
            let delay = Interval.milliseconds(Int64(2 + Int(arrival.sequence) % count))
            #expect(arrival.transit >= delay && arrival.transit < delay + .milliseconds(30))
        }
        #expect(world.wire.linkCount == count)
    }

    @Test func `an interface that is down takes nothing, and that is counted`() throws {
        var world = try WireWorld(LinkProfile())
        try world.rightRoutes.change { $0.changeLink(.named("wan-0"), LinkChange(isUp: false)) }
        let sender = try world.socket(.forward)
        for sequence in 0..<10 {
            sender.send(UInt32(sequence), size: 100, to: WireWorld.address(0, .reverse), world.clock)
        }
        let isCounted = eventually { world.wire.counters(of: 0, .forward).arrivedAtDownInterface == 10 }
        #expect(isCounted)
    }

    @Test func `a frame larger than the wire takes is counted and not offered`() throws {
        var world = try WireWorld(LinkProfile())
        for isLeft in [true, false] {
            let change = LinkChange(mtu: 3_000)
            if isLeft {
                try world.leftRoutes.change { $0.changeLink(.named("wan-0"), change) }
            } else {
                try world.rightRoutes.change { $0.changeLink(.named("wan-0"), change) }
            }
        }
        let arrivals = try world.probe(5, size: 2_000) + world.probe(5, size: 1_500)
        let counters = world.wire.counters(of: 0, .forward)
        #expect(counters.tooLarge == 5 && arrivals.count == 5 && counters.link.offered == 5)
    }

    @Test func `a wire that has ended lets nothing through, and its interfaces go with it`() throws {
        let world = try WireWorld(LinkProfile())
        world.wire.stop()
        let arrivals = try world.probe(5)
        #expect(arrivals.isEmpty)
        var routes = try RouteSocket(in: world.left)
        let present = try routes.link(.named("wan-0"))
        #expect(present != nil)
        _ = consume world
        let left = try routes.link(.named("wan-0"))
        #expect(left == nil)
    }

    @Test func `a fair queue keeps a thin flow's datagrams from waiting behind a thick one's`() throws {
        let profile = LinkProfile(
            rate: .megabits(5), delay: .milliseconds(2), queue: .packets(1_000), discipline: .fairQueueCoDel)
        let world = try WireWorld(profile)
        let sender = try world.socket(.forward)
        let receiver = try world.socket(.reverse)
        let (thick, thin) = (WireWorld.address(0, .reverse), IPv4Address(10, 0, 0, 77))
        var routes = try RouteSocket(in: world.right)
        let other = try routes.existingLink(.named("wan-0")).index
        try routes.change { $0.addAddress(InterfaceAddress(.v4(thin), prefixLength: 24, on: other)) }
        var near = try RouteSocket(in: world.left)
        let port = try near.existingLink(.named("wan-0")).index
        let neighbour = Neighbour(.v4(thin), at: WireWorld.hardware(0, .reverse), on: port)
        try near.change { $0.addNeighbour(neighbour) }
        for sequence in 0..<40 { sender.send(UInt32(sequence), size: 1_200, to: thick, world.clock) }
        sender.send(1_000, size: 100, to: thin, world.clock)
        let arrivals = receiver.arrivals(expecting: 41, world.clock)
        let place = arrivals.firstIndex { $0.sequence == 1_000 }
        #expect(arrivals.count == 41 && place.map { $0 < 20 } == true)
    }

    @Test func `nothing is allocated for a frame once a wire is warm`() throws {
        let profile = LinkProfile(rate: .megabits(50), delay: .milliseconds(3), loss: .bernoulli(Ratio(0.1)))
        let world = try WireWorld([(profile, profile)], isStarted: false)
        let sender = try world.socket(.forward)
        func send(_ count: Int) {
            for sequence in 0..<count {
                sender.send(UInt32(sequence), size: 500, to: WireWorld.address(0, .reverse), world.clock)
            }
        }
        send(600)
        world.wire.serve(for: .milliseconds(200))
        let before = world.wire.counters(of: 0, .forward)
        send(300)
        let count = allocations { world.wire.serve(for: .milliseconds(100)) }
        let after = world.wire.counters(of: 0, .forward)
        #expect(before.link.offered == 600 && after.link.offered == 900 && after.packetsInside == 0)
        #expect(count == 0)
    }

    @Test func `one connection of the kernel's fills 100 Mbit/s over 100 ms`() throws {
        let forward = LinkProfile(rate: .megabits(100), delay: .milliseconds(50), queue: .bytes(2_500_000))
        let world = try WireWorld([(forward, LinkProfile(delay: .milliseconds(50)))])
        let stream = try KernelStream(from: world.left, to: world.right, at: WireWorld.address(0, .reverse))
        let outcome = try stream.run(for: .seconds(5), warmUp: .seconds(3), world.clock)
        let megabits = Double(8 * outcome.count) / outcome.time.inSeconds / 1e6
        #expect(outcome.isWhole)
        // Of each frame of 1514 octets 1448 are the stream's: 95.6 at most, and less where the machine is busy.
        #expect(megabits > 70 && megabits < 96.5)
    }

    @Test(arguments: [false, true])
    func `a fast stream is taken in many segments at a time where the end takes them so`(isJoined: Bool) throws {
        let profile = LinkProfile(rate: .megabits(500), delay: .milliseconds(2), queue: .bytes(1_000_000))
        var world = try WireWorld([(profile, profile)], takesJoinedSegments: isJoined)
        let stream = try KernelStream(from: world.left, to: world.right, at: WireWorld.address(0, .reverse))
        let outcome = try stream.run(for: .seconds(2), warmUp: .zero, world.clock)
        let frames = world.wire.counters(of: 0, .forward).link.delivered
        let received = try world.rightRoutes.existingLink(.named("wan-0")).counters
        #expect(outcome.isWhole && outcome.count > 20_000_000 && frames > UInt64(outcome.count / 1_448))
        #expect(world.wire.counters(of: 0, .forward).refusedByKernel == 0)
        if isJoined {
            #expect(received.receivedPackets * 3 < frames * 2, "\(received.receivedPackets) of \(frames)")
        } else {
            #expect(received.receivedPackets >= frames)
        }
    }

    @Test func `a datagram that comes alone does not wait for others`() throws {
        let profile = LinkProfile(delay: .milliseconds(5))
        let world = try WireWorld([(profile, profile)], takesJoinedSegments: true)
        let arrivals = try world.probe(200, apart: 1_000)
        let lateness = world.wire.lateness(of: 0, .forward)
        #expect(arrivals.map(\.sequence) == Array(0..<200) && lateness.count == 200)
        #expect(lateness.quantile(Ratio(0.5)) < .microseconds(50))
    }
}

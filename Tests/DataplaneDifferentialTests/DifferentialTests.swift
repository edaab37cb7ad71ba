import Basics
import Dataplane
import Glibc
import LinuxSystem
import TestKit
import Testing

/// Whether programs can be loaded here.
private let isPossible: Bool = {
    guard geteuid() == 0 else { return false }
    return (try? NetworkNamespace()) != nil && (try? KernelProgram.passingEverything()) != nil
}()

/// The kernel and the interpreter, on the same octets of the program, packet by packet.
@Suite(.serialized, .enabled(if: isPossible, "needs to be root on a kernel with XDP and network namespaces"))
struct DifferentialTests {
    /// So many packets meet the same maps, which is fewer than the flows that the table holds before it forgets.
    private static let packetsEach = isQuickRun ? 2_000 : 20_000

    @Test func `the kernel and the interpreter do the same with a million packets and leave the same maps`() throws {
        let namespace = try Self.makeNamespace()
        var seen: Set<DataplaneCause> = []
        var (packets, flows) = (0, 0)
        // Errors of the body are the seed's, and are told with it.
        forEachSeed(50) { random in
            let (counters, flowCount) = try Self.run(&random, in: namespace)
            packets += Self.packetsEach
            flows = max(flows, flowCount)
            seen.formUnion(DataplaneCause.allCases.filter { counters[$0].packets > 0 })
        }
        // A comparison in which some cause never came would show nothing of it.
        let missing = DataplaneCause.allCases.filter { ![.noRoom, .sampleLost].contains($0) && !seen.contains($0) }
        #expect(isQuickRun || missing.isEmpty, "never seen: \(missing)")
        #expect(flows < 20_000, "so many flows may be forgotten in another order")
        print("compared \(packets) packets in seeds 1 to 50, at most \(flows) flows at a time")
    }

    private static func makeNamespace() throws -> NetworkNamespace {
        let namespace = try NetworkNamespace()
        var routes = try RouteSocket(in: namespace)
        try routes.change { batch in
            for (place, port) in RandomWorld.ports.enumerated() where place % 2 == 0 {
                batch.createVeth(
                    VethEnd("p\(place)", index: InterfaceIndex(port.index)),
                    peer: VethEnd("p\(place + 1)", index: InterfaceIndex(RandomWorld.ports[place + 1].index)),
                    in: namespace)
            }
        }
        return namespace
    }

    private static func run(
        _ random: inout SeededRandom, in namespace: borrowing NetworkNamespace
    ) throws -> (DataplaneCounters, Int) {
        var generator = random
        var failure: (any Error)?
        var result = (DataplaneCounters(), 0)
        try namespace.perform { () throws(SystemError) in
            do {
                result = try compare(&generator, in: namespace)
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return result
    }

    private static func compare(
        _ random: inout SeededRandom, in namespace: borrowing NetworkNamespace
    ) throws -> (DataplaneCounters, Int) {
        try Processors.stay(on: 0)
        var switches = DataplaneSwitches()
        switches.virtualClock = true
        // Most runs have everything; some are without one part.
        switch random.below(12) {
        case 0: switches.firewall = false
        case 1: switches.floodGuard = false
        case 2: switches.flowTable = false
        case 3: switches.forwarding = false
        case 4: switches.sampling = false
        default: break
        }
        var pair = try Pair(in: namespace, switches: switches, processor: 0)
        let world = RandomWorld(&random)
        var source = PacketSource(world, &random)
        var now = Instant(nanoseconds: 5_000_000_000)
        for change in world.beginning(&random) { try pair.apply(change) }
        for number in 0..<packetsEach {
            if random.below(300) == 0 { try pair.apply(world.change(&random)) }
            if random.below(4) == 0 {
                now += step(&random)
                try pair.apply(.setTime(now))
            }
            let (frame, port) = source.next(at: now, &random)
            let difference = try pair.difference(on: frame, port: port)
            try #require(difference == nil, "packet \(number)")
            if number % 1_000 == 999 {
                let isSame = try pair.drain()
                try #require(isSame, "samples up to packet \(number)")
            }
            if number % 5_000 == 4_999 {
                let names = try pair.differences(largest: 1_024)
                try #require(names == [], "maps after packet \(number)")
            }
        }
        let names = try pair.differences()
        try #require(names == [], "maps at the end")
        return (try pair.counters(), try pair.flowCount())
    }

    /// Mostly microseconds, sometimes so much that a bucket fills, seldom so much that trust ends.
    private static func step(_ random: inout SeededRandom) -> Interval {
        switch random.below(200) {
        case 0: .seconds(Int64(random.below(3)))
        case 1 where random.below(20) == 0: .seconds(Int64(random.below(800)))
        case 2..<10: .milliseconds(Int64(random.below(30)))
        default: .nanoseconds(Int64(random.below(200_000)))
        }
    }
}

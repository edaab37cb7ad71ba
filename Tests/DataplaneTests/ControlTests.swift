import Basics
import Dataplane
import Telemetry
import TestKit
import Testing
import Wire

/// The typed view over maps that only keep octets.
@Suite struct ControlTests {
    private func control() throws -> DataplaneControl<MemoryMaps> { try DataplaneControl(MemoryMaps()) }

    private func tunnel(_ sequence: UInt32 = 5) throws -> DataplaneTunnel {
        DataplaneTunnel(
            from: try address("192.0.2.1"), to: try address("192.0.2.2"), on: DataplanePort(3),
            nextHop: try address("192.0.2.254"), firstSequence: sequence)
    }

    private func generation(_ control: borrowing DataplaneControl<MemoryMaps>) throws -> UInt8 {
        try #require(control.maps.value(.configuration, [0, 0, 0, 0]))[16]
    }

    @Test func `keys and values lie in memory as the program reads them`() throws {
        var control = try control()
        try control.apply(.list(try prefix("10.9.0.0/16"), .deny))
        try control.apply(.list(try prefix("2001:db8::/32"), .allow))
        try control.apply(.setRoute(try prefix("10.4.0.0/16"), .gateway(DataplanePort(2), try address("10.2.0.254"))))
        try control.apply(
            .setPort(DataplanePort(2), role: [.lan, .trusted], address: MACAddress(bits: 0x0200_0000_0102)))
        try control.apply(
            .setNeighbor(
                try address("10.2.0.9"), on: DataplanePort(2),
                DataplaneNeighbor(MACAddress(bits: 0xA), from: MACAddress(bits: 0xB), maximumPacketByteCount: 1400)))
        let maps = control.maps
        #expect(maps.value(.rules4, [16, 0, 0, 0, 10, 9, 0, 0]) == [1, 0, 0, 0])
        let six = [32, 0, 0, 0, 0x20, 1, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 12)
        #expect(maps.value(.rules6, six) == [2, 0, 0, 0])
        let gateway = [10, 2, 0, 254] + [UInt8](repeating: 0, count: 12)
        #expect(maps.value(.routes4, [16, 0, 0, 0, 10, 4, 0, 0]) == [4, 0, 0, 0, 2, 0, 0, 0] + gateway)
        #expect(maps.value(.ports, [2, 0, 0, 0]) == [2, 0, 0, 0, 1, 2, 5, 0])
        #expect(maps.value(.transmitPorts, [2, 0, 0, 0]) == [2, 0, 0, 0])
        let neighbor = [10, 2, 0, 9] + [UInt8](repeating: 0, count: 12) + [2, 0, 0, 0, 4, 0, 0, 0]
        #expect(maps.value(.neighbors, neighbor) == [0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 11, 0x78, 5, 0, 0])
    }

    @Test func `a prefix stays while it is on either list`() throws {
        var control = try control()
        let key: [UInt8] = [8, 0, 0, 0, 10, 0, 0, 0]
        try control.apply(.list(try prefix("10.0.0.0/8"), .deny))
        try control.apply(.list(try prefix("10.0.0.0/8"), .allow))
        #expect(control.maps.value(.rules4, key) == [3, 0, 0, 0])
        try control.apply(.unlist(try prefix("10.0.0.0/8"), .deny))
        #expect(control.maps.value(.rules4, key) == [2, 0, 0, 0])
        try control.apply(.unlist(try prefix("10.0.0.0/8"), .allow))
        #expect(control.maps.count(.rules4) == 0)
        let number = try generation(control)
        #expect(number == 5)
    }

    @Test func `a map's place is its index among all`() {
        #expect(DataplaneMap.allCases.map(\.place) == Array(DataplaneMap.allCases.indices))
    }

    @Test func `tunnels get places of their own, which come back`() throws {
        var control = try control()
        func slot(_ number: UInt8) -> UInt8? { control.maps.value(.tunnels, [number, 0, 0, 0])?[56] }
        for number in 0..<3 as Range<UInt32> { try control.apply(.setTunnel(TunnelID(number), try tunnel())) }
        #expect([slot(0), slot(1), slot(2)] == [0, 1, 2])
        try control.apply(.removeTunnel(TunnelID(1)))
        try control.apply(.setTunnel(TunnelID(9), try tunnel(77)))
        #expect([slot(0), slot(1), slot(9)] == [0, nil, 1])
        control.maps.set(
            .transmissions, [1, 0, 0, 0], [80, 0, 0, 0, 0, 0, 0, 0, 77] + [UInt8](repeating: 0, count: 23))
        try control.apply(.setTunnel(TunnelID(9), try tunnel(5)))
        let account = try #require(try control.account(of: TunnelID(9)))
        #expect(account.packetsSent == 3, "a tunnel that only moves keeps its account")
        let none = try control.account(of: TunnelID(1))
        #expect(none == nil)
        for number in 100..<1121 as Range<UInt32> { try control.apply(.setTunnel(TunnelID(number), try tunnel())) }
        #expect(throws: DataplaneError.tooManyTunnels) {
            try control.apply(.setTunnel(TunnelID(5000), try tunnel()))
        }
    }

    @Test func `only a steering entry that changes makes flows look again`() throws {
        var control = try control()
        let tuple = FiveTuple(
            source: try address("10.1.0.2"), destination: try address("10.2.0.2"), protocolNumber: 6, sourcePort: 1,
            destinationPort: 2)
        let changes: [(DataplaneChange, UInt8)] = [
            (.steer(tuple, .pass), 1), (.steer(tuple, .pass), 1), (.steer(tuple, .tunnel(TunnelID(4))), 2),
            (.unsteer(tuple), 3), (.unsteer(tuple), 3),
        ]
        for (change, expected) in changes {
            try control.apply(change)
            let number = try generation(control)
            #expect(number == expected)
        }
    }

    @Test func `counters are summed over the CPUs`() throws {
        var control = try control()
        func words(_ values: UInt64...) -> [UInt8] {
            values.flatMap { value in (0..<8).map { UInt8(truncatingIfNeeded: value >> UInt64(8 * $0)) } }
        }
        control.maps.set(.counters, [24, 0, 0, 0], words(1, 60, 2, 120, 0, 0))
        control.maps.set(.counters, [26, 0, 0, 0], words(5, 1, 0, 0, 1, 1))
        control.maps.set(.counters, [54, 0, 0, 0], words(9, 9, 0, 0, 0, 0))
        let counters = try control.counters()
        #expect(counters[.denied] == DataplaneCounter(packets: 3, bytes: 180))
        #expect(counters.total(.drop) == DataplaneCounter(packets: 9, bytes: 182))
        #expect(counters.floodDrops == 6)
        #expect(counters.total(.pass) == DataplaneCounter())
    }

    @Test func `a full map is an error, and the view goes on`() throws {
        var control = try control()
        control.maps.full = .routes4
        #expect(throws: DataplaneError.full(.routes4)) {
            try control.apply(.setRoute(try prefix("10.0.0.0/8"), .pass))
        }
        try control.apply(.setRoute(try prefix("2001:db8::/32"), .pass))
        #expect(control.maps.count(.routes6) == 1)
    }

    @Test func `a flow's key that is none is said to be so`() throws {
        var control = try control()
        control.maps.set(
            .flows, [UInt8](repeating: 9, count: DataplaneMap.flows.keySize),
            [UInt8](repeating: 0, count: DataplaneMap.flows.valueSize))
        #expect(throws: DataplaneError.malformed(.flows)) { try control.flows() }
    }

    @Test func `flows of any octets are read or refused`() {
        forEachSeed(500) { random in
            var control = try control()
            for _ in 0..<3 {
                var key = random.octets(DataplaneMap.flows.keySize)
                key[37] = random.chance(Ratio(0.9)) ? (random.chance(Ratio(0.5)) ? 4 : 6) : 5
                control.maps.set(.flows, key, random.octets(DataplaneMap.flows.valueSize))
            }
            do {
                let flows = try control.flows()
                try #require(flows.count == 3)
                try #require(flows.map(\.tuple) == flows.map(\.tuple).sorted())
            } catch {
                try #require(error as? DataplaneError == .malformed(.flows))
            }
        }
    }

    @Test func `samples of any octets are read or refused`() {
        var valid: [UInt8] = [1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 24, 0, 0, 0, 60, 0, 0, 0, 60, 0, 0, 0]
        valid += [UInt8](0..<128)
        let sample = valid.reading { DataplaneSample(parsing: $0) }
        #expect(sample?.cause == .denied && sample?.octets == Array(0..<60) && sample?.port == DataplanePort(2))
        forEachSeed(2000) { random in
            let octets = random.chance(Ratio(0.5)) ? random.mutated(valid) : random.octets(Int(random.below(200)))
            guard let sample = octets.reading({ DataplaneSample(parsing: $0) }) else { return }
            try #require(octets.count >= 152 && sample.octets.count <= min(128, sample.frameByteCount))
            try #require(sample.cause == .flowAdded || sample.cause.verdict == .drop)
        }
    }

    @Test func `a limit grants its rate and its burst, and none grants everything`() throws {
        var control = try control()
        try control.apply(.setLimits(.none))
        let value = try #require(control.maps.value(.configuration, [0, 0, 0, 0]))
        // Behind time, seed, generation, sampling and the three intervals come limits only.
        #expect(value[64...].allSatisfy { $0 == 0 })
        var limits = FloodGuardLimits.none
        limits.knock = FloodLimit(1000, burst: 3)
        try control.apply(.setLimits(limits))
        let changed = try #require(control.maps.value(.configuration, [0, 0, 0, 0]))
        #expect(Array(changed[64..<72]) == [0x40, 0x42, 0x0F, 0, 0, 0, 0, 0], "a million nanoseconds")
        #expect(Array(changed[72..<80]) == [0x80, 0x84, 0x1E, 0, 0, 0, 0, 0], "two of them early")
    }

    @Test func `tuples are ordered as the program orders them`() {
        forEachSeed(1000) { random in
            let bits = random.below(3) == 0 ? 0 : random.next()
            let source = IPAddress.v6(IPv6Address(high: random.next() >> 63, low: bits))
            let destination = IPAddress.v6(IPv6Address(high: random.next() >> 63, low: random.below(2)))
            let tuple = FiveTuple(
                source: source, destination: destination, protocolNumber: 6, sourcePort: UInt16(random.below(2)),
                destinationPort: UInt16(random.below(2)))
            try #require(tuple.ordered.isFromLower)
            try #require(tuple.ordered == tuple.reversed.ordered)
            try #require(tuple.reversed.reversed == tuple)
        }
    }
}

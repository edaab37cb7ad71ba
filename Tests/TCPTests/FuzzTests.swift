import Basics
import TCP
import TestKit
import Testing
import Wire

@Suite struct FuzzTests {
    /// A connection in one of all states.
    private func specimen(_ random: inout SeededRandom) -> Specimen {
        var configuration = Connection.Configuration()
        configuration.receiveBufferByteCount = 1 + Int(random.below(100_000))
        configuration.sendBufferByteCount = 1 + Int(random.below(100_000))
        configuration.noDelay = random.below(2) == 0
        configuration.consumesExplicitly = random.below(2) == 0
        configuration.congestionAlgorithm = random.below(2) == 0 ? .cubic : .newReno
        let kind = random.below(10)
        if kind == 0 { return Specimen(connecting: configuration, initialSequence: .max - 5) }
        if kind == 1 {
            return Specimen(accepting: configuration) { header in
                header.maximumSegmentSize = UInt16(truncatingIfNeeded: random.next())
                header.windowScale = UInt8(truncatingIfNeeded: random.next())
                header.sackPermitted = true
                header.timestamps = (UInt32(truncatingIfNeeded: random.next()), 0)
            }
        }
        let specimen = Specimen.established(
            configuration, scale: UInt8(random.below(15)), timestamps: random.below(2) == 0,
            selective: random.below(4) != 0, window: UInt16(truncatingIfNeeded: random.next()),
            segmentSize: UInt16(truncatingIfNeeded: random.next()))
        if random.below(2) == 0 { specimen.write(count: Int(random.below(200_000))) }
        if kind >= 5 { specimen.finish() }
        if kind >= 7 { specimen.inject([.finish, .acknowledge], sequence: 1, acknowledgment: 1) }
        if kind >= 9 { specimen.acknowledge(2, sequence: 2) }
        return specimen
    }

    /// A segment near to what would be right, or far from it.
    private func segment(_ specimen: Specimen, _ random: inout SeededRandom) -> (TCPHeader, [UInt8]) {
        func near(_ number: UInt32) -> UInt32 {
            switch random.below(4) {
            case 0: number
            case 1: number &+ UInt32(random.below(5_000))
            case 2: number &- UInt32(random.below(5_000))
            default: UInt32(truncatingIfNeeded: random.next())
            }
        }
        let last = specimen.sent.last?.header
        var header = TCPHeader(
            sourcePort: 80, destinationPort: 5_000, sequence: near(last?.acknowledgment ?? 900_001),
            acknowledgment: near(last.map { $0.sequence &+ 1_000 } ?? 101),
            flags: random.below(3) == 0 ? TCPFlags(rawValue: UInt8(truncatingIfNeeded: random.next())) : .acknowledge,
            window: UInt16(truncatingIfNeeded: random.next()))
        if random.below(2) == 0 { header.timestamps = (near(10_000), near(5_000)) }
        if random.below(3) == 0 {
            header.sackBlockCount = 1 + Int(random.below(4))
            for index in 0..<header.sackBlockCount {
                header.sackBlocks[index] = SACKBlock(
                    start: near(header.acknowledgment), end: near(header.acknowledgment &+ 2_000))
            }
        }
        if random.below(8) == 0 { header.maximumSegmentSize = UInt16(truncatingIfNeeded: random.next()) }
        if random.below(8) == 0 { header.windowScale = UInt8(truncatingIfNeeded: random.next()) }
        let count = random.below(2) == 0 ? 0 : Int(random.below(1_500))
        return (header, [UInt8](repeating: UInt8(truncatingIfNeeded: random.next()), count: count))
    }

    @Test func `no segment and no order of calls traps, and memory stays within the windows`() {
        forEachSeed(1_500) { random in
            let specimen = specimen(&random)
            for _ in 0..<120 {
                switch random.below(12) {
                case 0: specimen.pass(.milliseconds(Int64(random.below(2_000))))
                case 1: specimen.write(count: Int(random.below(5_000)))
                case 2: specimen.consumed(Int(random.below(10_000)) - 100)
                case 3 where random.below(10) == 0: specimen.setPathMTU(Int(random.below(10_000)) - 100)
                case 4 where random.below(20) == 0: specimen.finish()
                case 5 where random.below(100) == 0: specimen.abort()
                default:
                    let (header, payload) = segment(specimen, &random)
                    specimen.receive(header, payload)
                }
                let statistics = specimen.connection.statistics
                try #require(statistics.reassemblyByteCount <= 100_000)
                try #require(specimen.connection.unacknowledgedByteCount <= 100_000)
                if specimen.sent.count > 100 { specimen.sent.removeFirst(90) }
            }
            // Whatever happened, it ends: by itself or by the user timeout.
            specimen.finish()
            specimen.pass(.seconds(2_000))
            if specimen.connection.isClosed {
                let deadline = specimen.connection.nextDeadline
                try #require(deadline == nil)
            }
        }
    }

    @Test func `what real segments become by mutation does not trap either`() {
        forEachSeed(60) { random in
            let exchange = Exchange(seed: random.next())
            exchange.sides[0].outgoing = pattern(60_000, seed: 1)
            exchange.sides[1].outgoing = pattern(60_000, seed: 2)
            exchange.paths[0].loss = Ratio(0.03)
            exchange.mutates = true
            exchange.open()
            exchange.run(for: .seconds(400)) { exchange.bothClosed }
            let counts = exchange.sides.map(\.receivedCount)
            try #require(counts.allSatisfy { $0 <= 10_000_000 })
        }
    }

    @Test func `tiny segments out of order are bounded in number`() {
        let specimen = Specimen.established()
        for index in 0..<5_000 {
            specimen.inject(.acknowledge, sequence: 10 + 2 * index, acknowledgment: 1, payload: [1])
        }
        #expect(specimen.connection.statistics.reassemblyByteCount == 1_024)
        specimen.inject(.acknowledge, sequence: 1, acknowledgment: 1, payload: [UInt8](repeating: 2, count: 9))
        #expect(specimen.received.count == 10)
    }

    @Test func `tiny writes are bounded in number`() {
        let specimen = Specimen.established(scale: 14, window: 65_535)
        for _ in 0..<20 {
            for _ in 0..<2_000 { specimen.write([1]) }
            specimen.acknowledge(specimen.sent.last?.end ?? 1)
        }
        #expect(specimen.sent.allSatisfy { !$0.payload.isEmpty })
        #expect(specimen.connection.statistics.bytesInFlight <= 4_096 * 1_460)
        #expect(specimen.connection.statistics.bytesSent == 40_000)
    }
}

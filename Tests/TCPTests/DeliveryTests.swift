import Basics
import TCP
import TestKit
import Testing
import Wire

@Suite struct DeliveryTests {
    private func exchange(_ seed: UInt64, _ random: inout SeededRandom) -> Exchange {
        let exchange = Exchange(seed: seed)
        for side in 0..<2 {
            let small = random.below(3) == 0
            let count = small ? Int(random.below(2_000)) : Int(random.below(200_000))
            exchange.sides[side].outgoing = pattern(count, seed: seed &+ UInt64(side))
            if random.below(2) == 0 { exchange.sides[side].largestWrite = 1 + Int(random.below(5_000)) }
            if random.below(3) == 0 { exchange.sides[side].initialSequence = .max &- UInt32(random.below(50_000)) }
            exchange.sides[side].finishesAfterPeer = side == 1 && random.below(2) == 0
            exchange.sides[side].configuration = configuration(&random)
            if exchange.sides[side].configuration.consumesExplicitly {
                exchange.sides[side].consumptionDelay = .microseconds(Int64(random.below(200_000)))
            }
            exchange.paths[side] = path(&random)
        }
        return exchange
    }

    private func configuration(_ random: inout SeededRandom) -> Connection.Configuration {
        var configuration = Connection.Configuration()
        configuration.offersTimestamps = random.below(4) != 0
        configuration.offersWindowScale = random.below(4) != 0
        configuration.offersSelectiveAcknowledgments = random.below(4) != 0
        configuration.noDelay = random.below(3) != 0
        configuration.congestionAlgorithm = random.below(2) == 0 ? .cubic : .newReno
        configuration.consumesExplicitly = random.below(4) == 0
        if random.below(3) == 0 { configuration.receiveBufferByteCount = 2_000 + Int(random.below(60_000)) }
        if random.below(3) == 0 { configuration.sendBufferByteCount = 500 + Int(random.below(60_000)) }
        if random.below(4) == 0 { configuration.pathMTU = 600 + Int(random.below(8_400)) }
        return configuration
    }

    private func path(_ random: inout SeededRandom) -> PathModel {
        let rate: BitRate? = random.below(3) == 0 ? nil : .megabits(1 + random.below(100))
        var path = PathModel(
            rate: rate, delay: .microseconds(Int64(1 + random.below(60_000))),
            queueByteCount: random.below(3) == 0 ? 20_000 : .max)
        if random.below(3) != 0 { path.loss = Ratio(Double(random.below(150)) / 1_000) }
        if random.below(3) == 0 { path.duplication = Ratio(Double(random.below(200)) / 1_000) }
        if random.below(3) == 0 { path.reordering = Ratio(Double(random.below(400)) / 1_000) }
        if random.below(3) == 0 { path.corruption = Ratio(Double(random.below(100)) / 1_000) }
        path.reorderingDelay = .microseconds(Int64(1 + random.below(80_000)))
        return path
    }

    @Test func `the exact bytes arrive through any mixture of faults and both ends close`() {
        var seed: UInt64 = 0
        forEachSeed(400) { random in
            seed &+= 1
            let exchange = exchange(random.next(), &random)
            exchange.keepsLog = false
            exchange.open()
            exchange.run(for: .seconds(3_000)) { exchange.bothClosed }
            for side in 0..<2 {
                let sender = exchange.sides[1 - side].outgoing
                try #require(exchange.sides[side].received.count == sender.count, "side \(side)")
                try #require(exchange.sides[side].received == sender, "side \(side)")
                try #require(exchange.sides[side].tidings.last == .closed(.finished), "side \(side)")
                let reassembly = exchange.statistics(side).reassemblyByteCount
                try #require(reassembly == 0)
            }
            exchange.run(for: .seconds(200))
            let states = [0, 1].map { exchange.connections[$0]?.isClosed }
            try #require(states == [true, true])
        }
    }

    private func short() -> Exchange {
        let exchange = Exchange()
        exchange.sides[0].outgoing = pattern(12_000, seed: 1)
        exchange.sides[1].outgoing = pattern(3_000, seed: 2)
        exchange.open()
        return exchange
    }

    private func expectComplete(_ exchange: Exchange, _ what: String) throws {
        exchange.run(for: .seconds(100)) { exchange.bothClosed }
        for side in 0..<2 {
            try #require(exchange.sides[side].received == exchange.sides[1 - side].outgoing, "\(what) side \(side)")
            try #require(exchange.sides[side].tidings.last == .closed(.finished), "\(what) side \(side)")
        }
    }

    @Test func `any single segment may be lost`() throws {
        let whole = short()
        try expectComplete(whole, "none lost")
        for first in 0..<whole.segmentCount {
            let exchange = Exchange()
            exchange.dropsSegment = { number, _ in number == first }
            exchange.sides[0].outgoing = pattern(12_000, seed: 1)
            exchange.sides[1].outgoing = pattern(3_000, seed: 2)
            exchange.open()
            try expectComplete(exchange, "lost \(first)")
        }
    }

    @Test(arguments: [true, false]) func `any two segments may be lost`(selectively: Bool) throws {
        let count = short().segmentCountWhenComplete
        for first in 0..<count {
            for second in first + 1..<count + 4 {
                let exchange = Exchange()
                exchange.dropsSegment = { number, _ in number == first || number == second }
                exchange.sides[0].configuration.offersSelectiveAcknowledgments = selectively
                exchange.sides[0].outgoing = pattern(12_000, seed: 1)
                exchange.sides[1].outgoing = pattern(3_000, seed: 2)
                exchange.open()
                try expectComplete(exchange, "lost \(first) and \(second)")
            }
        }
    }

    @Test func `a corrupted segment is dropped by its checksum and sent again`() {
        let exchange = Exchange()
        exchange.sides[0].outgoing = pattern(300_000, seed: 5)
        exchange.paths[0].corruption = Ratio(0.05)
        exchange.paths[1].corruption = Ratio(0.05)
        exchange.open()
        exchange.run(for: .seconds(60)) { exchange.bothClosed }
        #expect(exchange.corruptedCount > 5)
        #expect(exchange.sides[1].received == exchange.sides[0].outgoing)
        let retransmitted = exchange.statistics(0).retransmittedSegments
        #expect(retransmitted > 5)
    }

    @Test func `sequence numbers wrap in the middle of a transfer`() {
        let exchange = Exchange()
        exchange.sides[0].initialSequence = .max - 100_000
        exchange.sides[1].initialSequence = .max - 50_000
        exchange.paths[0].loss = Ratio(0.02)
        exchange.sides[0].outgoing = pattern(300_000, seed: 8)
        exchange.sides[1].outgoing = pattern(300_000, seed: 9)
        exchange.open()
        exchange.run(for: .seconds(60)) { exchange.bothClosed }
        #expect(exchange.sides[1].received == exchange.sides[0].outgoing)
        #expect(exchange.sides[0].received == exchange.sides[1].outgoing)
    }
}

extension Exchange {
    /// Runs to the end and says how many segments it took.
    fileprivate var segmentCountWhenComplete: Int {
        run(for: .seconds(100)) { self.bothClosed }
        return segmentCount
    }
}

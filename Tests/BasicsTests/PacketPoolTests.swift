import Basics
import TestKit
import Testing

@Suite struct PacketPoolTests {
    /// The packet as an array of octets, with the room that is left in front of it.
    private struct Model {
        let packet: PacketID
        var octets: [UInt8]
        var room: Int
        var tag: UInt32
    }

    @Test func `a pool agrees with arrays of octets on any run of steps`() {
        forEachSeed(40) { random in
            var pool = PacketPool(largestPacket: 200, headroom: 56, capacity: 1 + Int(random.below(8)))
            var models: [Model] = []
            for _ in 0..<400 {
                let place = models.isEmpty ? 0 : Int(random.below(UInt64(models.count)))
                switch random.below(10) {
                case 0, 1:
                    models.append(store(&random, in: &pool))
                case 2 where !models.isEmpty:
                    pool.release(models.remove(at: place).packet)
                case 3 where !models.isEmpty:
                    let original = models[place]
                    let copy = pool.duplicate(original.packet)
                    models.append(
                        Model(packet: copy, octets: original.octets, room: original.room, tag: original.tag))
                default:
                    if !models.isEmpty { try change(&models[place], &random, in: &pool) }
                }
                try #require(pool.inUse == models.count)
                try #require(pool.capacity >= models.count)
                for model in models { try compare(pool, model) }
            }
            try #require(Set(models.map(\.packet)).count == models.count)
            let tags = models.sorted { $0.packet.rawValue < $1.packet.rawValue }.map(\.tag)
            let tagsInUse = pool.tagsInUse()
            try #require(tagsInUse == tags)
        }
    }

    private func compare(_ pool: borrowing PacketPool, _ model: Model) throws {
        let octets = [UInt8](copying: pool.bytes(model.packet))
        try #require(octets == model.octets)
        let (count, tag) = (pool.byteCount(model.packet), pool.tag(model.packet))
        try #require(count == model.octets.count && tag == model.tag)
    }

    private func store(_ random: inout SeededRandom, in pool: inout PacketPool) -> Model {
        let octets = random.octets(Int(random.below(201)))
        let tag = UInt32(truncatingIfNeeded: random.next())
        return Model(packet: pool.store(octets.span.bytes, tag: tag), octets: octets, room: 56, tag: tag)
    }

    private func change(_ model: inout Model, _ random: inout SeededRandom, in pool: inout PacketPool) throws {
        let count = model.octets.count
        switch random.below(6) {
        case 0:
            let wanted = Int(random.below(64))
            let opened = pool.prepend(wanted, to: model.packet)
            try #require(opened == (wanted <= model.room))
            guard opened else { return }
            let header = random.octets(wanted)
            pool.overwrite(model.packet, at: 0, with: header.span.bytes)
            model.octets = header + model.octets
            model.room -= wanted
        case 1:
            let trimmed = Int(random.below(UInt64(count + 1)))
            pool.trimFront(trimmed, of: model.packet)
            model.octets.removeFirst(trimmed)
            model.room += trimmed
        case 2:
            let kept = count - Int(random.below(UInt64(min(count, 20) + 1)))
            pool.truncate(model.packet, to: kept)
            model.octets.removeLast(count - kept)
        case 3 where count >= 4:
            let offset = Int(random.below(UInt64(count - 3)))
            let value = UInt32(truncatingIfNeeded: random.next())
            pool.patch(value, at: offset, of: model.packet)
            model.octets.replaceSubrange(
                offset..<offset + 4, with: [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) })
        case 4 where count >= 2:
            let offset = Int(random.below(UInt64(count - 1)))
            let loaded = pool.load(model.packet, at: offset, as: UInt16.self)
            try #require(loaded == UInt16(model.octets[offset]) << 8 | UInt16(model.octets[offset + 1]))
        default:
            model.tag = UInt32(truncatingIfNeeded: random.next())
            pool.setTag(model.tag, of: model.packet)
        }
    }

    @Test func `the largest packet is copied although its headroom is used up`() {
        var pool = PacketPool(largestPacket: 1_472, headroom: 64, capacity: 2)
        let octets = [UInt8](repeating: 9, count: pool.largestPacket)
        let packet = pool.store(octets.span.bytes, tag: 5)
        let opened = pool.prepend(64, to: packet)
        #expect(opened)
        let copy = pool.duplicate(packet)
        #expect(pool.byteCount(copy) == pool.slotByteCount)
        #expect(pool.tag(copy) == 5)
        let more = pool.prepend(1, to: copy)
        #expect(!more)
    }

    @Test func `packets keep their octets while the pool grows`() {
        var pool = PacketPool(capacity: 1)
        let packets = (0..<300 as Range<UInt16>).map { number in
            let packet = pool.allocate(byteCount: 64, tag: UInt32(number))
            pool.patch(number, at: 62, of: packet)
            return packet
        }
        #expect(pool.inUse == 300)
        #expect(pool.capacity == 512)
        for (number, packet) in packets.enumerated() {
            let value = pool.load(packet, at: 62, as: UInt16.self)
            #expect(value == UInt16(number))
        }
    }

    @Test func `a warm pool takes no memory`() {
        var pool = PacketPool(capacity: 16)
        let octets = [UInt8](repeating: 1, count: 1_400)
        let count = allocations {
            for _ in 0..<1_000 {
                let packet = pool.store(octets.span.bytes)
                let copy = pool.duplicate(packet)
                _ = pool.prepend(20, to: packet)
                pool.release(packet)
                pool.release(copy)
            }
        }
        #expect(count == 0)
        #expect(pool.inUse == 0)
    }

    @Test func `misuse is a programmer's error, never another packet's octets`() async {
        await #expect(processExitsWith: .failure) {
            var pool = PacketPool()
            let packet = pool.allocate(byteCount: 20)
            pool.release(packet)
            pool.release(packet)
        }
        await #expect(processExitsWith: .failure) {
            var pool = PacketPool()
            let packet = pool.allocate(byteCount: 20)
            _ = pool.load(packet, at: 17, as: UInt32.self)
        }
        await #expect(processExitsWith: .failure) {
            var pool = PacketPool()
            let packet = pool.allocate(byteCount: 20)
            _ = pool.load(packet, at: .max, as: UInt32.self)
        }
        await #expect(processExitsWith: .failure) {
            var pool = PacketPool()
            let packet = pool.allocate(byteCount: 20)
            pool.release(packet)
            _ = pool.prepend(1, to: packet)
        }
        await #expect(processExitsWith: .failure) {
            var pool = PacketPool(largestPacket: 1_500)
            _ = pool.allocate(byteCount: pool.largestPacket + 1)
        }
    }
}

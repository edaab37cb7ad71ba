import BGP
import Basics
import TestKit
import Testing
import Wire

private func randomOctets(_ count: Int, _ random: inout SeededRandom) -> [UInt8] {
    (0..<count).map { _ in UInt8(truncatingIfNeeded: random.next()) }
}

private func randomPath(_ random: inout SeededRandom) -> ASPath {
    ASPath(
        segments: (0..<Int(random.below(3))).map { _ in
            let members = (0..<1 + Int(random.below(5))).map { _ in UInt32(1 + random.below(1 << 20)) }
            return ASPath.Segment(random.below(4) == 0 ? .set : .sequence, members)
        })
}

private func randomAttributes(isIPv4: Bool, _ random: inout SeededRandom) -> PathAttributes {
    let nextHop: IPAddress =
        isIPv4
        ? .v4(IPv4Address(bits: 0x0A00_0000 | UInt32(random.below(1 << 24))))
        : .v6(IPv6Address(high: 0x2001_0DB8 << 32, low: random.next()))
    var attributes = PathAttributes(path: randomPath(&random), nextHop: nextHop)
    attributes.origin = Origin(rawValue: UInt8(random.below(3))) ?? .interior
    if random.below(2) == 0 { attributes.multiExitDiscriminator = UInt32(truncatingIfNeeded: random.next()) }
    if random.below(2) == 0 { attributes.localPreference = UInt32(truncatingIfNeeded: random.next()) }
    attributes.isAtomicAggregate = random.below(4) == 0
    if random.below(4) == 0 {
        attributes.aggregator = Aggregator(
            autonomousSystem: UInt32(1 + random.below(1 << 20)), identifier: IPv4Address(10, 0, 0, 1))
    }
    attributes.communities = (0..<random.below(90)).map { _ in
        Community(rawValue: UInt32(truncatingIfNeeded: random.next()))
    }
    attributes.largeCommunities = (0..<random.below(3)).map { _ in
        LargeCommunity(UInt32(random.below(9)), 1, UInt32(truncatingIfNeeded: random.next()))
    }
    attributes.extendedCommunities = (0..<random.below(3)).map { _ in random.next() }
    if random.below(4) == 0 { attributes.originatorID = IPv4Address(10, 9, 9, 9) }
    attributes.clusterList = (0..<random.below(3)).map { _ in
        IPv4Address(bits: UInt32(truncatingIfNeeded: random.next()))
    }
    if random.below(3) == 0 {
        attributes.unrecognized = [
            UnrecognizedAttribute(
                type: AttributeType(rawValue: UInt8(100 + random.below(100))),
                flags: [.optional, .transitive, .partial], value: randomOctets(Int(random.below(400)), &random))
        ]
    }
    return attributes
}

private func randomPrefixes(isIPv4: Bool, _ random: inout SeededRandom) -> [IPPrefix] {
    (0..<1 + Int(random.below(random.below(20) == 0 ? 2000 : 20))).map { _ in
        isIPv4
            ? .v4(
                IPv4Prefix(IPv4Address(bits: UInt32(truncatingIfNeeded: random.next())), length: Int(random.below(33))))
            : .v6(IPv6Prefix(IPv6Address(high: random.next(), low: random.next()), length: Int(random.below(129))))
    }
}

private func randomUpdate(_ random: inout SeededRandom) -> [UInt8] {
    let isIPv4 = random.below(2) == 0
    let prefixes = randomPrefixes(isIPv4: isIPv4, &random)
    if random.below(4) == 0 { return withdrawal(prefixes) }
    let attributes = randomAttributes(isIPv4: isIPv4, &random)
    return encoded { arena in
        var encoder = UpdateEncoder(isFourOctet: true)
        _ = encoder.announce(ContiguousArray(prefixes), with: attributes, to: &arena)
    }
}

private func mutate(_ octets: [UInt8], _ random: inout SeededRandom) -> [UInt8] {
    var octets = octets
    for _ in 0..<1 + random.below(4) where !octets.isEmpty {
        let place = Int(random.below(UInt64(octets.count)))
        switch random.below(4) {
        case 0: octets[place] = UInt8(truncatingIfNeeded: random.next())
        case 1: octets[place] ^= 1 << UInt8(random.below(8))
        case 2: octets.remove(at: place)
        default: octets.insert(UInt8(truncatingIfNeeded: random.next()), at: place)
        }
    }
    return octets
}

@Suite struct FuzzTests {
    @Test func `what is encoded is decoded to the same`() {
        forEachSeed(400) { random in
            let isIPv4 = random.below(2) == 0
            let attributes = randomAttributes(isIPv4: isIPv4, &random)
            let prefixes = randomPrefixes(isIPv4: isIPv4, &random)
            let stream = encoded { arena in
                var encoder = UpdateEncoder(isFourOctet: true)
                _ = encoder.announce(ContiguousArray(prefixes), with: attributes, to: &arena)
            }
            var heard: [IPPrefix] = []
            for message in messages(in: stream) {
                try #require(message.body.count + 19 <= 4096)
                let update = try decodeUpdate(message.body, UpdateContext(isInternal: true)).get()
                try #require(update.faults.isEmpty && update.withdrawn.isEmpty)
                try #require(update.announcements.map(\.attributes) == [attributes])
                heard += update.announcements.flatMap(\.prefixes)
            }
            try #require(heard == prefixes)
            let taken = messages(in: withdrawal(prefixes)).compactMap { message in
                try? decodeUpdate(message.body, UpdateContext(isInternal: true)).get().withdrawn
            }
            try #require(taken.flatMap { $0 } == prefixes)
        }
    }

    @Test func `a damaged UPDATE is read or refused with a code of UPDATE errors`() {
        forEachSeed(3000) { random in
            let whole = randomUpdate(&random)
            guard let first = messages(in: whole).first else { return }
            let body =
                random.below(10) == 0 ? randomOctets(Int(random.below(300)), &random) : mutate(first.body, &random)
            let context = UpdateContext(
                isInternal: random.below(2) == 0, isFourOctet: random.below(4) != 0,
                families: random.below(4) == 0 ? .ipv4Unicast : [.ipv4Unicast, .ipv6Unicast])
            switch decodeUpdate(body, context) {
            case .failure(let notification):
                try #require(notification.code == 3)
                try #require([1, 2, 9, 10].contains(notification.subcode))
            case .success(let update):
                let isAtFault = update.faults.contains { if case .treatAsWithdraw = $0 { true } else { false } }
                try #require(!isAtFault || update.announcements.isEmpty)
                try #require(update.announcements.allSatisfy { !$0.attributes.path.contains(0) })
            }
        }
    }

    @Test func `a damaged OPEN is read or refused with a code of OPEN errors`() {
        forEachSeed(2000) { random in
            let body = Array(Bench.open().dropFirst(19))
            let damaged = random.below(8) == 0 ? randomOctets(Int(random.below(60)), &random) : mutate(body, &random)
            if case .failure(let notification) = decodeOpen(damaged) {
                try #require(notification.code == 2)
            }
        }
    }

    /// Whatever arrives, the session ends in a state that fits what was said, and gives nothing away.
    @Test func `a damaged stream in random pieces never leaves a session half ended`() {
        forEachSeed(400) { random in
            let bench = Bench(seed: random.next(), networks: ["10.1.0.0/16"])
            bench.establish()
            _ = bench.takeMessages()
            var stream: [UInt8] = []
            for _ in 0..<1 + random.below(6) {
                let update = randomUpdate(&random)
                stream += random.below(3) == 0 ? mutate(update, &random) : update
                if random.below(3) == 0 { stream += keepalive }
            }
            var offset = 0
            while offset < stream.count {
                let end = min(stream.count, offset + 1 + Int(random.below(900)))
                bench.send(Array(stream[offset..<end]))
                offset = end
            }
            let answers = bench.takeMessages().filter { $0.type == 3 }
            if bench.state == .established {
                try #require(answers.isEmpty)
            } else {
                // Damage can make a NOTIFICATION of an UPDATE, and that is not answered.
                let heard = bench.speaker.status(of: 0).counters.received.notification
                try #require(answers.count + Int(heard) == 1, "one NOTIFICATION, and nothing behind it")
                try #require(answers.allSatisfy { [1, 2, 3, 5].contains($0.body[0]) })
                try #require(bench.speaker.bestRoutes.map(\.prefix) == ["10.1.0.0/16"])
                try #require(bench.speaker.attributeSetCount == 1)
            }
        }
    }

    @Test func `random octets before the OPEN are answered once`() {
        forEachSeed(200) { random in
            let bench = Bench(seed: random.next())
            bench.start()
            bench.connect()
            _ = bench.takeMessages()
            bench.send(randomOctets(19 + Int(random.below(100)), &random))
            let answers = bench.takeMessages()
            try #require(answers.map { Array($0.body.prefix(2)) } == [[1, 1]])
            try #require(bench.state == .idle)
        }
    }

    @Test func `withdrawing everything leaves nothing behind`() {
        forEachSeed(100) { random in
            let bench = Bench(seed: random.next())
            bench.establish()
            for _ in 0..<10 { bench.send(randomUpdate(&random)) }
            let held = bench.speaker.receivedRoutes(from: 0)
            try #require(held.count == bench.speaker.status(of: 0).receivedRoutes)
            for isIPv4 in [true, false] {
                bench.send(withdrawal(held.map(\.prefix).filter { $0.isIPv4 == isIPv4 }))
            }
            try #require(bench.speaker.attributeSetCount == 0)
            try #require(bench.speaker.status(of: 0).receivedRoutes == 0)
        }
    }
}

import BGP
import Basics
import Testing

/// The runner's cases against a speaker that hears them without any socket in between.
@Suite(.enabled(if: ConformanceTool.isPresent, Comment(rawValue: ConformanceTool.reason)))
struct ConformanceTests {
    private static let cases = Result {
        let tool = try ConformanceTool()
        defer { tool.remove() }
        return try tool.cases()
    }

    /// What became of the session and of the route, in the runner's words.
    private func outcome(_ test: ConformanceTool.UpdateCase, _ bench: InjectedBench) -> String {
        _ = bench.established(Injected.collector)
        let connection = bench.established(Injected.peer(test.peer))
        bench.send(octets(test.good), on: connection)
        guard bench.held[octets(test.prefix)] != nil else { return "setup failed" }
        _ = bench.takeAnswers(on: connection)
        bench.send(octets(test.update), on: connection)
        bench.send(octets(test.sentinel), on: connection)
        let notification = bench.takeAnswers(on: connection).last { $0.type == 3 }
        if bench.closed.contains(connection) {
            return "reset:" + (notification.map { "\($0.body[0])/\($0.body[1])" } ?? "-")
        }
        guard bench.held[octets(test.sentinelPrefix)] != nil else { return "hang" }
        return bench.held[octets(test.prefix)] == nil ? "withdraw" : "keep"
    }

    private func isRight(_ outcome: String, _ test: ConformanceTool.UpdateCase, _ bench: InjectedBench) -> Bool {
        let flags = bench.held[octets(test.prefix)].map(attributeFlags)
        return test.expect.split(separator: "|").contains { expected in
            switch expected {
            case "reset": outcome.hasPrefix("reset")
            case "keep+partial": outcome == "keep" && flags?[99].map { $0 & 0xEF } == 0xE0
            case "keep-attr": outcome == "keep" && flags?[99] == nil
            case "keep-attr5": outcome == "keep" && flags?[5] == nil
            default:
                expected.hasPrefix("reset:")
                    ? expected.dropFirst(6).split(separator: ",").contains { outcome == "reset:\($0)" }
                    : outcome == expected
            }
        }
    }

    @Test func `every faulty UPDATE costs what the RFCs say`() throws {
        let cases = try Self.cases.get().update
        #expect(cases.count == 211)
        let bench = InjectedBench()
        for test in cases {
            let result = outcome(test, bench)
            #expect(isRight(result, test, bench), "\(test.name): \(result) for \(test.expect)")
        }
    }

    @Test func `no optional attribute of any type, flags and content costs the session`() throws {
        let cases = try Self.cases.get().sweep
        #expect(cases.count == 2259)
        let bench = InjectedBench()
        for test in cases {
            let result = outcome(test, bench)
            #expect(isRight(result, test, bench), "\(test.name): \(result)")
        }
    }

    @Test func `every fault of header, OPEN and order has its answer`() throws {
        let cases = try Self.cases.get().session
        // Silence and collision, the last two of the runner's sixty, are no octets; the suites of sessions have them.
        #expect(cases.count == 58)
        let bench = InjectedBench()
        for test in cases {
            let result = answer(to: test, bench)
            #expect(test.expect.split(separator: "|").contains { $0 == result }, "\(test.name): \(result)")
        }
    }

    /// The NOTIFICATION that ends the connection, or how it stands without one.
    private func answer(to test: ConformanceTool.SessionCase, _ bench: InjectedBench) -> String {
        bench.wait(.seconds(1))
        let connection =
            test.isEstablished ? bench.established(Injected.external) : bench.connect(Injected.external)
        if test.isEstablished { _ = bench.takeAnswers(on: connection) }
        for piece in test.pieces { bench.send(octets(piece), on: connection) }
        var answers = bench.takeAnswers(on: connection)
        // The runner answers an OPEN with a KEEPALIVE.
        if !test.isEstablished, answers.contains(where: { $0.type == 4 }), !bench.closed.contains(connection) {
            bench.send(keepalive, on: connection)
            answers += bench.takeAnswers(on: connection)
        }
        defer { if !bench.closed.contains(connection) { bench.hangUp(connection) } }
        if let notification = answers.last(where: { $0.type == 3 }) {
            return "\(notification.body[0])/\(notification.body[1])"
        }
        if bench.closed.contains(connection) { return "closed" }
        guard bench.speaker.state(of: Injected.external) == .established else { return "silent" }
        return test.isEstablished ? "up" : "established"
    }

    /// Each octet of the attributes' values, changed to each other one: a value may cost the route, never the session.
    @Test func `no change of one octet in an attribute's value costs the session`() throws {
        let bench = InjectedBench()
        _ = bench.established(Injected.collector)
        let values: [[UInt8]] = [
            attribute(0x40, 1, [0]), attribute(0x40, 2, pathValue(65001, 4200)), attribute(0x40, 3, [10, 254, 0, 11]),
            attribute(0x80, 4, [0, 0, 0, 9]), attribute(0xC0, 7, bigEndian(UInt32(65001)) + [10, 254, 0, 11]),
            attribute(0xC0, 8, [0xFD, 0xE9, 0, 1]), attribute(0xC0, 16, [0, 2, 0, 1, 0, 0, 0, 1]),
            attribute(0xC0, 32, [0, 0, 0xFD, 0xE9, 0, 0, 0, 1, 0, 0, 0, 2]),
            attribute(0xC0, 35, bigEndian(UInt32(65001))), attribute(0xC0, 99, [1, 2, 3]),
        ]
        var changes = 0
        for (place, whole) in values.enumerated() {
            for index in 3..<whole.count {
                for octet in UInt8.min...UInt8.max where octet != whole[index] {
                    var attributes = values
                    attributes[place][index] = octet
                    let connection = bench.established(Injected.external)
                    let update = message(2, updateBody(attributes: attributes, prefixes: [24, 45, 0, 0]))
                    bench.send(update, on: connection)
                    changes += 1
                    try #require(!bench.closed.contains(connection), "\(place), \(index): \(octet)")
                }
            }
        }
        #expect(changes == 58 * 255)
    }
}

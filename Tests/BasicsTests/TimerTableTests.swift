import Basics
import TestKit
import Testing

@Suite struct TimerTableTests {
    private enum Name: Int, CaseIterable { case connectRetry, hold, keepalive, delayOpen, a, b, c, last }

    /// The slow, obvious table that the fast one must agree with.
    private struct Reference {
        var deadlines: [(name: Name, at: UInt64)] = []

        var next: (name: Name, at: UInt64)? {
            deadlines.min { ($0.at, $0.name.rawValue) < ($1.at, $1.name.rawValue) }
        }

        mutating func set(_ name: Name, _ at: UInt64?) {
            deadlines.removeAll { $0.name == name }
            if let at { deadlines.append((name, at)) }
        }
    }

    @Test func `the table agrees with its reference on any run of steps`() {
        forEachSeed(200) { random in
            var table = TimerTable<Name>()
            var reference = Reference()
            for _ in 0..<200 {
                let name = Name.allCases[Int(random.below(8))]
                switch random.below(4) {
                case 0, 1:
                    let at = random.below(100)
                    table.set(name, at: Instant(nanoseconds: at))
                    reference.set(name, at)
                case 2:
                    table.stop(name)
                    reference.set(name, nil)
                default:
                    let now = random.below(100)
                    let taken = table.takeDue(at: Instant(nanoseconds: now))
                    let expected = reference.next.flatMap { $0.at <= now ? $0.name : nil }
                    try #require(taken == expected)
                    if let expected { reference.set(expected, nil) }
                }
                try #require(table.next?.name == reference.next?.name)
                try #require(table.next?.at.nanoseconds == reference.next?.at)
            }
        }
    }

    @Test func `a new table wakes nobody, and a timer set to never is stopped`() {
        var table = TimerTable<Name>()
        #expect(table.next == nil)
        table.set(.hold, at: Instant(nanoseconds: 5))
        table.set(.hold, at: .never)
        #expect(table.next == nil)
        let taken = table.takeDue(at: .never)
        #expect(taken == nil)
    }

    @Test func `asking and setting take no memory`() {
        var table = TimerTable<Name>()
        var fired = 0
        let count = allocations {
            for step in 0..<1_000 as Range<UInt64> {
                table.set(.keepalive, at: Instant(nanoseconds: step))
                if table.next != nil, table.takeDue(at: Instant(nanoseconds: step)) != nil { fired += 1 }
            }
        }
        #expect(count == 0)
        #expect(fired == 1_000)
    }
}

import Basics
import Foundation
import LinuxSystem
import Testing
import Wire

struct EventTests {
    @Test func `a timer is readable when its instant has come, and not before`() throws {
        let clock = MonotonicClock.startingNow()
        let timer = try KernelTimer(clock)
        let poll = try EventPoll()
        var ready = ReadyDescriptors()
        try poll.add(timer.number, for: .readable, token: 7)
        let due = clock.now + .milliseconds(30)
        try timer.set(due)
        try poll.wait(atMost: .milliseconds(0), into: &ready)
        let early = ready.count
        #expect(early == 0)
        try poll.wait(atMost: .milliseconds(5_000), into: &ready)
        let count = ready.count
        #expect(clock.now >= due)
        let event = ready[0]
        #expect(count == 1 && event.token == 7 && event.readiness == .readable)
        timer.clear()
        try poll.wait(atMost: .milliseconds(0), into: &ready)
        let cleared = ready.count
        #expect(cleared == 0)
        // What is past is readable at once; what never comes is not.
        try timer.set(.zero)
        try poll.wait(atMost: .milliseconds(1_000), into: &ready)
        let past = ready.count
        #expect(past == 1)
        try timer.set(.never)
        try poll.wait(atMost: .milliseconds(20), into: &ready)
        let never = ready.count
        #expect(never == 0)
    }

    @Test func `a poll tells what is ready, and forgets what was removed`() throws {
        var ends: [Int32] = [0, 0]
        let status = pipe(&ends)
        try #require(status == 0)
        let reader = FileDescriptor(owning: ends[0])
        let writer = FileDescriptor(owning: ends[1])
        let poll = try EventPoll()
        var ready = ReadyDescriptors()
        try poll.add(reader.number, for: .readable, token: 1)
        try poll.add(writer.number, for: [], token: 2)
        try poll.wait(atMost: .milliseconds(0), into: &ready)
        let none = ready.count
        #expect(none == 0)
        try poll.change(writer.number, for: .writable, token: 3)
        try poll.wait(atMost: .milliseconds(0), into: &ready)
        let one = ready.count
        let event = ready[0]
        #expect(one == 1 && event.token == 3 && event.readiness == .writable)
        try poll.remove(writer.number)
        var octet: UInt8 = 1
        _ = write(writer.number, &octet, 1)
        try poll.wait(atMost: .milliseconds(1_000), into: &ready)
        let other = ready.count
        let last = ready[0]
        #expect(other == 1 && last.token == 1)
    }

    @Test func `a bell is heard once however often it was rung, and ends the wait of another thread`() throws {
        let poll = try EventPoll()
        var ready = ReadyDescriptors()
        let bell = try Bell()
        try poll.add(bell.number, for: .readable, token: .max)
        let ringer = try RealTimeThread(named: "ringer", .init(priority: nil)) { [number = bell.number] in
            usleep(20_000)
            var two: UInt64 = 2
            _ = write(number, &two, 8)
        }
        try poll.wait(into: &ready)
        ringer.join()
        let event = ready[0]
        let count = ready.count
        #expect(count == 1 && event.token == .max && event.readiness == .readable)
        bell.ring()
        bell.hear()
        try poll.wait(atMost: .zero, into: &ready)
        let silent = ready.count
        #expect(silent == 0)
    }

    @Test func `of more descriptors than there is room for the others come with the next wait`() throws {
        let poll = try EventPoll()
        var bells = Slab<Bell>()
        for token in 0..<100 {
            bells.append(try Bell())
            bells[token].ring()
            try poll.add(bells[token].number, for: .readable, token: UInt64(token))
        }
        var ready = ReadyDescriptors()
        var heard: [UInt64] = []
        var counts: [Int] = []
        for _ in 0..<2 {
            try poll.wait(atMost: .zero, into: &ready)
            counts.append(ready.count)
            for place in 0..<ready.count {
                heard.append(ready[place].token)
                bells[Int(ready[place].token)].hear()
            }
        }
        #expect(counts == [64, 36] && heard.sorted() == Array(0..<100))
    }

    @Test func `an instant of the real-time clock is told in the monotonic one`() {
        let clock = MonotonicClock.startingNow()
        let lead = MonotonicClock.leadOfRealTime()
        let reading = lead &+ clock.epoch + 5_000
        #expect(clock.instant(ofRealTime: reading, lead: lead) == Instant(nanoseconds: 5_000))
        #expect(clock.instant(ofRealTime: lead, lead: lead) == .zero)
        #expect(clock.instant(ofRealTime: 0, lead: lead) == .zero)
    }
}

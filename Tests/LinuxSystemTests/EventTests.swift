import Basics
import Foundation
import LinuxSystem
import Testing
import Wire

struct EventTests {
    @Test func `a timer is readable when its instant has come, and not before`() throws {
        let clock = MonotonicClock.startingNow()
        let timer = try KernelTimer(clock)
        var poll = try EventPoll()
        try poll.add(timer.number, for: .readable, token: 7)
        let due = clock.now + .milliseconds(30)
        try timer.set(due)
        let early = try poll.wait(milliseconds: 0)
        #expect(early == 0)
        let count = try poll.wait(milliseconds: 5_000)
        #expect(clock.now >= due)
        let event = poll[0]
        #expect(count == 1 && event.token == 7 && event.readiness == .readable)
        timer.clear()
        let cleared = try poll.wait(milliseconds: 0)
        #expect(cleared == 0)
        // What is past is readable at once; what never comes is not.
        try timer.set(.zero)
        let past = try poll.wait(milliseconds: 1_000)
        #expect(past == 1)
        try timer.set(.never)
        let never = try poll.wait(milliseconds: 20)
        #expect(never == 0)
    }

    @Test func `a poll tells what is ready, and forgets what was removed`() throws {
        var ends: [Int32] = [0, 0]
        let status = pipe(&ends)
        try #require(status == 0)
        let reader = FileDescriptor(owning: ends[0])
        let writer = FileDescriptor(owning: ends[1])
        var poll = try EventPoll()
        try poll.add(reader.number, for: .readable, token: 1)
        try poll.add(writer.number, for: [], token: 2)
        let none = try poll.wait(milliseconds: 0)
        #expect(none == 0)
        try poll.change(writer.number, for: .writable, token: 3)
        let one = try poll.wait(milliseconds: 0)
        let event = poll[0]
        #expect(one == 1 && event.token == 3 && event.readiness == .writable)
        try poll.remove(writer.number)
        var octet: UInt8 = 1
        _ = write(writer.number, &octet, 1)
        let other = try poll.wait(milliseconds: 1_000)
        let last = poll[0]
        #expect(other == 1 && last.token == 1)
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

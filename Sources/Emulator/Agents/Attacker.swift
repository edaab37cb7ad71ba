import Attacks
import Basics
import Glibc
import LinuxSystem
import Plan
import Wire

/// Sends the packets of a scripted attack from a host's own namespace, and from nowhere else.
struct Attacker: ~Copyable {
    private var generator: FloodGenerator
    private let target: IPAddress
    private let socket: RawSocket
    private let clock: MonotonicClock
    private var arena = ByteArena(capacity: 64 * 1_024)
    /// How many packets the kernel took; those that it had no room for are lost.
    private(set) var sent: UInt64 = 0

    init(_ plan: AttackPlan, clock: MonotonicClock) throws(SystemError) {
        generator = plan.generator
        target = plan.target
        self.clock = clock
        socket = try RawSocket(isIPv4: plan.target.isIPv4)
    }

    /// Sends what is due.
    mutating func sendDue() throws(SystemError) {
        let now = clock.now
        while let range = generator.next(at: now, into: &arena) {
            if try socket.send(arena.bytes(range), to: target) { sent += 1 }
            arena.removeAll()
        }
    }

    /// How long until the next packet is due; nil where there is none any more.
    var pause: Interval? {
        generator.nextDeadline.map { max($0 - clock.now, .zero) }
    }
}

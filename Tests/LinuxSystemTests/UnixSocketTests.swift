import Basics
import Foundation
import Glibc
import LinuxSystem
import Synchronization
import Testing

struct UnixSocketTests {
    /// What a listener has accepted, and the one who has connected.
    private func connect(_ body: (borrowing UnixSocket, borrowing UnixSocket) throws -> Void) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "socket-\(UUID().uuidString)").path
        let listener = try UnixListener(at: path)
        let client = try UnixSocket(connectingTo: path)
        let server = try listener.accept()
        try body(server, client)
    }

    @Test func `an answer that is larger than any buffer comes whole to whoever reads it`() throws {
        let octets = (0..<2_000_000).map { UInt8(truncatingIfNeeded: ($0 &* 31) >> 3) }
        let received = Mutex<[UInt8]>([])
        try connect { server, client in
            let reader = try RealTimeThread(named: "reader", .init(priority: nil)) {
                [number = client.descriptor.number] in
                var buffer = [UInt8](repeating: 0, count: 65_536)
                while received.withLock({ $0.count }) < octets.count {
                    let count = read(number, &buffer, buffer.count)
                    guard count > 0 else { return }
                    received.withLock { $0 += buffer[..<count] }
                }
            }
            // Whatever becomes of the writing, the reader ends.
            defer {
                shutdown(server.descriptor.number, Int32(SHUT_RDWR))
                reader.join()
            }
            try server.write(octets)
        }
        let all = received.withLock { $0 }
        #expect(all == octets)
    }

    @Test(.enabled(if: geteuid() == 0, "only root may give a socket so much room"))
    func `an answer of two million octets waits for a reader who is late`() throws {
        try connect { server, client in
            let start = MonotonicClock.startingNow()
            try server.write([UInt8](repeating: 7, count: 2_000_000))
            #expect(start.now < .zero + .milliseconds(40))
            var buffer = [UInt8](repeating: 0, count: 65_536)
            var count = 0
            while count < 2_000_000 { count += read(client.descriptor.number, &buffer, buffer.count) }
            #expect(count == 2_000_000)
        }
    }

    @Test func `whoever does not read holds up who answers for no more than a moment`() throws {
        try connect { server, client in
            let start = MonotonicClock.startingNow()
            do throws(SystemError) {
                try server.write([UInt8](repeating: 7, count: 32_000_000))
                Issue.record("nobody has read it")
            } catch {
                #expect(error.number == ETIMEDOUT)
            }
            #expect(start.now >= .zero + .milliseconds(50) && start.now < .zero + .seconds(1))
        }
    }
}

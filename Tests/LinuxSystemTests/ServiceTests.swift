import Foundation
import Glibc
import LinuxSystem
import Testing

struct ServiceTests {
    /// The service manager's end; `name` is a path, or a name in no folder where it starts with a zero.
    private final class Manager {
        let number: Int32

        init(_ name: [UInt8]) throws {
            number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
            let size = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
            let status = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(number, $0, size) }
            }
            try #require(status == 0)
        }

        deinit { close(number) }

        func next() -> String? {
            var octets = [UInt8](repeating: 0, count: 4_096)
            let count = recv(number, &octets, octets.count, Int32(MSG_DONTWAIT))
            return count > 0 ? String(decoding: octets.prefix(count), as: UTF8.self) : nil
        }
    }

    @Test(arguments: [false, true])
    func `a service manager is told in datagrams`(isAbstract: Bool) throws {
        let path = FileManager.default.temporaryDirectory.appending(path: "notify-\(UUID().uuidString)").path
        defer { unlink(path) }
        let manager = try Manager(isAbstract ? [0] + Array(path.utf8.dropFirst()) : Array(path.utf8))
        let named = isAbstract ? "@" + path.dropFirst() : path
        let notifier = try #require(
            try ServiceNotifier { ["NOTIFY_SOCKET": named, "WATCHDOG_USEC": "3000000"][$0] })
        #expect(notifier.watchdogMicroseconds == 3_000_000)
        try notifier.tell(.ready, .status("two\nlines"))
        try notifier.tell(.watchdog)
        try notifier.tell(.stopping)
        #expect(manager.next() == "READY=1\nSTATUS=two lines")
        #expect(manager.next() == "WATCHDOG=1")
        #expect(manager.next() == "STOPPING=1")
        #expect(manager.next() == nil)
    }

    @Test func `without a manager there is nobody to tell, and another's watchdog is not ours`() throws {
        #expect(try ServiceNotifier { _ in nil } == nil)
        #expect(throws: SystemError.self) {
            _ = try ServiceNotifier { $0 == "NOTIFY_SOCKET" ? "/nowhere/at/all" : nil }
        }
        #expect(throws: SystemError.self) { _ = try ServiceNotifier { $0 == "NOTIFY_SOCKET" ? "relative" : nil } }
        let path = FileManager.default.temporaryDirectory.appending(path: "notify-\(UUID().uuidString)").path
        defer { unlink(path) }
        let manager = try Manager(Array(path.utf8))
        let notifier = try ServiceNotifier {
            ["NOTIFY_SOCKET": path, "WATCHDOG_USEC": "5", "WATCHDOG_PID": "1"][$0]
        }
        #expect(notifier?.watchdogMicroseconds == nil)
        withExtendedLifetime(manager) {}
    }
}

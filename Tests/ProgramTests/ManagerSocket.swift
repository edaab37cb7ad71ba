import Foundation
import Glibc
import Testing

/// The service manager's end: a socket of datagrams at a path.
final class ManagerSocket {
    private let number: Int32

    init(at path: String) throws {
        number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        try #require(status == 0)
    }

    deinit { close(number) }

    func next(within microseconds: Int = 10_000_000) -> String? {
        var patience = timeval(tv_sec: microseconds / 1_000_000, tv_usec: microseconds % 1_000_000)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var octets = [UInt8](repeating: 0, count: 4_096)
        let count = recv(number, &octets, octets.count, 0)
        return count > 0 ? String(decoding: octets.prefix(count), as: UTF8.self) : nil
    }
}

import Foundation
import Glibc
import Testing

/// A socket of a host, opened on a thread inside the host's namespace.
struct HostSocket {
    let number: Int32

    init(_ world: RealWorld, _ place: RealWorld.Place, isStream: Bool, boundTo port: UInt16 = 0) throws {
        number = try world.inside(place) {
            let kind = Int32(isStream ? SOCK_STREAM.rawValue : SOCK_DGRAM.rawValue)
            let number = socket(AF_INET, kind, 0)
            try #require(number >= 0)
            var patience = timeval(tv_sec: 5, tv_usec: 0)
            for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
                setsockopt(number, SOL_SOCKET, option, &patience, socklen_t(MemoryLayout<timeval>.size))
            }
            if port > 0 {
                var on: Int32 = 1
                setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
                let status = Self.with("0.0.0.0", port) { bind(number, $0, $1) }
                try #require(status == 0)
                if isStream { try #require(listen(number, 4) == 0) }
            }
            return number
        }
    }

    func connect(to address: String, _ port: UInt16) -> Bool {
        Self.with(address, port) { Glibc.connect(number, $0, $1) } == 0
    }

    func waitLess() {
        var patience = timeval(tv_sec: 0, tv_usec: 50_000)
        setsockopt(number, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
    }

    private static func with(
        _ address: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var value = sockaddr_in()
        value.sin_family = sa_family_t(AF_INET)
        value.sin_port = port.bigEndian
        inet_pton(AF_INET, address, &value.sin_addr)
        return withUnsafePointer(to: &value) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}

/// What the laptop at the branch and the server at the headquarters have to say to each other.
struct RealTraffic {
    let world: RealWorld
    static let server = "10.1.0.10"

    /// Sends octets from the laptop to the server over TCP, and returns what arrived.
    func transfer(_ octets: [UInt8]) throws -> [UInt8] {
        let listener = try HostSocket(world, .server, isStream: true, boundTo: 7_000)
        let client = try HostSocket(world, .laptop, isStream: true)
        defer { for socket in [listener, client] { close(socket.number) } }
        try #require(client.connect(to: Self.server, 7_000))
        let accepted = accept(listener.number, nil, nil)
        try #require(accepted >= 0)
        defer { close(accepted) }
        var received: [UInt8] = []
        var sent = 0
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while received.count < octets.count {
            // No more than fits is under way, so that one thread can be both ends.
            while sent < octets.count, sent - received.count < 16_384 {
                let count = octets.withUnsafeBytes {
                    send(client.number, $0.baseAddress.map { $0 + sent }, min(8_192, octets.count - sent), 0)
                }
                try #require(count > 0)
                sent += count
            }
            let count = read(accepted, &buffer, buffer.count)
            try #require(count > 0, "after \(received.count) octets")
            received += buffer.prefix(count)
        }
        return received
    }

    /// Sends numbered datagrams from the laptop to the server, one every ten milliseconds, and returns when, in
    /// milliseconds since the first, each arrived that did; `midway` is done once, after a third.
    func talk(_ count: Int, midway: () throws -> Void = {}) throws -> [Int] {
        let far = try HostSocket(world, .server, isStream: false, boundTo: 7_001)
        let near = try HostSocket(world, .laptop, isStream: false)
        defer { for socket in [far, near] { close(socket.number) } }
        try #require(near.connect(to: Self.server, 7_001))
        _ = fcntl(far.number, F_SETFL, O_NONBLOCK)
        let start = Date()
        var arrivals: [Int] = []
        for number in 0..<count {
            if number == count / 3 { try midway() }
            var octets = [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 160)
            send(near.number, octets, octets.count, 0)
            usleep(10_000)
            while read(far.number, &octets, octets.count) > 0 {
                arrivals.append(Int(Date().timeIntervalSince(start) * 1_000))
            }
        }
        return arrivals
    }
}

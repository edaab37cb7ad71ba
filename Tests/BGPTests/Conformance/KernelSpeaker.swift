import BGP
import Basics
import CLinux
import Glibc
import Wire

/// A speaker on the kernel's TCP, for peers that call it; everything happens in one thread.
struct KernelSpeaker: ~Copyable {
    private struct Channel {
        let descriptor: Int32
        let id: ConnectionID
        var waiting: [UInt8] = []
        var isBlocked = false
        /// Nothing is written any more; the peer's end is awaited, so that what was written is not lost in a reset.
        var closesAt: Instant?
    }

    private var speaker: Speaker
    private var outbox = SpeakerOutbox()
    private let listener: Int32
    private var channels: [Channel] = []
    private var nextNumber: UInt32 = 1
    private let epoch: UInt64

    /// Listens at an address of the calling thread's namespace; nil where the kernel refuses.
    init?(_ configuration: SpeakerConfiguration, at address: IPv4Address, seed: UInt64) {
        speaker = Speaker(configuration, random: SeededRandom(seed: seed))
        epoch = Self.nanoseconds()
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var one: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = UInt16(179).bigEndian
        place.sin_addr.s_addr = address.bits.bigEndian
        let status = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0, listen(listener, 64) == 0 else { return nil }
    }

    private static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private var now: Instant { Instant(nanoseconds: Self.nanoseconds() - epoch) }

    /// Speaks until `isOver` says so, which is asked at least ten times a second.
    mutating func run(until isOver: () -> Bool) {
        speaker.start(at: now, into: &outbox)
        carryOut()
        while !isOver() {
            poll()
            speaker.wake(at: now, into: &outbox)
            carryOut()
            for index in channels.indices.reversed() {
                if let end = channels[index].closesAt, end <= now { drop(index) }
            }
        }
        for channel in channels { close(channel.descriptor) }
        close(listener)
    }

    private mutating func poll() {
        var entries = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
        for channel in channels {
            let events = channel.waiting.isEmpty ? POLLIN : POLLIN | POLLOUT
            entries.append(pollfd(fd: channel.descriptor, events: Int16(events), revents: 0))
        }
        let deadline = speaker.nextDeadline.map { max($0, now) - now } ?? .milliseconds(100)
        let timeout = min(deadline, .milliseconds(100)).nanoseconds / 1_000_000
        guard Glibc.poll(&entries, nfds_t(entries.count), Int32(timeout)) > 0 else { return }
        for entry in entries.dropFirst() where entry.revents != 0 {
            if Int32(entry.revents) & POLLOUT != 0 { flush(entry.fd) }
            if Int32(entry.revents) & ~POLLOUT != 0 { read(entry.fd) }
        }
        if entries[0].revents != 0 { accept() }
    }

    private mutating func accept() {
        var place = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = withUnsafeMutablePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.accept(listener, $0, &size) }
        }
        guard descriptor >= 0 else { return }
        var one: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
        let address = IPAddress.v4(IPv4Address(bits: UInt32(bigEndian: place.sin_addr.s_addr)))
        let peer = speaker.peer(
            callingFrom: address, to: .v4(Injected.ownAddress), at: now, into: &outbox)
        guard let peer else {
            close(descriptor)
            return
        }
        let id = ConnectionID(nextNumber)
        nextNumber += 1
        channels.append(Channel(descriptor: descriptor, id: id))
        speaker.connected(peer: peer, connection: id, isIncoming: true, at: now, into: &outbox)
        carryOut()
    }

    private mutating func read(_ descriptor: Int32) {
        guard let index = channels.firstIndex(where: { $0.descriptor == descriptor }) else { return }
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, Int32(truncatingIfNeeded: MSG_DONTWAIT))
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        let channel = channels[index]
        guard count > 0 else {
            drop(index)
            guard channel.closesAt == nil else { return }
            speaker.closed(channel.id, at: now, into: &outbox)
            return carryOut()
        }
        guard channel.closesAt == nil else { return }
        let octets = Array(buffer.prefix(count))
        speaker.received(octets.span.bytes, on: channel.id, at: now, into: &outbox)
        carryOut()
    }

    private mutating func drop(_ index: Int) {
        close(channels[index].descriptor)
        channels.remove(at: index)
    }

    private mutating func flush(_ descriptor: Int32) {
        guard let index = channels.firstIndex(where: { $0.descriptor == descriptor }) else { return }
        let flags = Int32(truncatingIfNeeded: MSG_DONTWAIT) | Int32(truncatingIfNeeded: MSG_NOSIGNAL)
        let count = send(descriptor, channels[index].waiting, channels[index].waiting.count, flags)
        if count > 0 { channels[index].waiting.removeFirst(count) }
        let isBlocked = !channels[index].waiting.isEmpty
        if count > 0 || isBlocked != channels[index].isBlocked, channels[index].closesAt == nil {
            if count > 0 { speaker.sendingBlocked(channels[index].id, false, at: now, into: &outbox) }
            if isBlocked { speaker.sendingBlocked(channels[index].id, true, at: now, into: &outbox) }
        }
        channels[index].isBlocked = isBlocked
        if !isBlocked, channels[index].closesAt != nil { shutdown(descriptor, Int32(SHUT_WR)) }
    }

    private mutating func carryOut() {
        let actions = outbox.actions
        var touched: [Int32] = []
        for action in actions {
            switch action {
            case .write(let id, let range):
                guard let index = channels.firstIndex(where: { $0.id == id }) else { continue }
                channels[index].waiting += copied(outbox.bytes(range))
                touched.append(channels[index].descriptor)
            case .close(let id):
                guard let index = channels.firstIndex(where: { $0.id == id }) else { continue }
                channels[index].closesAt = now + .seconds(1)
                touched.append(channels[index].descriptor)
            case .abort(let id):
                if let index = channels.firstIndex(where: { $0.id == id }) { drop(index) }
            case .connect, .abandonConnect, .sessionChanged, .install, .withdraw:
                break
            }
        }
        outbox.removeAll()
        for descriptor in touched { flush(descriptor) }
    }
}

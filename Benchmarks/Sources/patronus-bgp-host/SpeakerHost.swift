import BGP
import Basics
import Glibc
import Wire

/// A speaker on the kernel's TCP whose peers call it: one thread, one `poll` loop, no more than it takes.
struct SpeakerHost: ~Copyable {
    private struct Channel {
        let descriptor: Int32
        let id: ConnectionID
        /// What the kernel has not taken yet, from ``sent`` on.
        var waiting: [UInt8] = []
        var sent = 0
        var isBlocked = false
        var isClosing = false

        var backlog: Int { waiting.count - sent }
    }

    /// Nothing is read from anybody while so much waits for one peer.
    private static let maximumBacklog = 16 << 20

    private var speaker: Speaker
    private var outbox = SpeakerOutbox(byteCapacity: 1 << 20)
    private let listener: Int32
    private var channels: [Channel] = []
    private var nextNumber: UInt32 = 1
    private let epoch: UInt64
    private let input = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 16)
    private var reported = -1
    private var nextReport = Instant.zero

    /// Listens on port 179 of all addresses; nil where the kernel refuses.
    init?(_ configuration: SpeakerConfiguration) {
        speaker = Speaker(configuration, random: SeededRandom(seed: 1))
        epoch = Self.nanoseconds()
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        Self.set(listener, SOL_SOCKET, SO_REUSEADDR)
        var place = sockaddr_in()
        place.sin_family = sa_family_t(AF_INET)
        place.sin_port = UInt16(179).bigEndian
        let status = withUnsafePointer(to: &place) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0, listen(listener, 64) == 0 else { return nil }
    }

    deinit {
        input.deallocate()
    }

    /// Speaks until the process is stopped.
    mutating func run() {
        speaker.start(at: now, into: &outbox)
        carryOut()
        while true {
            poll()
            if let deadline = speaker.nextDeadline, deadline <= now {
                speaker.wake(at: now, into: &outbox)
            }
            if !outbox.actions.isEmpty { carryOut() }
            report()
        }
    }

    private static func nanoseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }

    private static func set(_ descriptor: Int32, _ level: Int32, _ option: Int32) {
        var one: Int32 = 1
        setsockopt(descriptor, level, option, &one, socklen_t(MemoryLayout<Int32>.size))
    }

    private var now: Instant { Instant(nanoseconds: Self.nanoseconds() - epoch) }

    private mutating func poll() {
        let isFull = channels.contains { $0.backlog > Self.maximumBacklog }
        var entries = [pollfd(fd: listener, events: Int16(POLLIN), revents: 0)]
        for channel in channels {
            let events = (isFull ? 0 : POLLIN) | (channel.backlog > 0 ? POLLOUT : 0)
            entries.append(pollfd(fd: channel.descriptor, events: Int16(events), revents: 0))
        }
        let wait = speaker.nextDeadline.map { max($0, now) - now } ?? .milliseconds(200)
        let timeout = (min(wait, .milliseconds(200)).nanoseconds + 999_999) / 1_000_000
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
        let address = IPAddress.v4(IPv4Address(bits: UInt32(bigEndian: place.sin_addr.s_addr)))
        guard let peer = speaker.configuration.peers.firstIndex(where: { $0.address == address }) else {
            close(descriptor)
            return
        }
        Self.set(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY)
        let id = ConnectionID(nextNumber)
        nextNumber += 1
        channels.append(Channel(descriptor: descriptor, id: id))
        speaker.connected(peer: peer, connection: id, isIncoming: true, at: now, into: &outbox)
        carryOut()
    }

    private mutating func read(_ descriptor: Int32) {
        guard let index = channels.firstIndex(where: { $0.descriptor == descriptor }) else { return }
        let count = recv(descriptor, input.baseAddress, input.count, Int32(truncatingIfNeeded: MSG_DONTWAIT))
        if count < 0, errno == EAGAIN || errno == EINTR { return }
        let channel = channels[index]
        guard count > 0 else {
            close(descriptor)
            channels.remove(at: index)
            guard !channel.isClosing else { return }
            speaker.closed(channel.id, at: now, into: &outbox)
            return carryOut()
        }
        guard !channel.isClosing else { return }
        let octets = RawSpan(_unsafeBytes: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(input)[..<count]))
        speaker.received(octets, on: channel.id, at: now, into: &outbox)
        carryOut()
    }

    private mutating func flush(_ descriptor: Int32) {
        guard let index = channels.firstIndex(where: { $0.descriptor == descriptor }) else { return }
        let before = channels[index].sent
        while channels[index].backlog > 0 {
            let place = channels[index].sent
            let count = channels[index].waiting.withUnsafeBytes { Self.send(descriptor, $0[place...]) }
            guard count > 0 else { break }
            channels[index].sent += count
        }
        let hasMoved = channels[index].sent > before
        if channels[index].backlog == 0 {
            channels[index].waiting.removeAll(keepingCapacity: channels[index].waiting.count < 1 << 20)
            channels[index].sent = 0
            if channels[index].isClosing { shutdown(descriptor, Int32(SHUT_WR)) }
        } else if channels[index].sent > 1 << 20 {
            channels[index].waiting.removeFirst(channels[index].sent)
            channels[index].sent = 0
        }
        noteBlocked(index, hasMoved: hasMoved)
    }

    private mutating func noteBlocked(_ index: Int, hasMoved: Bool) {
        let isBlocked = channels[index].backlog > 0
        guard !channels[index].isClosing, isBlocked != channels[index].isBlocked || (isBlocked && hasMoved) else {
            return
        }
        channels[index].isBlocked = isBlocked
        if hasMoved { speaker.sendingBlocked(channels[index].id, false, at: now, into: &outbox) }
        if isBlocked { speaker.sendingBlocked(channels[index].id, true, at: now, into: &outbox) }
    }

    private static func send(_ descriptor: Int32, _ octets: Slice<UnsafeRawBufferPointer>) -> Int {
        let flags = Int32(truncatingIfNeeded: MSG_DONTWAIT | MSG_NOSIGNAL)
        let buffer = UnsafeRawBufferPointer(rebasing: octets)
        return Glibc.send(descriptor, buffer.baseAddress, buffer.count, flags)
    }

    /// Mostly the kernel has room, and nothing has to be kept.
    private static func write(_ octets: RawSpan, to channel: inout Channel) {
        octets.withUnsafeBytes { octets in
            let sent = channel.backlog == 0 ? max(0, send(channel.descriptor, octets[...])) : 0
            if sent < octets.count { channel.waiting.append(contentsOf: octets[sent...]) }
        }
    }

    private mutating func carryOut() {
        var touched: [Int] = []
        for action in outbox.actions {
            switch action {
            case .write(let id, let range):
                guard let index = channels.firstIndex(where: { $0.id == id }) else { continue }
                var channel = channels[index]
                channels[index].waiting = []
                Self.write(outbox.bytes(range), to: &channel)
                channels[index] = channel
                touched.append(index)
            case .close(let id), .abort(let id):
                guard let index = channels.firstIndex(where: { $0.id == id }) else { continue }
                channels[index].isClosing = true
                if channels[index].backlog == 0 { shutdown(channels[index].descriptor, Int32(SHUT_WR)) }
            case .connect, .abandonConnect, .sessionChanged, .install, .withdraw:
                break
            }
        }
        outbox.removeAll()
        // What the speaker answers to that is carried out by the next call.
        for index in touched { noteBlocked(index, hasMoved: true) }
    }

    /// Prints how many routes there are when that has changed, once in half a second at most.
    private mutating func report() {
        guard now >= nextReport else { return }
        nextReport = now + .milliseconds(500)
        let count = speaker.configuration.peers.indices.reduce(0) { $0 + speaker.status(of: $1).acceptedRoutes }
        guard count != reported else { return }
        reported = count
        print("routes \(count)")
        fflush(nil)
    }
}

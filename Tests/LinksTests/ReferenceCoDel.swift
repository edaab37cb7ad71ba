import Basics

/// RFC 8289 §5, as it is written there, in front of a transmitter of constant rate.
struct ReferenceCoDel {
    struct Fate: Equatable {
        var token: Int
        var at: UInt64
    }

    private struct Packet {
        var token: Int
        var byteCount: Int
        var timestamp: UInt64
    }

    private let target: UInt64 = 5_000_000
    private let interval: UInt64 = 100_000_000
    private let maximumPacket = 1_514
    private let rate: BitRate
    private var queue: [Packet] = []
    private var free: UInt64 = 0
    private var firstAboveTime: UInt64 = 0
    private var dropNext: UInt64 = 0
    private var count = 0
    private var lastCount = 0
    private var dropping = false
    private(set) var offered = 0
    private(set) var sent: [Fate] = []
    private(set) var dropped: [Fate] = []

    init(rate: BitRate) {
        self.rate = rate
    }

    mutating func offer(byteCount: UInt32, at now: UInt64) {
        advance(to: now)
        queue.append(Packet(token: offered, byteCount: Int(byteCount), timestamp: now))
        offered += 1
        free = max(free, now)
        advance(to: now)
    }

    mutating func advance(to now: UInt64) {
        while !queue.isEmpty, free <= now {
            guard let packet = dequeue(at: free) else { continue }
            free += UInt64(rate.transmissionTime(byteCount: packet.byteCount).nanoseconds)
            sent.append(Fate(token: packet.token, at: free))
        }
    }

    private func controlLaw(_ time: UInt64, _ count: Int) -> UInt64 {
        time + UInt64(Double(interval) / Double(count).squareRoot())
    }

    private mutating func doDequeue(at now: UInt64) -> (packet: Packet?, okToDrop: Bool) {
        guard !queue.isEmpty else {
            firstAboveTime = 0
            return (nil, false)
        }
        let packet = queue.removeFirst()
        let bytes = queue.reduce(0) { $0 + $1.byteCount }
        if now - packet.timestamp < target || bytes <= maximumPacket {
            firstAboveTime = 0
        } else if firstAboveTime == 0 {
            firstAboveTime = now + interval
        } else if now >= firstAboveTime {
            return (packet, true)
        }
        return (packet, false)
    }

    private mutating func drop(_ packet: Packet?, at now: UInt64) {
        if let packet { dropped.append(Fate(token: packet.token, at: now)) }
    }

    private mutating func dequeue(at now: UInt64) -> Packet? {
        var result = doDequeue(at: now)
        if dropping {
            if !result.okToDrop { dropping = false }
            while now >= dropNext && dropping {
                drop(result.packet, at: now)
                result = doDequeue(at: now)
                if !result.okToDrop {
                    dropping = false
                } else {
                    count += 1
                    dropNext = controlLaw(dropNext, count)
                }
            }
        } else if result.okToDrop {
            drop(result.packet, at: now)
            result = doDequeue(at: now)
            dropping = true
            let delta = count - lastCount
            count = 1
            if delta > 1 && Int64(now) - Int64(dropNext) < 16 * Int64(interval) { count = delta }
            dropNext = controlLaw(now, count)
            lastCount = count
        }
        return result.packet
    }
}

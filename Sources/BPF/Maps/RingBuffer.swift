/// Records from programs to their host, in the order in which room was reserved for them, as in Linux.
///
/// A record lies behind an octet count of four octets, whose two high bits say that it is still being
/// written or was given up, and four more that are zero. The memory is twice the size, so that
/// a record that starts near the end runs on behind it. A program can reach the counts; what it
/// makes of them is checked before it is believed.
struct RingBuffer: ~Copyable {
    private static let busy: UInt32 = 1 << 31
    private static let discarded: UInt32 = 1 << 30
    static let headerSize = 8

    /// A power of two, or zero where a map is no ring buffer.
    let capacity: Int
    private let records: UnsafeMutableRawPointer
    private(set) var produced = 0
    private(set) var consumed = 0
    /// The first record that is still being written.
    private var pending = 0

    init(capacity: Int, records: UnsafeMutableRawPointer) {
        self.capacity = capacity
        self.records = records
    }

    /// Where the octets of a new record lie; nil where there is no room.
    mutating func reserve(_ count: Int) -> Int? {
        guard count <= Int(UInt32.max / 4) else { return nil }
        let length = Self.length(count)
        guard length <= capacity else { return nil }
        while pending < produced {
            let header = self.header(at: pending)
            guard header & Self.busy == 0 else { break }
            pending += Self.length(Int(header & ~Self.discarded))
        }
        let end = produced + length
        guard end - consumed < capacity, end - pending < capacity else { return nil }
        let place = produced & (capacity - 1)
        records.storeBytes(of: UInt32(count) | Self.busy, toByteOffset: place, as: UInt32.self)
        records.storeBytes(of: 0, toByteOffset: place + 4, as: UInt32.self)
        produced = end
        return place + Self.headerSize
    }

    /// Ends the writing of the record at `place`; nothing happens where none was reserved there.
    mutating func commit(at place: Int, discarding: Bool) {
        let start = place - Self.headerSize
        guard start >= 0, start < capacity else { return }
        let header = records.loadUnaligned(fromByteOffset: start, as: UInt32.self)
        guard header & Self.busy != 0 else { return }
        let count = header & ~(Self.busy | Self.discarded)
        records.storeBytes(of: discarding ? count | Self.discarded : count, toByteOffset: start, as: UInt32.self)
    }

    /// Writes one whole record; nil where there is no room.
    mutating func output(_ octets: UnsafeRawPointer, count: Int) -> Bool {
        guard let place = reserve(count) else { return false }
        (records + place).copyMemory(from: octets, byteCount: count)
        commit(at: place, discarding: false)
        return true
    }

    /// The next record to be read, with the octets that it and its header take; nil where none is finished.
    mutating func take() -> UnsafeRawBufferPointer? {
        while consumed < produced {
            let header = self.header(at: consumed)
            guard header & Self.busy == 0 else { return nil }
            let count = Int(header & ~Self.discarded)
            guard Self.length(count) <= produced - consumed else {
                // The program overwrote a count: what follows can no longer be told apart.
                (consumed, pending) = (produced, produced)
                return nil
            }
            let start = consumed & (capacity - 1)
            consumed += Self.length(count)
            if header & Self.discarded == 0 {
                return UnsafeRawBufferPointer(start: records + start + Self.headerSize, count: count)
            }
        }
        return nil
    }

    private func header(at position: Int) -> UInt32 {
        records.loadUnaligned(fromByteOffset: position & (capacity - 1), as: UInt32.self)
    }

    /// What a record takes with its header.
    private static func length(_ count: Int) -> Int {
        (count + headerSize + 7) & ~7
    }
}

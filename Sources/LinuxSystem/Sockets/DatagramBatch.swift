import CLinux
public import Wire

/// Room for the datagrams that one call receives, with what the kernel says of each.
public struct DatagramBatch: ~Copyable {
    /// How many datagrams it holds.
    public internal(set) var count = 0
    let capacity: Int
    let room: Int
    let octets: UnsafeMutableRawPointer
    let datagrams: UnsafeMutablePointer<clinux_datagram>

    /// Room for `capacity` datagrams, 64 at most, of the largest size that there is.
    public init(capacity: Int = 32) {
        self.capacity = min(max(capacity, 1), Int(CLINUX_BATCH))
        room = 65_536
        octets = .allocate(byteCount: self.capacity * room, alignment: 4_096)
        datagrams = .allocate(capacity: self.capacity)
        for place in 0..<self.capacity {
            (datagrams + place).initialize(to: clinux_datagram())
        }
    }

    deinit {
        datagrams.deallocate()
        octets.deallocate()
    }

    /// Whether there may be more where these came from.
    public var isFull: Bool { count == capacity }

    /// A datagram's octets.
    @_lifetime(borrow self)
    public borrowing func bytes(_ place: Int) -> RawSpan {
        precondition(place >= 0 && place < count)
        let slice = UnsafeRawBufferPointer(start: octets + place * room, count: Int(datagrams[place].byte_count))
        return _overrideLifetime(RawSpan(_unsafeBytes: slice), borrowing: self)
    }

    /// Who sent a datagram.
    public borrowing func sender(_ place: Int) -> SocketAddress {
        precondition(place >= 0 && place < count)
        return SocketAddress(datagrams[place].remote)
    }

    /// When the kernel got a datagram, in nanoseconds of its real-time clock; nil where it did not say.
    public borrowing func arrival(_ place: Int) -> UInt64? {
        precondition(place >= 0 && place < count)
        return datagrams[place].arrival == 0 ? nil : datagrams[place].arrival
    }

    /// Gives each place its room back.
    mutating func prepare() {
        count = 0
        for place in 0..<capacity {
            datagrams[place].octets = octets + place * room
            datagrams[place].byte_count = UInt32(room)
        }
    }
}

/// How simultaneous events are ordered: by the device concerned, then by the cause.
///
/// The scripted timeline comes first, then each device in order of index: its own
/// timers, then arrivals by the number of the link's direction, then the packets of its
/// attacks. Nothing depends on when an event was inserted.
enum EventKey {
    static let timeline: UInt64 = 0

    static func wake(_ device: Int) -> UInt64 {
        UInt64(device + 1) << 32
    }

    static func arrival(at device: Int, direction: Int) -> UInt64 {
        UInt64(device + 1) << 32 | UInt64(direction + 1)
    }

    /// The device that an event concerns; nil for the timeline.
    static func device(of key: UInt64) -> Int? {
        key == timeline ? nil : Int(key >> 32) - 1
    }

    static func attack(from device: Int, number: Int) -> UInt64 {
        UInt64(device + 1) << 32 | attackBit | UInt64(number)
    }

    /// The link direction that an arrival comes from; nil for a wake and for an attack.
    static func direction(of key: UInt64) -> Int? {
        let low = key & 0xFFFF_FFFF
        return low == 0 || low & attackBit != 0 ? nil : Int(low) - 1
    }

    /// The attack that has a packet to send; nil for all others.
    static func attack(of key: UInt64) -> Int? {
        key & attackBit == 0 ? nil : Int(key & (attackBit - 1))
    }

    private static let attackBit: UInt64 = 1 << 31
}

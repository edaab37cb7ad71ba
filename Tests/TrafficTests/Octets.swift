import Basics
import Traffic

/// The octets that `body` appends to an arena.
func octets(_ body: (inout ByteArena) -> Void) -> [UInt8] {
    var arena = ByteArena(capacity: 16)
    body(&arena)
    let bytes = arena.bytes(ByteRange(start: 0, count: arena.count))
    return (0..<bytes.byteCount).map { bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
}

extension Instant {
    static func milliseconds(_ count: Int64) -> Instant { .zero + .milliseconds(count) }
}

func stamp(of payload: [UInt8], _ placement: StampPlacement) -> MeasuringStamp? {
    MeasuringStamp(parsing: payload.span.bytes, placement: placement)
}

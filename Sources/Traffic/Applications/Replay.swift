public import Basics

/// One datagram of a ``ReplayScript``.
public struct ReplayPacket: Equatable, Sendable {
    /// After the flow's start.
    public let offset: Interval
    public let direction: FlowDirection
    public let payloadByteCount: Int
    /// Where the known octets lie in the script; there may be fewer than the payload has.
    let octets: Range<Int>
}

/// A captured conversation, sent again as datagrams of the same sizes at the same times: `replay`.
///
/// The last 16 octets of a payload are replaced by the measuring stamp, the first are kept
/// for whoever classifies them. Of a payload of 8 to 15 octets the last 8 are; one that is
/// shorter is kept whole and told by its sender's address and its turn.
public struct ReplayScript: Equatable, Sendable {
    public private(set) var packets: ContiguousArray<ReplayPacket> = []
    private var octets: ContiguousArray<UInt8> = []
    /// The packets of each direction, by their place in `packets`.
    private var forward: ContiguousArray<UInt32> = []
    private var backward: ContiguousArray<UInt32> = []

    public init() {}

    /// Adds a packet; one that lies before the last is sent together with it, sizes are kept within 65507 bytes.
    public mutating func append(
        at offset: Interval, _ direction: FlowDirection, payloadByteCount: Int, payload: [UInt8] = []
    ) {
        let start = octets.count
        let byteCount = min(max(payloadByteCount, 0), 65_507)
        octets.append(contentsOf: payload.prefix(byteCount))
        let packet = ReplayPacket(
            offset: max(offset, packets.last?.offset ?? .zero), direction: direction, payloadByteCount: byteCount,
            octets: start..<octets.count)
        let place = UInt32(packets.count)
        packets.append(packet)
        if direction == .forward { forward.append(place) } else { backward.append(place) }
    }

    /// The packet of that number in one direction.
    public func packet(_ number: Int, _ direction: FlowDirection) -> ReplayPacket? {
        let places = direction == .forward ? forward : backward
        guard number >= 0, number < places.count else { return nil }
        return packets[Int(places[number])]
    }

    /// How the datagrams of one direction follow each other; nil where there are none.
    public func rhythm(_ direction: FlowDirection) -> DatagramRhythm? {
        let places = direction == .forward ? forward : backward
        guard let last = places.last else { return nil }
        return DatagramRhythm(lastOffset: packets[Int(last)].offset, stampPlacement: .trailing)
    }

    func append(_ packet: ReplayPacket, atMost limit: Int, to arena: inout ByteArena) -> Int {
        let count = min(packet.octets.count, limit)
        arena.append(octets.span.bytes.extracting(packet.octets.lowerBound..<packet.octets.lowerBound + count))
        return count
    }
}

/// The departures of one end of a ``ReplayScript``.
public struct ReplayGenerator: Sendable {
    private let script: ReplayScript
    private let direction: FlowDirection
    private var number = 0

    public init(_ script: ReplayScript, direction: FlowDirection) {
        self.script = script
        self.direction = direction
    }

    public var next: Departure? {
        script.packet(number, direction).map { Departure(offset: $0.offset, payloadByteCount: $0.payloadByteCount) }
    }

    mutating func take(stampedWith stamp: MeasuringStamp, filler: inout PayloadFiller, into arena: inout ByteArena) {
        guard let packet = script.packet(number, direction) else { return }
        let stampByteCount = StampPlacement.trailing.stampByteCount(packet.payloadByteCount)
        let room = packet.payloadByteCount - stampByteCount
        let known = script.append(packet, atMost: room, to: &arena)
        filler.append(room - known, of: .random, to: &arena)
        stamp.append(stampByteCount, to: &arena)
        number += 1
    }
}

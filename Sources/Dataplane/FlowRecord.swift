public import Basics
import CDataplane
public import Telemetry
public import Wire

/// A flow's packets in one direction, as the program has counted them.
public struct FlowDirectionRecord: Equatable, Sendable, BitwiseCopyable {
    public var packets: UInt64
    /// Sizes are those of IP packets.
    public var bytes: UInt64
    /// When the last one came; nil before the first.
    public var last: Instant?
    /// All flags that were set in any segment.
    public var flags: TCPFlags
    /// The last packet's.
    public var trafficClass: UInt8
    /// The tunnel that packets were last sent into.
    public var tunnel: TunnelID?
    /// A steering entry decided that.
    public var isSteered: Bool
    /// Packets come out of a tunnel.
    public var isFromTunnel: Bool
    /// Packets by size: bin 0 below 128 bytes, bin n from 2^(6+n), the last all that is longer.
    public var sizes: InlineArray<8, UInt32>
    /// Packets by the time since the one before: bin 0 below 2^14 ns, bin n from 2^(13+n), the last all that is longer.
    public var gaps: InlineArray<16, UInt32>

    init(_ direction: patronus_direction) {
        packets = direction.packets
        bytes = direction.bytes
        last = direction.packets == 0 ? nil : Instant(nanoseconds: direction.last)
        flags = TCPFlags(rawValue: direction.tcp_flags)
        trafficClass = direction.traffic_class
        tunnel =
            UInt32(direction.kind) == PATRONUS_ROUTE_TUNNEL.rawValue ? TunnelID(direction.target) : nil
        isSteered = UInt32(direction.marks) & PATRONUS_MARK_STEERED.rawValue != 0
        isFromTunnel = UInt32(direction.marks) & PATRONUS_MARK_TUNNELLED.rawValue != 0
        sizes = withUnsafeBytes(of: direction.sizes) { octets in
            InlineArray { unsafe octets.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self) }
        }
        gaps = withUnsafeBytes(of: direction.gaps) { octets in
            InlineArray { unsafe octets.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self) }
        }
    }

    public static func == (left: FlowDirectionRecord, right: FlowDirectionRecord) -> Bool {
        guard left.packets == right.packets, left.bytes == right.bytes, left.last == right.last,
            left.flags == right.flags, left.trafficClass == right.trafficClass, left.tunnel == right.tunnel,
            left.isSteered == right.isSteered, left.isFromTunnel == right.isFromTunnel
        else { return false }
        for bin in left.sizes.indices where left.sizes[bin] != right.sizes[bin] { return false }
        for bin in left.gaps.indices where left.gaps[bin] != right.gaps[bin] { return false }
        return true
    }
}

/// What the flow table knows of one flow.
public struct FlowRecord: Equatable, Sendable, BitwiseCopyable {
    /// The direction from the lower endpoint.
    public var tuple: FiveTuple
    public var first: Instant
    /// Both ends have spoken.
    public var isAnswered: Bool
    /// The handshake was seen and is right, or a flow picked up was answered: it is not policed.
    public var isProven: Bool
    public var fromLower: FlowDirectionRecord
    public var fromHigher: FlowDirectionRecord

    init?(_ key: patronus_five_tuple, _ flow: patronus_flow) {
        guard let tuple = FiveTuple(key) else { return nil }
        self.tuple = tuple
        first = Instant(nanoseconds: flow.first)
        isAnswered = flow.state & PATRONUS_FLOW_ANSWERED.rawValue != 0
        isProven = flow.state & PATRONUS_FLOW_PROVEN.rawValue != 0
        fromLower = FlowDirectionRecord(flow.directions.0)
        fromHigher = FlowDirectionRecord(flow.directions.1)
    }

    /// The direction that a tuple names.
    public func direction(_ tuple: FiveTuple) -> FlowDirectionRecord {
        tuple.isFromLower ? fromLower : fromHigher
    }
}

public import Basics
import Wire

/// Writes the packets of one flood, each when its time has come.
public struct FloodGenerator: Sendable {
    private let configuration: FloodConfiguration
    private var pace: FloodPace
    private var sources: SpoofedSources
    private var writer: FloodPacketWriter
    /// How many packets have been written.
    public private(set) var packetCount: UInt64 = 0
    /// The octets of all IP packets written.
    public private(set) var byteCount: UInt64 = 0

    /// How many resolvers answer where the configuration does not say it.
    public static var resolverCount: UInt32 { 1_000 }

    /// A generator that draws everything from `random`.
    public init(_ configuration: FloodConfiguration, random: SeededRandom) {
        self.configuration = configuration
        var random = random
        pace = FloodPace(configuration.rate, start: configuration.start, random: random.fork())
        let standard = configuration.kind == .dnsAmplification ? Self.resolverCount : nil
        sources = SpoofedSources(
            count: configuration.sourceCount ?? standard, sparing: configuration.target, random: random.fork())
        writer = FloodPacketWriter(configuration, random: random.fork())
    }

    /// When the next packet is due; nil where there is none any more.
    public var nextDeadline: Instant? {
        pace.next < configuration.stop ? pace.next : nil
    }

    /// Appends the next IP packet that is due and says where it lies; nil where none is due yet.
    ///
    /// Several may be due at one instant: ask until the answer is nil.
    public mutating func next(at now: Instant, into arena: inout ByteArena) -> ByteRange? {
        guard let due = nextDeadline, due <= now else { return nil }
        let start = arena.count
        writer.append(from: sources.next(), to: &arena)
        let range = ByteRange(start: start, count: arena.count - start)
        packetCount &+= 1
        byteCount &+= UInt64(range.count)
        pace.advance(byteCount: Int(range.count))
        return range
    }
}

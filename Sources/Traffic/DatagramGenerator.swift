public import Basics

/// One datagram that is due.
public struct Departure: Equatable, Sendable, BitwiseCopyable {
    /// After the flow's start.
    public var offset: Interval
    public var payloadByteCount: Int

    public init(offset: Interval, payloadByteCount: Int) {
        self.offset = offset
        self.payloadByteCount = payloadByteCount
    }
}

/// The datagrams that one end of a flow sends, one after the other.
public enum DatagramGenerator: Sendable {
    case constantRate(ConstantRateGenerator)
    case voip(VoIPGenerator)
    case replay(ReplayGenerator)

    /// The generator of one end; nil where that end sends no datagrams.
    public init?(_ profile: ApplicationProfile, role: FlowRole, flow: UInt32, overIPv4: Bool) {
        switch profile {
        case .constantRate(let profile):
            guard role == .source else { return nil }
            self = .constantRate(ConstantRateGenerator(profile, overIPv4: overIPv4))
        case .voip:
            self = .voip(VoIPGenerator(synchronizationSource: flow << 1 | UInt32(role.rawValue)))
        case .replay(let script):
            self = .replay(ReplayGenerator(script, direction: role.sends))
        case .web, .fileTransfer:
            return nil
        }
    }

    /// The next datagram; nil where there is none any more.
    public var next: Departure? {
        switch self {
        case .constantRate(let generator): generator.next
        case .voip(let generator): generator.next
        case .replay(let generator): generator.next
        }
    }

    /// Appends the payload of the next datagram and goes on to the one behind it.
    public mutating func take(
        stampedWith stamp: MeasuringStamp, filler: inout PayloadFiller, into arena: inout ByteArena
    ) {
        switch self {
        case .constantRate(var generator):
            generator.take(stampedWith: stamp, filler: &filler, into: &arena)
            self = .constantRate(generator)
        case .voip(var generator):
            generator.take(stampedWith: stamp, filler: &filler, into: &arena)
            self = .voip(generator)
        case .replay(var generator):
            generator.take(stampedWith: stamp, filler: &filler, into: &arena)
            self = .replay(generator)
        }
    }
}

public import Basics

/// What a flow carries, with its parameters.
public enum ApplicationProfile: Equatable, Sendable {
    case constantRate(ConstantRate)
    case voip(VoIP)
    case web(Web)
    case fileTransfer(FileTransfer)
    case replay(ReplayScript)

    /// The name in scenario files and reports.
    public var name: String {
        switch self {
        case .constantRate: "cbr"
        case .voip: "voip"
        case .web: "web"
        case .fileTransfer: "fileTransfer"
        case .replay: "replay"
        }
    }

    /// Whether the application talks over byte streams; otherwise it sends datagrams.
    public var usesStreams: Bool {
        switch self {
        case .constantRate, .voip, .replay: false
        case .web, .fileTransfer: true
        }
    }

    /// How datagrams follow each other in one direction; nil where there are none.
    public func rhythm(_ direction: FlowDirection) -> DatagramRhythm? {
        switch self {
        case .constantRate(let profile): direction == .forward ? Optional(profile.rhythm) : nil
        case .voip(let profile): profile.rhythm
        case .replay(let script): script.rhythm(direction)
        case .web, .fileTransfer: nil
        }
    }
}

/// How the datagrams of one direction of a flow follow each other.
public struct DatagramRhythm: Equatable, Sendable {
    /// The time between two packets, where it is constant.
    public var evenGap: Interval?
    /// How long after the flow's start the last packet goes, where that is known.
    public var lastOffset: Interval?
    public var isVoice: Bool
    public var stampPlacement: StampPlacement

    public init(
        evenGap: Interval? = nil, lastOffset: Interval? = nil, isVoice: Bool = false, stampPlacement: StampPlacement
    ) {
        self.evenGap = evenGap
        self.lastOffset = lastOffset
        self.isVoice = isVoice
        self.stampPlacement = stampPlacement
    }
}

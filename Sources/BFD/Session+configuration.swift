public import Basics

extension Session {
    /// The state of a session (RFC 5880 §4.1, §6.2).
    public enum State: UInt8, CaseIterable, Sendable, BitwiseCopyable {
        case adminDown = 0
        case down = 1
        /// The RFC's Init: the peer is heard, but is not known to hear.
        case initializing = 2
        case up = 3

        /// The state in the low two bits.
        init(bits: UInt8) {
            switch bits & 3 {
            case 0: self = .adminDown
            case 1: self = .down
            case 2: self = .initializing
            default: self = .up
            }
        }
    }

    /// What a session is told about itself.
    public struct Configuration: Equatable, Sendable {
        /// The shortest span between packets that this end would like to send with.
        public var desiredMinTx: Interval
        /// The shortest span between packets that this end can take.
        public var requiredMinRx: Interval
        public var detectMultiplier: UInt8
        /// Not 0, and unlike that of every other session of the node.
        public var localDiscriminator: UInt32
        /// Whether the session keeps silent until the peer has spoken (RFC 5880 §6.1).
        public var isPassive: Bool
        /// The span between packets while the session is not up; the RFC wants at least a second (§6.8.3).
        public var slowInterval: Interval

        public init(
            desiredMinTx: Interval = .milliseconds(100), requiredMinRx: Interval = .milliseconds(100),
            detectMultiplier: UInt8 = 3, localDiscriminator: UInt32, isPassive: Bool = false,
            slowInterval: Interval = .seconds(1)
        ) {
            self.desiredMinTx = desiredMinTx
            self.requiredMinRx = requiredMinRx
            self.detectMultiplier = detectMultiplier
            self.localDiscriminator = localDiscriminator
            self.isPassive = isPassive
            self.slowInterval = slowInterval
        }

        func timing(whileUp isUp: Bool) -> Timing {
            let desired = isUp ? desiredMinTx : max(desiredMinTx, slowInterval)
            return Timing(desiredMinTx: desired.announceable, requiredMinRx: requiredMinRx.announceable)
        }
    }

    /// The two intervals that a session announces.
    struct Timing: Equatable, Sendable, BitwiseCopyable {
        var desiredMinTx: Interval
        var requiredMinRx: Interval
    }

    /// What the peer's last packet said, or what the RFC assumes before the first one (§6.8.1).
    struct Remote: Equatable, Sendable, BitwiseCopyable {
        var discriminator: UInt32 = 0
        var state = State.down
        var isDemand = false
        var desiredMinTx = Interval.zero
        var requiredMinRx = Interval.microseconds(1)
        /// 0 until a packet has come.
        var detectMultiplier: UInt8 = 0
    }
}

public import Basics
public import Telemetry

extension Steering {
    /// What a kind of traffic needs of a path; nil is no limit.
    public struct SLAClass: Hashable, Sendable {
        public var name: String
        /// One-way.
        public var latency: Interval?
        public var jitter: Interval?
        public var loss: Ratio?

        public init(name: String, latency: Interval? = nil, jitter: Interval? = nil, loss: Ratio? = nil) {
            self.name = name
            self.latency = latency
            self.jitter = jitter
            self.loss = loss
        }

        /// What policies without a class hold paths to: a path worse than this serves nobody well.
        public static var builtIn: SLAClass {
            SLAClass(name: "default", latency: .milliseconds(400), jitter: .milliseconds(100), loss: Ratio(0.05))
        }
    }
}

extension Steering.SLAClass {
    /// The worst of the scores of latency, jitter and loss.
    ///
    /// Only loss towards the other end counts: the other direction is steered by the
    /// other end. Where the clocks' offset is unknown half the round trip stands for
    /// the latency.
    public func score(of sample: PathSample) -> PathScore {
        var points = 100
        if let latency {
            let measured = sample.latency < .zero ? sample.roundTrip / 2 : sample.latency
            points = min(points, Self.points(measured.nanoseconds, limit: latency.nanoseconds))
        }
        if let jitter {
            points = min(points, Self.points(sample.jitter.nanoseconds, limit: jitter.nanoseconds))
        }
        if let loss {
            points = min(points, Self.points(sample.lossSent.billionths, limit: loss.billionths))
        }
        return PathScore(points)
    }

    /// 100 up to half the limit, from there in straight lines to 50 at the limit and 0 at twice the limit.
    ///
    /// In whole numbers, to the nearest point; but rounding never hides a violation:
    /// above the limit there are at most 49 points.
    private static func points(_ value: Int64, limit: Int64) -> Int {
        // Beyond 11 days nobody waits, and nothing below overflows.
        let limit = min(limit, 1_000_000_000_000_000)
        if value <= limit / 2 { return 100 }
        if value / 2 >= limit { return 0 }
        if value <= limit { return Int((301 * limit - 200 * value) / (2 * limit)) }
        return Int(min(49, (201 * limit - 100 * value) / (2 * limit)))
    }
}

extension Ratio {
    fileprivate var billionths: Int64 { Int64(fraction * 1_000_000_000 + 0.5) }
}

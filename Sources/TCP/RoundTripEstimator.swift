import Basics

/// The round trip and the timeout that follows from it (RFC 6298).
struct RoundTripEstimator: Sendable {
    /// How long a minimum counts, so that a path that grew longer is believed at last.
    private static let minimumLifetime = Interval.seconds(30)

    private(set) var smoothed: Interval?
    private var variation = Interval.zero
    private var currentMinimum: Interval?
    private var previousMinimum: Interval?
    private var minimumSince = Instant.zero
    private let initialTimeout: Interval
    private let minimumTimeout: Interval
    private let maximumTimeout: Interval
    /// The timeout without backing off.
    private(set) var timeout: Interval
    private var backoffCount = 0

    init(_ configuration: Connection.Configuration) {
        initialTimeout = configuration.initialRetransmissionTimeout
        minimumTimeout = configuration.minimumRetransmissionTimeout
        maximumTimeout = configuration.maximumRetransmissionTimeout
        timeout = initialTimeout
    }

    var minimum: Interval? {
        guard let currentMinimum, let previousMinimum else { return currentMinimum ?? previousMinimum }
        return min(currentMinimum, previousMinimum)
    }

    /// The timeout with every doubling since the last answer.
    var backedOffTimeout: Interval {
        var interval = timeout
        for _ in 0..<backoffCount where interval < maximumTimeout { interval += interval }
        return min(interval, maximumTimeout)
    }

    mutating func backOff() {
        backoffCount += 1
    }

    mutating func endBackoff() {
        backoffCount = 0
    }

    /// Takes a measurement, one of `expectedCount` in a round trip, and weighs it so (RFC 7323 appendix G).
    mutating func take(_ sample: Interval, expectedCount: Int, at now: Instant) {
        let measured = max(sample.nanoseconds, 1)
        if let smoothed {
            let weight = Int64(max(1, min(expectedCount, 1_000_000)))
            let difference = measured - smoothed.nanoseconds
            variation.nanoseconds += (abs(difference) - variation.nanoseconds) / (4 * weight)
            self.smoothed = Interval(nanoseconds: smoothed.nanoseconds + difference / (8 * weight))
        } else {
            smoothed = Interval(nanoseconds: measured)
            variation = Interval(nanoseconds: measured / 2)
        }
        let base = smoothed ?? initialTimeout
        timeout = min(base + max(minimumTimeout, variation * 4), maximumTimeout)
        backoffCount = 0
    }

    /// Takes the fastest answer of an ACK for the minimum.
    mutating func noteMinimum(_ sample: Interval, at now: Instant) {
        if now - minimumSince > Self.minimumLifetime {
            previousMinimum = currentMinimum
            currentMinimum = sample
            minimumSince = now
        } else if sample < currentMinimum ?? Interval(nanoseconds: .max) {
            currentMinimum = sample
        }
    }
}

import Basics
import Scenario
import Traffic

/// The windows of many flows of one kind, added up on one time axis.
struct TrafficBins {
    /// How the axis is divided.
    struct Width {
        /// Bins beyond this would only be thinned out again.
        private static let limit: Int64 = 6_000

        let nanoseconds: Int64
        let count: Int

        init(_ record: RunRecord) {
            let interval = max(record.scenario.record.interval.nanoseconds, 1_000)
            let length = max(1, (record.end - Instant.zero).nanoseconds)
            let windows = (length - 1) / interval + 1
            nanoseconds = interval * ((windows - 1) / Self.limit + 1)
            count = Int((length - 1) / nanoseconds + 1)
        }

        func bin(of at: Instant) -> Int? {
            let bin = Int(at.nanoseconds / UInt64(nanoseconds))
            return bin < count ? bin : nil
        }

        /// In seconds.
        func start(of bin: Int) -> Double { Double(bin) * Double(nanoseconds) / 1_000_000_000 }
    }

    private struct Bin {
        var latencySum = 0.0
        var latencyPeak = 0.0
        var received = 0.0
        var sent = 0.0
        var lost = 0.0
        var bytes = 0.0
    }

    private var bins: [Bin]
    private let width: Width
    private var active: ClosedRange<Int>?

    init(_ reports: [FlowReport], _ width: Width) {
        self.width = width
        bins = Array(repeating: Bin(), count: width.count)
        for report in reports { add(report.windows) }
    }

    private mutating func add(_ windows: [FlowWindow]) {
        let lost = Self.lossesWhereSent(windows)
        for (index, window) in windows.enumerated() {
            guard let bin = width.bin(of: window.start) else { continue }
            active = min(active?.lowerBound ?? bin, bin)...max(active?.upperBound ?? bin, bin)
            bins[bin].received += Double(window.received)
            bins[bin].sent += Double(window.sent)
            bins[bin].lost += lost[index]
            bins[bin].bytes += Double(window.bytes)
            guard let mean = window.latencyMean else { continue }
            bins[bin].latencySum += mean.inMilliseconds * Double(window.received)
            bins[bin].latencyPeak = max(bins[bin].latencyPeak, window.latencyMaximum.inMilliseconds)
        }
    }

    /// Losses are found when the next packet comes; here each goes back to a window in which it was sent.
    private static func lossesWhereSent(_ windows: [FlowWindow]) -> [Double] {
        var losses = [Double](repeating: 0, count: windows.count)
        for (index, window) in windows.enumerated() where window.lost > 0 {
            var left = Double(window.lost)
            var place = index
            while left > 0, place >= 0, place > index - 3_000 {
                let missing = Double(windows[place].sent) - Double(windows[place].received) - losses[place]
                let part = min(left, max(0, missing))
                losses[place] += part
                left -= part
                place -= 1
            }
            losses[index] += left
        }
        // Behind the last arrival nothing is found any more, and everything that was sent is gone.
        var last = windows.count - 1
        while last >= 0, windows[last].received == 0, losses[last] == 0 { last -= 1 }
        for place in windows.indices where place > last + 1 { losses[place] = Double(windows[place].sent) }
        return losses
    }

    /// In milliseconds; nil where no datagram arrived in the whole run.
    var latencyMeans: [Double?]? {
        guard bins.contains(where: { $0.received > 0 }) else { return nil }
        return bins.map { $0.received > 0 ? $0.latencySum / $0.received : nil }
    }

    var latencyPeaks: [Double?] { bins.map { $0.received > 0 ? $0.latencyPeak : nil } }

    /// Nil where there were no datagrams in the whole run.
    var lossPercent: [Double?]? {
        guard bins.contains(where: { $0.received + $0.sent > 0 }) else { return nil }
        return bins.map { bin in
            let total = max(bin.sent, bin.received + bin.lost)
            return total > 0 ? min(100, bin.lost / total * 100) : nil
        }
    }

    /// In bits per second, from the first window to the last; nil where nothing arrived.
    var goodput: [Double?]? {
        guard let active, bins.contains(where: { $0.bytes > 0 }) else { return nil }
        let seconds = Double(width.nanoseconds) / 1_000_000_000
        return bins.indices.map { active.contains($0) ? bins[$0].bytes * 8 / seconds : nil }
    }
}

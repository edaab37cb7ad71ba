import Basics

extension FlowReport {
    /// Joins the two ends' halves of each direction of each flow, in order of flow and direction.
    ///
    /// Packets behind the last that came are lost, except those sent within the flow's
    /// longest latency before the end, which may still be on their way. An open gap gets the
    /// packets lost in it and ends with the sending, and every window gets the packets sent in it.
    public static func merged(_ halves: [FlowReport]) -> [FlowReport] {
        var merged: [FlowReport] = []
        let order = halves.indices.sorted {
            (halves[$0].flow, halves[$0].direction, $0) < (halves[$1].flow, halves[$1].direction, $1)
        }
        for index in order {
            let half = halves[index]
            if var last = merged.last, last.flow == half.flow, last.direction == half.direction {
                last.sent = last.sent ?? half.sent
                last.received = last.received ?? half.received
                merged[merged.count - 1] = last
            } else {
                merged.append(half)
            }
        }
        for index in merged.indices { merged[index].settle() }
        return merged
    }

    private mutating func settle() {
        guard let sent, var report = received, sent.packets > 0 else { return }
        let unseen = sent.packets - min(sent.packets, report.expected)
        let horizon = report.measuredAt - min(report.latency.maximum ?? .zero, report.measuredAt - .zero)
        // One more, because sending is even only within a window and the horizon may fall on a packet.
        let onTheirWay = min(unseen, sent.packets(after: horizon) + 1)
        let lostBehind = unseen - onTheirWay
        report.lost = report.expected - min(report.expected, report.packets) + lostBehind
        if let gap = report.gaps.last, gap.isOpen {
            report.gaps.removeLast()
            // The receiving end cannot know that the other stopped before its time.
            let end = min(gap.end, (sent.lastAt ?? gap.end) + report.usualGap)
            if end > gap.start, end - gap.start > max(report.usualGap * 3, .milliseconds(20)) {
                report.gaps.append(
                    DeliveryGap(start: gap.start, end: end, packetsLost: lostBehind, isOpen: true))
            }
        }
        fill(&report.windows, from: sent)
        received = report
    }

    /// Puts what was sent into the windows, adding windows in which nothing came.
    private func fill(_ windows: inout [FlowWindow], from sent: SentReport) {
        guard sent.windowLength > .zero else { return }
        var arrived = windows[...]
        var filled: [FlowWindow] = []
        for (index, count) in sent.windows.enumerated() {
            let start = sent.windowsStart + sent.windowLength * Int64(index)
            while let first = arrived.first, first.start < start { filled.append(arrived.removeFirst()) }
            var window = FlowWindow(start: start)
            if let first = arrived.first, first.start == start { window = arrived.removeFirst() }
            window.sent = count
            filled.append(window)
        }
        windows = filled + arrived
    }
}

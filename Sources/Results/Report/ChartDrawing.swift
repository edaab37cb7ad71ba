/// One chart of the figure: its grid and its lines.
struct ChartDrawing {
    private let panel: ReportModel.Panel
    private let y: Double
    private let height: Double
    private let end: Double
    private let scale: Scale

    private(set) var text = ""

    init(_ panel: ReportModel.Panel, y: Double, height: Double, end: Double) {
        self.panel = panel
        self.y = y
        self.height = height
        self.end = end
        let peaks = panel.series.flatMap { ($0.values + ($0.peaks ?? [])).compactMap(\.self) }
        scale = Scale(upTo: peaks.max() ?? 0, unit: panel.unit)
        drawGrid()
        for series in panel.series { draw(series) }
    }

    private mutating func drawGrid() {
        let left = ReportFigure.left
        let right = left + ReportFigure.plotWidth
        for tick in scale.ticks {
            let at = n(place(tick))
            text += "<line class=\"grid\" x1=\"\(n(left))\" x2=\"\(n(right))\" y1=\"\(at)\" y2=\"\(at)\"/>\n"
            let isTop = tick == scale.ticks.last
            text +=
                "<text class=\"soft end\" x=\"\(n(left - 6))\" y=\"\(n(place(tick) + 4))\">"
                + "\(Markup.escaped(scale.label(tick, withUnit: isTop)))</text>\n"
        }
        text +=
            "<rect class=\"frame\" x=\"\(n(left))\" y=\"\(n(y))\" width=\"\(n(right - left))\" "
            + "height=\"\(n(height))\"/>\n"
    }

    private mutating func draw(_ series: ReportModel.Panel.Series) {
        let color = "var(--c\(series.color % 8))"
        if let peaks = series.peaks {
            text += "<path class=\"peak\" fill=\"\(color)\" d=\"\(shade(series, peaks))\"/>\n"
        }
        text += "<path class=\"line\(series.isDashed ? " dashed" : "")\" stroke=\"\(color)\" d=\"\(line(series))\"/>\n"
    }

    private func x(_ time: Double) -> Double {
        ReportFigure.left + min(max(time, 0), end) / end * ReportFigure.plotWidth
    }

    private func place(_ value: Double) -> Double {
        y + height - min(max(value / scale.top, 0), 1) * (height - 4)
    }

    /// The line, broken where there is no value; a value that stands alone is a dot.
    private func line(_ series: ReportModel.Panel.Series) -> String {
        var path = ""
        for stretch in Self.stretches(series.values) {
            for index in stretch {
                path += index == stretch.lowerBound ? "M" : "L"
                path += "\(n(x(series.times[index]))) \(n(place(series.values[index] ?? 0)))"
            }
            if stretch.count == 1 { path += "h1" }
        }
        return path
    }

    /// What lies between the line and the peaks above it.
    private func shade(_ series: ReportModel.Panel.Series, _ peaks: [Double?]) -> String {
        var path = ""
        for stretch in Self.stretches(series.values) where stretch.count > 1 {
            for index in stretch {
                let peak = index < peaks.count ? peaks[index] : nil
                path += index == stretch.lowerBound ? "M" : "L"
                path += "\(n(x(series.times[index]))) \(n(place(peak ?? series.values[index] ?? 0)))"
            }
            for index in stretch.reversed() {
                path += "L\(n(x(series.times[index]))) \(n(place(series.values[index] ?? 0)))"
            }
            path += "Z"
        }
        return path
    }

    /// The ranges of places without a missing value.
    private static func stretches(_ values: [Double?]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var start: Int?
        for (index, value) in values.enumerated() {
            if value == nil {
                if let begun = start { result.append(begun..<index) }
                start = nil
            } else if start == nil {
                start = index
            }
        }
        if let begun = start { result.append(begun..<values.count) }
        return result
    }
}

/// A vertical axis from 0 to a round number.
struct Scale {
    let top: Double
    let ticks: [Double]
    private let unit: String
    private let divisor: Double

    init(upTo greatest: Double, unit: String) {
        let least = unit == "%" ? 1.0 : unit == "ms" ? 0.1 : 1.0
        let goal = max(greatest, least)
        let step = Self.step(goal / 3)
        top = (goal / step).rounded(.up) * step
        var ticks: [Double] = []
        var tick = 0.0
        while tick <= top + step / 2 {
            ticks.append(tick)
            tick += step
        }
        self.ticks = ticks
        guard unit == "bit/s", top >= 1_000 else {
            self.unit = unit
            divisor = 1
            return
        }
        let (size, prefix) = top >= 1e9 ? (1e9, "Gbit/s") : top >= 1e6 ? (1e6, "Mbit/s") : (1e3, "kbit/s")
        divisor = size
        self.unit = prefix
    }

    func label(_ value: Double, withUnit: Bool) -> String {
        let number = Figure.number((value / divisor * 1_000).rounded() / 1_000)
        return withUnit ? "\(number) \(unit)" : number
    }

    /// Round places from 0 to `end`, about so many.
    static func ticks(upTo end: Double, about count: Double) -> [Double] {
        let step = step(end / count)
        return (0...Int((end / step + 1e-9).rounded(.down))).map { Double($0) * step }
    }

    /// The next of 1, 2 and 5 times a power of ten.
    private static func step(_ wanted: Double) -> Double {
        var power = 1.0
        while power * 10 <= wanted { power *= 10 }
        while power > wanted, power > 1e-9 { power /= 10 }
        return [1, 2, 5, 10].map { $0 * power }.first { $0 >= wanted * 0.999 } ?? power * 10
    }
}

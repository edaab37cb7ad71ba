import Foundation

/// The figure that tells the run: incidents, tunnels and charts above one another, on one time axis.
struct ReportFigure {
    static let width = 1_200.0
    static let left = 276.0
    static let right = 14.0
    static var plotWidth: Double { width - left - right }

    private let model: ReportModel
    private var top = 0.0
    /// What lies behind everything and reaches from top to bottom.
    private var back = ""
    private var parts = ""
    private var readings: [JSONValue] = []
    private var laneStates: [JSONValue] = []

    /// The drawing, for the page.
    private(set) var text = ""
    /// What the script needs to answer the pointer.
    private(set) var data = JSONValue.null

    init(_ model: ReportModel) {
        self.model = model
        drawIncidents()
        drawLanes()
        let chartsTop = top
        for panel in model.panels { draw(panel) }
        drawAxis()
        finish(chartsTop: chartsTop)
    }

    private func x(_ time: Double) -> Double {
        Self.left + min(max(time, 0), model.end) / model.end * Self.plotWidth
    }

    // MARK: Incidents

    private mutating func drawIncidents() {
        top = 26
        let axisTop = top
        var rowEnds: [Double] = []
        for band in model.bands.prefix(40) {
            let start = x(band.start)
            let width = Double(band.label.count) * 6.4 + 16
            let flagLeft = min(start, Self.width - Self.right - width)
            let row = rowEnds.firstIndex { $0 + 8 < flagLeft } ?? rowEnds.count
            if row == rowEnds.count { rowEnds.append(0) }
            rowEnds[row] = flagLeft + width
            let y = axisTop + Double(row) * 19
            let mild = band.isDisruptive ? "" : " mild"
            parts +=
                "<rect class=\"flag\(mild)\" x=\"\(n(start))\" y=\"\(n(y))\" "
                + "width=\"\(n(max(2, x(band.end ?? model.end) - start)))\" height=\"3\"/>\n"
            parts +=
                "<text x=\"\(n(max(Self.left, flagLeft) + 3))\" y=\"\(n(y + 14))\">\(Markup.escaped(band.label))"
                + "<title>\(Markup.escaped("\(band.subject), \(Self.seconds(band.start))"))</title></text>\n"
        }
        parts += "<text class=\"strong\" x=\"0\" y=\"\(n(axisTop + 12))\">Incidents</text>\n"
        if model.bands.isEmpty {
            parts += "<text class=\"soft\" x=\"\(n(Self.left))\" y=\"\(n(axisTop + 12))\">none scripted</text>\n"
        }
        top += Double(max(1, rowEnds.count)) * 19 + 8
    }

    /// The shades of all incidents, drawn once the figure's height is known.
    private func shades(to bottom: Double) -> String {
        var result = ""
        for band in model.bands.prefix(200) {
            let start = x(band.start)
            let width = max(1, x(band.end ?? model.end) - start)
            result +=
                "<rect class=\"band\(band.isDisruptive ? "" : " mild")\" x=\"\(n(start))\" y=\"26\" "
                + "width=\"\(n(width))\" height=\"\(n(bottom - 26))\"/>\n"
        }
        let warmup = x(model.head.warmupSeconds) - Self.left
        if warmup > 0 {
            result +=
                "<rect class=\"warmup\" x=\"\(n(Self.left))\" y=\"26\" width=\"\(n(warmup))\" "
                + "height=\"\(n(bottom - 26))\"><title>warm-up, left out of metrics</title></rect>\n"
        }
        return result
    }

    // MARK: Tunnels

    private mutating func drawLanes() {
        guard !model.lanes.isEmpty else { return }
        let groups = model.groups.enumerated().filter { !$0.element.tracks.isEmpty }.prefix(8)
        drawLegend(groups.map { ($0.offset, $0.element.name) })
        let trackHeight = 5.0
        let height = max(26, 12 + Double(groups.count) * trackHeight)
        let first = top
        for (index, lane) in model.lanes.enumerated() {
            let y = first + Double(index) * (height + 5)
            draw(lane, index, y: y, height: height)
        }
        func trackY(_ lane: Int, _ slot: Int) -> Double {
            let used = Double(groups.count) * trackHeight
            return first + Double(lane) * (height + 5) + (height - used) / 2 + (Double(slot) + 0.5) * trackHeight
        }
        for (slot, entry) in groups.enumerated() {
            let color = "stroke=\"var(--c\(entry.offset % 8))\""
            for track in entry.element.tracks where track.lane < model.lanes.count {
                let y = n(trackY(track.lane, slot))
                parts +=
                    "<line class=\"track\" \(color) stroke-width=\"\(n(1.2 + 2.6 * track.share))\" "
                    + "x1=\"\(n(x(track.start)))\" x2=\"\(n(x(track.end)))\" y1=\"\(y)\" y2=\"\(y)\"/>\n"
            }
            for move in entry.element.moves where max(move.from, move.to) < model.lanes.count {
                let at = n(x(move.at))
                parts +=
                    "<line class=\"move\" \(color) x1=\"\(at)\" x2=\"\(at)\" y1=\"\(n(trackY(move.from, slot)))\" "
                    + "y2=\"\(n(trackY(move.to, slot)))\"/>\n"
            }
        }
        for (index, lane) in model.lanes.enumerated() { drawMarks(lane, y: first + Double(index) * (height + 5)) }
        top = first + Double(model.lanes.count) * (height + 5)
        if model.quietLaneCount > 0 {
            let noun = model.quietLaneCount == 1 ? "tunnel" : "tunnels"
            parts += "<text class=\"soft\" x=\"0\" y=\"\(n(top + 10))\">\(model.quietLaneCount) more \(noun)</text>\n"
            top += 16
        }
        top += 8
    }

    private mutating func drawLegend(_ groups: [(index: Int, name: String)]) {
        parts += "<text class=\"strong\" x=\"0\" y=\"\(n(top + 11))\">Tunnels, and who takes them</text>\n"
        var x = Self.left
        for (index, name) in groups {
            parts +=
                "<line x1=\"\(n(x))\" x2=\"\(n(x + 18))\" y1=\"\(n(top + 7))\" y2=\"\(n(top + 7))\" "
                + "stroke=\"var(--c\(index % 8))\" stroke-width=\"3.8\"/>"
            parts += "<text x=\"\(n(x + 23))\" y=\"\(n(top + 11))\">\(Markup.escaped(name))</text>\n"
            x += 46 + Double(name.count) * 6.3
        }
        top += 20
    }

    private mutating func draw(_ lane: ReportModel.Lane, _ index: Int, y: Double, height: Double) {
        let id = "lane\(index)"
        parts +=
            "<text x=\"0\" y=\"\(n(y + height / 2 + 4))\">\(Markup.escaped(Self.shortened(lane.name, to: 26)))"
            + "<title>\(Markup.escaped(lane.name))</title></text>\n"
        parts +=
            "<text class=\"soft end\" id=\"\(id)\" x=\"\(n(Self.left - 8))\" y=\"\(n(y + height / 2 + 4))\"></text>\n"
        for state in lane.states {
            let width = max(0.5, x(state.end) - x(state.start))
            let box = "x=\"\(n(x(state.start)))\" y=\"\(n(y))\" width=\"\(n(width))\" height=\"\(n(height))\""
            let words = "\(lane.name) \(state.name) from \(Self.seconds(state.start)) to \(Self.seconds(state.end))"
            parts +=
                "<rect class=\"\(Markup.escaped(state.name))\" \(box)><title>\(Markup.escaped(words))</title></rect>\n"
            if state.name == "down" { parts += "<rect fill=\"url(#hatch)\" \(box) pointer-events=\"none\"/>\n" }
        }
        parts +=
            "<rect class=\"frame\" x=\"\(n(Self.left))\" y=\"\(n(y))\" width=\"\(n(Self.plotWidth))\" "
            + "height=\"\(n(height))\"/>\n"
        laneStates.append(
            .object([
                .init("id", .text(id)),
                .init(
                    "states",
                    .array(
                        lane.states.map { state in
                            .object([
                                .init("start", .number(state.start)), .init("end", .number(state.end)),
                                .init("name", .text(state.name)),
                            ])
                        })),
            ]))
    }

    private mutating func drawMarks(_ lane: ReportModel.Lane, y: Double) {
        for mark in lane.marks {
            let at = x(mark.at)
            let shape = "M\(n(at)) \(n(y + 7))l-4.5 -8h9z"
            let words = "\(Self.seconds(mark.at)) \(mark.text)"
            parts +=
                "<path class=\"mark \(Markup.escaped(mark.state))\" d=\"\(shape)\">"
                + "<title>\(Markup.escaped(words))</title></path>\n"
        }
    }

    // MARK: Charts

    private mutating func draw(_ panel: ReportModel.Panel) {
        let height = max(78, 20 + Double(panel.series.count) * 15)
        let chart = ChartDrawing(panel, y: top, height: height, end: model.end)
        parts += chart.text
        parts +=
            "<text class=\"strong\" x=\"0\" y=\"\(n(top + 11))\">"
            + "\(Markup.escaped(Self.shortened(panel.title, to: 26)))</text>\n"
        for (index, series) in panel.series.enumerated() {
            let y = top + 27 + Double(index) * 15
            let id = "value\(readings.count)"
            let dashes = series.isDashed ? " stroke-dasharray=\"5 2\"" : ""
            parts +=
                "<line\(dashes) x1=\"0\" x2=\"12\" y1=\"\(n(y - 4))\" y2=\"\(n(y - 4))\" stroke-width=\"2.5\" "
                + "stroke=\"var(--c\(series.color % 8))\"/>"
            parts +=
                "<text class=\"soft\" x=\"17\" y=\"\(n(y))\">\(Markup.escaped(Self.shortened(series.name, to: 22)))"
                + "<title>\(Markup.escaped(series.name))</title></text>"
            parts += "<text class=\"strong end\" id=\"\(id)\" x=\"\(n(Self.left - 44))\" y=\"\(n(y))\"></text>\n"
            readings.append(Self.reading(series, id, unit: panel.unit, end: model.end))
        }
        top += height + 14
    }

    private static func reading(
        _ series: ReportModel.Panel.Series, _ id: String, unit: String, end: Double
    ) -> JSONValue {
        let step = series.times.count > 1 ? (series.times.last ?? 0) / Double(series.times.count - 1) : end
        return .object([
            .init("id", .text(id)), .init("unit", .text(unit)), .init("step", .number(step)),
            .init("times", .array(series.times.map { .number($0) })),
            .init("values", .array(series.values.map { .optional($0) })),
        ])
    }

    // MARK: Axis and frame

    private mutating func drawAxis() {
        let ticks = Scale.ticks(upTo: model.end, about: 12)
        for tick in ticks {
            let at = n(x(tick))
            back += "<line class=\"grid\" x1=\"\(at)\" x2=\"\(at)\" y1=\"26\" y2=\"\(n(top - 6))\"/>\n"
            let words = "\(Figure.number(tick)) s"
            let anchor = x(tick) > Self.width - Self.right - 14 ? "end" : "middle"
            for y in [n(top + 8), "14"] {
                parts += "<text class=\"soft \(anchor)\" x=\"\(at)\" y=\"\(y)\">\(words)</text>\n"
            }
        }
        top += 14
    }

    private mutating func finish(chartsTop: Double) {
        let bottom = top - 20
        let label = "The run of \(model.head.scenario) over \(Figure.number(model.end)) seconds"
        text = """
            <div class="scroll"><svg id="figure" viewBox="0 0 \(n(Self.width)) \(n(top))" role="img" \
            aria-label="\(Markup.escaped(label))" xmlns="http://www.w3.org/2000/svg">
            <defs><pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" \
            patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern></defs>
            <g>\(back)</g>
            <g>\(shades(to: bottom))</g>
            <g>\(parts)</g>
            <line class="cross" id="cross" x1="0" x2="0" y1="20" y2="\(n(bottom))" visibility="hidden"/>
            <rect class="clock" id="clock" x="0" y="2" width="68" height="17" rx="4" visibility="hidden"/>
            <text class="clockText" id="clockText" x="0" y="15" visibility="hidden"></text>
            </svg></div>
            <p class="note">Shaded: incidents. Lanes: green up, amber degraded, red and hatched down, as the worse of \
            the two ends says; triangles are the nodes' verdicts, lines the flows' paths, as thick as the part of the \
            flows that takes them. Charts: the line is the mean, the shade above it the greatest value.</p>
            """
        data = .object([
            .init("left", .number(Self.left)), .init("width", .number(Self.plotWidth)),
            .init("end", .number(model.end)), .init("series", .array(readings)), .init("lanes", .array(laneStates)),
        ])
    }

    static func shortened(_ text: String, to count: Int) -> String {
        text.count <= count ? text : "\(text.prefix(count / 2))…\(text.suffix(count - count / 2 - 1))"
    }

    private static func seconds(_ time: Double) -> String { String(format: "%.3f s", time) }
}

/// A coordinate with one digit behind the point.
func n(_ value: Double) -> String {
    let text = String(format: "%.1f", value)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
}

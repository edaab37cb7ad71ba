import Basics
import Foundation
import FoundationXML
import Measure
import Results
import Scenario
import Testing
import Traffic

struct ReportTests {
    private func page(_ results: RunResults) -> String { ReportPage(ReportModel(results)).text }

    private func isWellFormed(_ page: String) -> Bool { XMLParser(data: Data(page.utf8)).parse() }

    @Test func `the report is well-formed and has every part`() throws {
        let text = page(SampleRun.results())
        #expect(isWellFormed(text))
        for id in [
            "figures", "run", "expectations", "failovers", "traffic", "topology", "links", "timeline", "metrics",
        ] {
            #expect(text.contains("id=\"\(id)\""), "\(id)")
        }
        for part in [
            "blackout of wan-a", "branch:wan-a&gt;hq:wan-a", "calls latency", "backup goodput", "link down 302",
        ] {
            #expect(text.contains(part), "\(part)")
        }
        // For whoever wants to look at it.
        if let path = ProcessInfo.processInfo.environment["PATRONUS_SAMPLE_REPORT"] {
            try Data(text.utf8).write(to: URL(filePath: path))
        }
    }

    @Test func `the report needs nothing from elsewhere`() {
        let text = page(SampleRun.results())
            .replacing("http://www.w3.org/1999/xhtml", with: "").replacing("http://www.w3.org/2000/svg", with: "")
        for word in ["http:", "https:", "//cdn", "<link", "@import", "src=", "url(\"", "url(h"] {
            #expect(!text.contains(word), "\(word)")
        }
    }

    @Test func `names cannot break out of the report`() {
        let name = "</script><script>alert(1)</script>\"'&\u{1}"
        var results = SampleRun.results(name: name, callCount: 1)
        results.record.scenario.traffic[0].name = name
        results.record.scenario.description = name
        results.record.incidents[0].label = name
        results.record.tunnels[0].name = name
        results.version = name
        let text = page(results)
        #expect(isWellFormed(text))
        #expect(!text.contains("<script>alert"))
    }

    @Test func `a run in which nothing happened has a report too`() {
        var results = SampleRun.results(callCount: 1)
        results.record.incidents = []
        results.record.telemetry = []
        results.record.flowReports = []
        results.record.flows = []
        results.record.links = []
        results.record.end = .zero
        results.summary = .init(results.record, wallSeconds: nil)
        results.wallSeconds = nil
        let text = page(results)
        #expect(isWellFormed(text))
        #expect(text.contains("none scripted"))
    }

    @Test func `long series are thinned out`() throws {
        var results = SampleRun.results(callCount: 1)
        results.record.scenario.record.interval = .milliseconds(10)
        let samples = results.record.telemetry
        for step in 1...20 {
            results.record.telemetry += samples.map { sample in
                var sample = sample
                sample.at += .milliseconds(Int64(step) * 4)
                return sample
            }
        }
        results.record.telemetry.sort { $0.at < $1.at }
        let data = try #require(page(results).firstMatch(of: /id="data">(.*)<\/script>/)).1
        let document = try JSONSerialization.jsonObject(with: Data(data.utf8)) as? [String: Any]
        let series = try #require(document?["series"] as? [[String: Any]])
        let counts = series.compactMap { ($0["times"] as? [Any])?.count }
        #expect(counts.count == series.count)
        #expect(counts.allSatisfy { $0 <= 1_200 })
        #expect(counts.contains { $0 > 600 })
    }
}

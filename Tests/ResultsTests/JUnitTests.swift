import Foundation
import FoundationXML
import Measure
import Results
import Scenario
import Testing
import Traffic

struct JUnitTests {
    /// Collects what a build server looks at.
    private final class Collector: NSObject, XMLParserDelegate {
        var cases: [String] = []
        var failures: [String] = []
        var suites: [[String: String]] = []
        var properties: [String: String] = [:]

        func parser(
            _ parser: XMLParser, didStartElement name: String, namespaceURI: String?, qualifiedName: String?,
            attributes: [String: String]
        ) {
            switch name {
            case "testcase": cases.append(attributes["name"] ?? "")
            case "failure": failures.append(attributes["message"] ?? "")
            case "testsuite": suites.append(attributes)
            case "property": properties[attributes["name"] ?? ""] = attributes["value"]
            default: break
            }
        }
    }

    @Test func `build servers see one case for each expectation`() throws {
        let results = SampleRun.results(name: "a <b> & \"c\"", callCount: 1)
        let parser = XMLParser(data: Data(JUnitReport(results).text.utf8))
        let collector = Collector()
        parser.delegate = collector
        let isWellFormed = parser.parse()
        #expect(isWellFormed)
        #expect(
            collector.cases == [
                "failover.outage.max below 500ms", "traffic.calls.mos.p5 atLeast 4.2",
                "bgp.convergence.max between 1ms to 50ms", "invariants.violations equals 0", "invariants hold",
            ])
        #expect(collector.suites.first?["name"] == "a <b> & \"c\"")
        #expect(collector.suites.first?["tests"] == "5")
        #expect(collector.suites.first?["failures"] == String(collector.failures.count))
        #expect(collector.failures.contains("bgp.convergence.max 342 ms, want between 1 ms and 50 ms"))
        #expect(collector.properties["seed"] == "42")
        #expect(collector.properties["digest"] == results.digest)
    }

    @Test func `a violation is a failure of its own`() throws {
        var results = SampleRun.results(callCount: 1)
        results.record.violations = [.init(kind: .forwardingLoop, at: SampleRun.dark, text: "round & round")]
        let parser = XMLParser(data: Data(JUnitReport(results).text.utf8))
        let collector = Collector()
        parser.delegate = collector
        let isWellFormed = parser.parse()
        #expect(isWellFormed)
        #expect(collector.failures.last == "1 violations")
    }
}

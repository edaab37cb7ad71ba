import Basics
import Foundation
import Measure
import Scenario

/// A run in the form that build servers show: one test suite, one test case for each expectation.
public struct JUnitReport: Sendable {
    public let text: String

    public init(_ results: RunResults) { self.init([results]) }

    /// One suite for each run.
    public init(_ runs: [RunResults]) {
        let suites = runs.map(Self.suite)
        let tests = suites.reduce(0) { $0 + $1.tests }
        let failures = suites.reduce(0) { $0 + $1.failures }
        text = """
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="patronus-sim" tests="\(tests)" failures="\(failures)" errors="0">
            \(suites.map(\.text).joined())</testsuites>

            """
    }

    /// Writes it, replacing what is there in one step.
    public func write(to path: String) throws(ResultsError) {
        do {
            try Data(text.utf8).write(to: URL(filePath: path), options: .atomic)
        } catch {
            throw ResultsError(path, words(of: error))
        }
    }

    private static func suite(_ results: RunResults) -> (text: String, tests: Int, failures: Int) {
        let record = results.record
        let name = Markup.escaped(record.scenario.name)
        let duration = String(format: "%.3f", results.wallSeconds ?? 0)
        let share = (results.wallSeconds ?? 0) / Double(results.summary.expectations.count + 1)
        let time = String(format: "%.3f", share)
        var cases = ""
        for result in results.summary.expectations {
            cases +=
                "    <testcase classname=\"\(name)\" name=\"\(Markup.escaped(title(of: result)))\" time=\"\(time)\""
            if result.passed {
                cases += "/>\n"
                continue
            }
            let message = Markup.escaped(message(of: result))
            cases += ">\n      <failure type=\"expectation\" message=\"\(message)\">\(message)</failure>\n"
            cases += "    </testcase>\n"
        }
        cases += "    <testcase classname=\"\(name)\" name=\"invariants hold\" time=\"\(time)\""
        if record.violations.isEmpty {
            cases += "/>\n"
        } else {
            let lines = record.violations.prefix(100).map { violation in
                "\(Figure.time(violation.at)) \(record.nodeName(violation.node) ?? "network"): \(violation.text)"
            }
            cases += ">\n      <failure type=\"invariant\" message=\"\(record.violations.count) violations\">"
            cases += "\(Markup.escaped(lines.joined(separator: "\n")))</failure>\n    </testcase>\n"
        }
        let failures = results.summary.expectations.count { !$0.passed } + (record.violations.isEmpty ? 0 : 1)
        let tests = results.summary.expectations.count + 1
        let text = """
              <testsuite name="\(name)" tests="\(tests)" failures="\(failures)" errors="0" time="\(duration)">
                <properties>
            \(properties(of: results))    </properties>
            \(cases)    <system-out>\(Markup.escaped(story(of: results)))</system-out>
              </testsuite>

            """
        return (text, tests, failures)
    }

    private static func properties(of results: RunResults) -> String {
        let properties = [
            ("seed", String(results.record.seed)), ("backend", results.record.backend), ("digest", results.digest),
            ("version", results.version), ("status", results.summary.status.rawValue),
        ]
        return properties.map { name, value in
            "      <property name=\"\(name)\" value=\"\(Markup.escaped(value))\"/>\n"
        }.joined()
    }

    private static func title(of result: ExpectationResult) -> String {
        let expectation = result.expectation
        return "\(expectation.metric) \(expectation.condition.operatorName) \(expectation.limitText)"
    }

    private static func message(of result: ExpectationResult) -> String {
        let wanted = "want \(result.expectation.condition.wording(unit: result.unit))"
        guard let value = result.value else {
            return "\(result.expectation.metric): \(result.reason ?? "not measured"), \(wanted)"
        }
        return "\(result.expectation.metric) \(Figure.text(value, result.unit)), \(wanted)"
            + (result.reason.map { " (\($0))" } ?? "")
    }

    private static func story(of results: RunResults) -> String {
        results.summary.timeline.prefix(500).map { entry in
            "\(Figure.time(entry.at)) \(entry.kind) \(entry.subject): \(entry.text)"
        }.joined(separator: "\n")
    }
}

import Foundation
import FoundationXML
import Results
import TestKit
import Testing

struct ReportTests {
    @Test func `the report can be looked at`() throws {
        let results = SampleRun.results()
        if let path = ProcessInfo.processInfo.environment["PATRONUS_SAMPLE_REPORT"] {
            try Data(ReportPage(ReportModel(results)).text.utf8).write(to: URL(filePath: path))
        }
    }
}

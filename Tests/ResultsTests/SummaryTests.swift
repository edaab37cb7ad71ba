import Foundation
import Measure
import Results
import Scenario
import TestKit
import Testing
import Traffic

struct SummaryTests {
    @Test func `the summary is what programs expect`() throws {
        try expectGolden(SampleRun.quietResults().summaryJSON, named: "summary.json")
    }

    @Test func `a seed of 64 bits and a name of quotes survive`() throws {
        let results = SampleRun.results(seed: .max, name: "a \"b\"\n</script>é", wallSeconds: nil, callCount: 1)
        let document = try JSONSerialization.jsonObject(with: Data(results.summaryJSON.utf8))
        let keys = try #require(document as? [String: Any])
        #expect((keys["seed"] as? NSNumber)?.uint64Value == .max)
        #expect(keys["scenario"] as? String == "a \"b\"\n</script>é")
        #expect(keys["wallSeconds"] is NSNull)
    }
}

import Basics
import GRDB
import Measure
import Results
import Scenario
import Telemetry
import Testing

@Suite struct AttackTests {
    private static func results() -> RunResults {
        SampleRun.quietResults { record in
            record.incidents.append(
                Incident(
                    kind: .attack, event: 2, label: "syn-flood from laptop to server", subject: 4,
                    start: .zero + .seconds(40), end: .zero + .seconds(45), isDisruptive: false))
            var dropped = [UInt64](repeating: 0, count: DropCause.allCases.count)
            dropped[Int(DropCause.policed.rawValue)] = 99_000
            dropped[Int(DropCause.denied.rawValue)] = 500
            dropped[Int(DropCause.queueFull.rawValue)] = 400
            record.conservation.append(
                ConservationAccount(
                    key: FlowKey(0xABC), sent: 100_000, duplicated: 0, delivered: 100, inFlight: 0, dropped: dropped))
            record.attacks = [AttackAccount(event: 2, key: FlowKey(0xABC), reachedNodes: 99_600)]
            record.duringAttacks = LegitimateAccount(sent: 5_000, refused: 1)
        }
    }

    @Test func `the summary has an attack's figures and times`() {
        let text = Self.results().summaryJSON
        for line in [
            "\"at\": 40000", "\"end\": 45000", "\"subject\": \"server\"",
            "\"label\": \"syn-flood from laptop to server\"", "\"packetsSent\": 100000",
            "\"packetsReachedNodes\": 99600", "\"packetsPoliced\": 99000", "\"packetsDenied\": 500",
            "\"security.attackPacketsDropped\"", "\"text\": \"syn-flood from laptop to server is over\"",
        ] {
            #expect(text.contains(line), "\(line)")
        }
        #expect(SampleRun.quietResults().summaryJSON.contains("\"attacks\": []"))
    }

    @Test func `the report shades an attack and says what became of its packets`() {
        let page = ReportPage(ReportModel(Self.results())).text
        #expect(page.contains("<section id=\"attacks\">"))
        #expect(page.contains("delivered 100, queue full 400, policed 99\u{202F}000, denied 500"))
        #expect(page.contains("99.9 %"))
        #expect(!ReportPage(ReportModel(SampleRun.quietResults())).text.contains("<section id=\"attacks\">"))
    }

    @Test func `the database has an attack, its time and what became of its packets`() throws {
        try withTemporaryFolder { parent in
            let folder = try ResultsFolder(at: "\(parent)/out")
            try folder.write(Self.results())
            try folder.commit()
            try DatabaseQueue(path: "\(parent)/out/run.sqlite").read { database in
                let row = try #require(
                    try Row.fetchOne(
                        database,
                        sql: """
                            SELECT kind, subject, start_ms, end_ms, sent, reached_nodes, policed, denied, flow_key
                            FROM attack JOIN event USING (scripted)
                            """))
                let words: [String] = [row[0], row[1]]
                let times: [Double] = [row[2], row[3]]
                let counts: [Int] = [row[4], row[5], row[6], row[7]]
                #expect(words == ["attack", "server"])
                #expect(times == [40_000, 45_000])
                #expect(counts == [100_000, 99_600, 99_000, 500])
                let key: String = row[8]
                let causes = try String.fetchAll(
                    database, sql: "SELECT cause || ' ' || packets FROM conservation_drop WHERE flow_key = ?",
                    arguments: [key])
                #expect(causes == ["queueFull 400", "policed 99000", "denied 500"])
            }
        }
    }
}

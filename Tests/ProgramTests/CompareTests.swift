import Foundation
import Testing

@Suite struct CompareTests {
    private func twoRuns(seed: Int = 43) throws -> Workspace {
        let here = try Workspace()
        #expect(try here.run("run", "scenario.json", "--out", "one").status == 0)
        #expect(try here.run("run", "scenario.json", "--out", "two", "--seed", "\(seed)").status == 0)
        return here
    }

    @Test func `equal runs compare as equal and exit with 0`() throws {
        let here = try twoRuns(seed: 42)
        let outcome = try here.run("compare", "one", "two/")
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("Both runs did the same: sha256:"))
        #expect(!outcome.output.contains("FIRST EVENT"))
    }

    @Test func `of runs that differ the second, the node and the event are named`() throws {
        let here = try twoRuns()
        // What is left of the sources must not matter: a run is repeated from what it stored.
        try FileManager.default.removeItem(at: here.url("topology.json"))
        let outcome = try here.run("compare", "one", "two")
        #expect(outcome.status == 1)
        #expect(try outcome.output.contains(Regex(#"The runs part in second \d+, first at (hq|branch|isp-[ab])\."#)))
        let lines = outcome.output.split(separator: "\n")
        let heading = try #require(lines.firstIndex { $0.hasPrefix("FIRST EVENT THAT DIFFERS") })
        let event = try Regex(#"(first|second) +\d+\.\d{9} s +[a-z-]+ +(wake|arrival over .+--.+, packet [0-9a-f]+)"#)
        for line in lines[(heading + 1)...] { #expect(line.wholeMatch(of: event) != nil, "\(line)") }
        #expect(lines.count == heading + 3)
        #expect(lines[heading + 1].dropFirst(6) != lines[heading + 2].dropFirst(6))
    }

    @Test func `a change of a link's delay in the topology is found in the second in which it first shows`() throws {
        let here = try Workspace()
        let events = #"[ { "at": "1500ms", "link": "branch:wan-b--isp-b", "set": { "delay": "40ms" } } ]"#
        try here.write(Fixture.scenario(events: events), to: "scenario.json")
        try here.write(Fixture.scenario(events: "[]"), to: "calm.json")
        #expect(try here.run("run", "calm.json", "--out", "one").status == 0)
        #expect(try here.run("run", "scenario.json", "--out", "two").status == 0)
        let document = try parsed(try here.run("compare", "one", "two", "--json").output)
        #expect((document["divergence"] as? [String: Any])?["second"] as? Int == 1)
        let events2 = try #require(document["firstEvents"] as? [String: [String: Any]])
        let instants = ["first", "second"].compactMap { events2[$0]?["nanoseconds"] as? Int }
        #expect(instants.count == 2)
        #expect(try #require(instants.min()) >= 1_535_000_000 && instants[0] != instants[1])
    }

    @Test func `with --json the comparison is one document`() throws {
        let here = try twoRuns()
        let outcome = try here.run("compare", "one", "two", "--json")
        #expect(outcome.status == 1)
        #expect(outcome.errors.isEmpty)
        let document = try parsed(outcome.output)
        #expect(document["same"] as? Bool == false)
        let events = try #require(document["firstEvents"] as? [String: [String: Any]])
        for side in ["first", "second"] {
            let event = try #require(events[side])
            #expect(event["nanoseconds"] is Int && event["node"] is String)
            let kind = try #require(event["kind"] as? String)
            #expect(kind == "wake" || (kind == "arrival" && event["link"] is String))
        }
    }

    @Test func `a run that comes out differently when repeated leaves only the second and the node`() throws {
        let here = try twoRuns()
        // The stored topology is changed, as a newer version's rules would change what comes of it.
        var database = try Data(contentsOf: here.url("two/run.sqlite"))
        let place = try #require(database.firstRange(of: Data(#""delay": "35ms""#.utf8)))
        database.replaceSubrange(place, with: Data(#""delay": "34ms""#.utf8))
        try database.write(to: here.url("two/run.sqlite"))
        let outcome = try here.run("compare", "one", "two")
        #expect(outcome.status == 1)
        #expect(outcome.output.contains("The runs part in second "))
        #expect(outcome.output.contains("Only the second and the node can be named"))
        let document = try parsed(try here.run("compare", "one", "two", "--json").output)
        #expect((document["firstEvents"] as? [String: Any])?["reason"] is String)
    }

    @Test func `a folder that is no result is refused`() throws {
        let here = try Workspace()
        #expect(try here.run("run", "scenario.json", "--out", "one").status == 0)
        for other in ["absent", "scenario.json", "."] {
            let outcome = try here.run("compare", "one", other)
            #expect(outcome.status == 2)
            #expect(outcome.output.isEmpty && outcome.errorLines.count == 1)
        }
    }
}

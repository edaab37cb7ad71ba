import Foundation
import Glibc
import Testing

@Suite struct OtherCommandTests {
    @Test func `good files are said to be good`() throws {
        let here = try Workspace()
        let outcome = try here.run("validate", "scenario.json", "topology.json")
        #expect(outcome.status == 0)
        #expect(outcome.output == "scenario.json: ok\ntopology.json: ok\n")
        #expect(outcome.errors.isEmpty)
    }

    @Test func `faults of one file do not hide the others`() throws {
        let here = try Workspace()
        try here.write(Fixture.topology.replacing(#""rate": "50Mbit""#, with: #""rate": "50""#), to: "bad.json")
        let outcome = try here.run("validate", "bad.json", "absent.json", "scenario.json")
        #expect(outcome.status == 2)
        #expect(outcome.output == "scenario.json: ok\n")
        #expect(outcome.errors.contains("bad.json:12:") && outcome.errors.contains("links[0].rate: "))
        #expect(outcome.errors.contains("absent.json:1:1: "))
        #expect(!here.exists("results"))
    }

    @Test func `a report is drawn again as it was`() throws {
        let here = try Workspace()
        #expect(try here.run("run", "scenario.json", "--out", "one").status == 0)
        let before = try here.bytes("one/report.html")
        try FileManager.default.removeItem(at: here.url("one/report.html"))
        let outcome = try here.run("report", "one")
        #expect(outcome.status == 0)
        #expect(outcome.output == "report: one/report.html\n")
        #expect(try here.bytes("one/report.html") == before)
        #expect(try here.run("report", "absent").status == 2)
    }

    @Test(arguments: ["", "run", "validate", "report", "compare", "lab"])
    func `help is there on every level, with examples`(_ command: String) throws {
        let here = try Workspace()
        let outcome = try here.start(command.isEmpty ? ["--help"] : [command, "--help"]).outcome()
        #expect(outcome.status == 0)
        #expect(outcome.output.contains("EXAMPLE") && outcome.output.contains("patronus-sim \(command)"))
        for later in ["regress", "train", "models", "agent", "supervisor", "enter"] {
            #expect(!outcome.output.contains("\n  \(later) "))
        }
    }

    @Test(.enabled(if: geteuid() == 0, "needs root"))
    func `doctor says how much there is room for, and how to have more`() throws {
        let here = try Workspace()
        let outcome = try here.run("doctor")
        #expect(outcome.status == 0, "\(outcome.errors)")
        let lines = outcome.output.split(separator: "\n")
        let files = try #require(lines.first { $0.contains("open files: ") })
        #expect(files.contains(#/: at most \d+, room for a lab of some \d+ nodes; more with ulimit -n/#))
        let neighbours = try #require(lines.first { $0.contains("neighbours: ") })
        let path = "/proc/sys/net/ipv4/neigh/default/gc_thresh3"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8), let room = Int(text.dropLast()) else {
            return #expect(neighbours.hasPrefix("missing"))
        }
        #expect(neighbours.contains("\(room) over IPv4") && neighbours.contains("some \(room / 2) links"))
        #expect(neighbours.contains("`sysctl -w net.ipv4.neigh.default.gc_thresh3="))
    }

    @Test func `the version and the shells' completions are printed`() throws {
        let here = try Workspace()
        let version = try here.run("--version")
        #expect(version.status == 0)
        #expect(version.output.wholeMatch(of: try Regex(#"\d+\.\d+\.\d+\n"#)) != nil)
        for shell in ["bash", "zsh", "fish"] {
            #expect(try here.run("--generate-completion-script", shell).output.contains("patronus-sim"))
        }
    }
}

import Foundation
import Glibc
import Testing

@Suite struct InterruptionTests {
    /// Hours of virtual time, which no machine gets through before the signal.
    private func endless() throws -> Workspace {
        let here = try Workspace()
        try here.write(Fixture.scenario(duration: "10h"), to: "long.json")
        return here
    }

    /// Waits until the run has begun to write.
    private func waitForPartialFolder(_ here: Workspace) -> Bool {
        for _ in 0..<500 {
            if here.names(in: "results").contains(where: { $0.contains("partial") }) { return true }
            usleep(10_000)
        }
        return false
    }

    @Test(arguments: [(SIGINT, Int32(130)), (SIGTERM, Int32(143))])
    func `a signal ends a run and leaves nothing half-written`(_ signal: Int32, _ status: Int32) throws {
        let here = try endless()
        let program = try here.start(["run", "long.json", "--pcap", "all"])
        let hasBegun = waitForPartialFolder(here)
        program.send(signal)
        let outcome = try program.outcome()
        #expect(hasBegun)
        #expect(outcome.status == status)
        #expect(outcome.output.isEmpty)
        #expect(outcome.errorLines.count == 1)
        #expect(here.names(in: "results").isEmpty)
    }

    @Test func `results that were there outlive a run that is interrupted`() throws {
        let here = try endless()
        #expect(try here.run("run", "scenario.json").status == 0)
        let before = try here.bytes("results/blackout-42-sim/summary.json")
        let program = try here.start(["run", "long.json", "--json"])
        let hasBegun = waitForPartialFolder(here)
        program.send(SIGINT)
        #expect(hasBegun)
        #expect(try program.outcome().status == 130)
        #expect(here.names(in: "results") == ["blackout-42-sim"])
        #expect(try here.bytes("results/blackout-42-sim/summary.json") == before)
    }

    @Test func `a trap is owned up to as a defect`() throws {
        let here = try endless()
        let program = try here.start(["run", "long.json"])
        let hasBegun = waitForPartialFolder(here)
        program.send(SIGILL)
        let outcome = try program.outcome()
        #expect(hasBegun)
        #expect(outcome.status == 5)
        #expect(outcome.errors.hasSuffix("patronus-sim: this is a defect of the program; please report it\n"))
        // The next run of that name sweeps up what this one could not.
        #expect(try here.run("run", "scenario.json").status == 0)
        #expect(here.names(in: "results") == ["blackout-42-sim"])
    }

    @Test(arguments: [["NO_COLOR": "1"], [:], ["TERM": "dumb"]])
    func `progress is drawn on a terminal alone`(_ environment: [String: String]) throws {
        let here = try Workspace()
        let (text, outcome) = try onTerminal(here, ["run", "scenario.json"], environment)
        #expect(outcome.status == 0)
        #expect(text.contains("of 3s") == (environment["TERM"] != "dumb"))
        #expect(text.contains("\u{1B}[2m") == environment.isEmpty)
        for option in ["--quiet", "--json"] {
            #expect(try onTerminal(here, ["run", "scenario.json", option], environment).text.isEmpty)
        }
    }

    /// Runs the program with a terminal for its standard error, and reads what is shown there.
    private func onTerminal(
        _ here: Workspace, _ arguments: [String], _ environment: [String: String]
    ) throws -> (text: String, outcome: Outcome) {
        let master = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        defer { close(master) }
        var lock: Int32 = 0
        var number: Int32 = 0
        let isUnlocked = ioctl(master, unlockTerminal, &lock) == 0 && ioctl(master, getTerminalNumber, &number) == 0
        try #require(isUnlocked)
        let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY)
        try #require(slave >= 0)
        let outcome = try here.start(arguments, environment: environment, errorsTo: slave).outcome()
        _ = fcntl(master, F_SETFL, O_NONBLOCK)
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = read(master, &bytes, bytes.count)
        close(slave)
        return (String(decoding: bytes.prefix(max(0, count)), as: UTF8.self), outcome)
    }
}

/// `TIOCSPTLCK` and `TIOCGPTN` of ioctl_tty(2).
private let unlockTerminal: UInt = 0x4004_5431
private let getTerminalNumber: UInt = 0x8004_5430

import CLinux
import Foundation
import Glibc
import Testing

/// The runner against a speaker on the kernel's TCP, in a network namespace that goes with the thread that made it.
@Suite(
    .enabled(if: ConformanceTool.isPresent, Comment(rawValue: ConformanceTool.reason)),
    .enabled(if: geteuid() == 0, "needs to be root to make a network namespace"))
struct SlowKernelConformanceTests {
    private struct Verdict: Decodable {
        let name: String
        let ok: Bool?
        let got: String
        let expect: String
    }

    private struct Sweep: Decodable {
        let sent: Int
        let reset: [String]
        let crash: [String]
        let hang: [String]
    }

    private struct Report: Decodable {
        let update: [Verdict]
        let session: [Verdict]
        let sweep: Sweep
    }

    /// Starts a program in the calling thread's namespace.
    private static func spawn(_ arguments: [String], environment: [String] = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
        -> pid_t?
    {
        var process = pid_t()
        let words = arguments.map { strdup($0) } + [nil]
        let settings = environment.map { strdup($0) } + [nil]
        defer { for word in words + settings { free(word) } }
        return posix_spawnp(&process, arguments[0], nil, nil, words, settings) == 0 ? process : nil
    }

    private static func succeeds(_ arguments: [String]) -> Bool {
        guard let process = spawn(arguments) else { return false }
        var status: Int32 = 0
        return waitpid(process, &status, 0) == process && status == 0
    }

    /// Makes a namespace, speaks in it and lets the runner judge; what it wrote is in the file.
    private static func converse(_ folder: URL) -> String? {
        guard clinux_unshare_network() == 0 else { return "no namespace" }
        guard succeeds(["ip", "link", "set", "lo", "up"]) else { return "no loopback" }
        for last in [2, 11, 12, 13] {
            guard succeeds(["ip", "address", "add", "10.254.0.\(last)/24", "dev", "lo"]) else { return "no address" }
        }
        guard var speaker = KernelSpeaker(Injected.configuration, at: Injected.ownAddress, seed: 1) else {
            return "nothing listens"
        }
        let arguments = ["python3", "bgp_conform.py", "--dut", "external", "--sweep", "--out", "report.json"]
        let command = "cd '\(folder.path)' && exec \(arguments.joined(separator: " ")) > log 2>&1"
        let environment = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "PG_IN_NS=1"]
        guard let runner = spawn(["/bin/sh", "-c", command], environment: environment) else { return "no runner" }
        let end = Date(timeIntervalSinceNow: 420)
        var status: Int32 = 0
        var isDone = false
        speaker.run {
            isDone = waitpid(runner, &status, WNOHANG) == runner
            return isDone || Date() > end
        }
        if !isDone {
            kill(runner, SIGKILL)
            waitpid(runner, &status, 0)
            return "the runner took too long"
        }
        return status == 0 ? nil : "the runner failed"
    }

    @Test(.timeLimit(.minutes(8)))
    func `all of the runner's cases are answered as the RFCs say`() async throws {
        let tool = try ConformanceTool()
        defer { tool.remove() }
        let folder = tool.folder
        let failure: String? = await withCheckedContinuation { continuation in
            Thread.detachNewThread { continuation.resume(returning: Self.converse(folder)) }
        }
        let log = (try? String(contentsOf: folder.appending(path: "log"), encoding: .utf8)) ?? ""
        try #require(failure == nil, "\(failure ?? ""): \(log)")
        let report = try JSONDecoder().decode(
            Report.self, from: Data(contentsOf: folder.appending(path: "report.json")))
        for verdict in report.update + report.session {
            #expect(verdict.ok == true, "\(verdict.name): \(verdict.got) for \(verdict.expect)")
        }
        #expect(report.update.count == 211 && report.session.count == 60)
        #expect(report.sweep.sent == 2259)
        #expect(report.sweep.reset.isEmpty && report.sweep.crash.isEmpty && report.sweep.hang.isEmpty)
    }
}

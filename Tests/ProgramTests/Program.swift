import Foundation
import Glibc

/// What a finished process left behind.
struct Outcome {
    /// The exit status, or 128 and the number of the signal that killed it.
    let status: Int32
    let output: String
    let errors: String

    var errorLines: [Substring] { errors.split(separator: "\n") }
}

/// A folder of its own with scenarios in it, in which the built program runs; removed when it is let go of.
final class Workspace {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appending(path: "program-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try write(Fixture.topology, to: "topology.json")
        try write(Fixture.scenario(), to: "scenario.json")
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    func write(_ text: String, to name: String) throws { try Data(text.utf8).write(to: url(name)) }

    func bytes(_ name: String) throws -> [UInt8] { try [UInt8](Data(contentsOf: url(name))) }

    func text(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    func json(_ name: String) throws -> [String: Any] { try parsed(text(name)) }

    func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: url(name).path) }

    /// The names in a folder, hidden ones too, in order.
    func names(in folder: String = "") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: url(folder).path)) ?? []).sorted()
    }

    func url(_ name: String) -> URL { URL(filePath: path).appending(path: name) }

    /// Runs the program here to its end.
    func run(_ arguments: String..., environment: [String: String] = [:]) throws -> Outcome {
        try start(arguments, environment: environment).outcome()
    }

    /// Starts the program here, or another one.
    func start(
        _ arguments: [String], environment: [String: String] = [:], errorsTo terminal: Int32? = nil,
        through wrapper: [String] = [], program: String = RunningProgram.executable
    ) throws -> RunningProgram {
        try RunningProgram(
            wrapper + [program] + arguments, in: self, environment: environment, errorsTo: terminal)
    }
}

/// The program as it runs; its streams go to files, so that nobody has to read them meanwhile.
///
/// Whoever lets go of it ends it: a child that nobody waits for would hide all others from whom waits for any.
final class RunningProgram {
    private let process: pid_t
    private var hasEnded = false
    private let output: URL
    private let errors: URL

    init(
        _ command: [String], in workspace: Workspace, environment: [String: String], errorsTo terminal: Int32?
    ) throws {
        let streams = FileManager.default.temporaryDirectory.appending(path: "streams-\(UUID().uuidString)")
        output = streams.appendingPathExtension("out")
        errors = streams.appendingPathExtension("err")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output.path, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.path, flags, 0o600)
        if let terminal { posix_spawn_file_actions_adddup2(&actions, terminal, STDERR_FILENO) }
        var variables = ["PATH": "/usr/bin:/bin", "TERM": "xterm"]
        for name in ["TMPDIR", "LD_LIBRARY_PATH", "HOME"] {
            variables[name] = ProcessInfo.processInfo.environment[name]
        }
        variables.merge(environment) { $1 }
        // A shell changes the folder and makes way: the program keeps its process number.
        let shell = ["/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", workspace.path]
        let words = (shell + command).map { strdup($0) }
        let settings = variables.map { strdup("\($0.key)=\($0.value)") }
        defer { for pointer in words + settings { free(pointer) } }
        var process = pid_t()
        let failure = posix_spawn(&process, shell[0], &actions, nil, words + [nil], settings + [nil])
        guard failure == 0 else { throw SpawnError(text: String(cString: strerror(failure))) }
        self.process = process
    }

    /// The program beside the bundle of tests.
    static let executable: String = {
        let tests = Bundle.main.executableURL ?? URL(filePath: CommandLine.arguments[0])
        return tests.deletingLastPathComponent().appending(path: "patronus-sim").path
    }()

    deinit { end() }

    /// Sends a signal, if it still runs.
    func send(_ signal: Int32) {
        if !hasEnded { kill(process, signal) }
    }

    /// Kills it and waits until it is gone, if nobody has waited for it.
    func end() {
        guard !hasEnded else { return }
        kill(process, SIGKILL)
        _ = wait()
        removeStreams()
    }

    private func wait() -> Int32 {
        var status: Int32 = 0
        while waitpid(process, &status, 0) < 0, errno == EINTR {}
        hasEnded = true
        return status
    }

    private func removeStreams() {
        try? FileManager.default.removeItem(at: output)
        try? FileManager.default.removeItem(at: errors)
    }

    /// Waits for its end.
    func outcome() throws -> Outcome {
        let status = wait()
        defer { removeStreams() }
        let signal = status & 0x7F
        return Outcome(
            status: signal == 0 ? (status >> 8) & 0xFF : 128 + signal,
            output: String(decoding: try Data(contentsOf: output), as: UTF8.self),
            errors: String(decoding: try Data(contentsOf: errors), as: UTF8.self))
    }
}

struct SpawnError: Error {
    let text: String
}

/// The one JSON object that a text is.
func parsed(_ text: String) throws -> [String: Any] {
    try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any] ?? [:]
}

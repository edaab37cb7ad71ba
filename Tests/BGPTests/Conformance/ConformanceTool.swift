import Foundation
import Glibc

/// The runner of black-box cases that lies beside the repository, laid out as it wants to be.
struct ConformanceTool {
    /// One UPDATE, sent after a good route to the same prefix, and what may become of that route.
    struct UpdateCase: Decodable {
        let name: String
        /// `a` is the external injector, `b` the internal one.
        let peer: String
        let good: String
        let update: String
        let sentinel: String
        /// The field in which the prefix stands, and that of the route that is sent afterwards.
        let prefix: String
        let sentinelPrefix: String
        let expect: String
    }

    /// The octets of one connection, sent piece by piece, and the answers that are right.
    struct SessionCase: Decodable {
        let name: String
        let pieces: [String]
        let isEstablished: Bool
        let expect: String
    }

    struct Cases: Decodable {
        let update: [UpdateCase]
        let session: [SessionCase]
        let sweep: [UpdateCase]
    }

    private static let shared = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../../shared").standardizedFileURL
    private static let source = shared.appending(path: "tools/bgp/bgp_conform.py")
    private static let interpreter = "/usr/bin/python3"

    static let isPresent =
        FileManager.default.fileExists(atPath: source.path)
        && FileManager.default.isExecutableFile(atPath: interpreter)
    static let reason = "the runner lies in ../shared/tools/bgp, which is not there, or there is no Python"

    /// Holds a copy of the runner, which looks for its data beside itself and writes there.
    let folder: URL

    init() throws {
        folder = FileManager.default.temporaryDirectory.appending(path: "conformance-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.copyItem(at: Self.source, to: folder.appending(path: "bgp_conform.py"))
        try FileManager.default.createSymbolicLink(
            at: folder.appending(path: "data"), withDestinationURL: Self.shared.appending(path: "data/bgp"))
    }

    func remove() {
        try? FileManager.default.removeItem(at: folder)
    }

    /// The runner's cases as data.
    func cases() throws -> Cases {
        let script = folder.appending(path: "cases.py")
        try Data(Self.extraction.utf8).write(to: script)
        let output = folder.appending(path: "cases.json")
        let process = Process()
        process.executableURL = URL(filePath: Self.interpreter)
        process.arguments = [script.path, output.path]
        process.currentDirectoryURL = folder
        try process.run()
        process.waitUntilExit()
        return try JSONDecoder().decode(Cases.self, from: Data(contentsOf: output))
    }

    /// Runs the runner's cases without its sockets, and writes down what it would have sent.
    private static let extraction = """
        import json, sys
        import bgp_conform as c

        def case(i, name, who, build, expect):
            return dict(name=name, peer=who, expect=expect, prefix=c.nlri(c.P_(i)).hex(), update=build(i).hex(),
                        good=c.update(c.nlri(c.P_(i)), c.j(c.base(who))).hex(), sentinelPrefix=c.nlri(c.Q_(i)).hex(),
                        sentinel=c.update(c.nlri(c.Q_(i)), c.j(c.base(who))).hex())

        updates = [case(i + 1, n, w, b, e) for i, (n, w, b, e, _) in enumerate(c.own_cases() + c.frr_cases())]
        sweep = []

        class Alive:
            closed = notif = None
            def alive(self): return True

        class Silent:
            closed, notif, est, rib = None, "-", None, {}
            def __init__(self, *a, **k): pass
            def up(self, *a, **k): return False
            def tcp(self, *a, **k): raise OSError()
            def close(self): pass

        class Listening(Silent):
            def up(self, *a, **k): return True
            def send(self, octets): sent.append(octets)

        class Recorder(c.Runner):
            def __init__(self):
                self.sp, self.S, self.A, self.i = Alive(), Alive(), Listening(), 0
            def restart(self): pass
            def held(self, *a, **k): return True
            def raw(self, data, **k):
                connections.append(data if isinstance(data, list) else [data])
                return dict(got="reset", notification="-", msgs=[1])
            def case(self, entry):
                self.i += 1
                name, who, build, expect, _ = entry
                sweep.append(case(self.i, name, who, build, expect))
                return dict(got="keep", name=name)

        sent, connections = [], []
        c.time.sleep = lambda _: None
        c.Peer = Silent
        recorder = Recorder()
        results = recorder.session_cases()
        recorder.sweep()
        session = []
        for result, pieces in zip(results, connections):
            session.append(dict(name=result["name"], pieces=[p.hex() for p in pieces], isEstablished=False,
                                expect=result["expect"]))
        rest = [r for r in results[len(connections):] if r["name"].startswith("est-")]
        single = [s for s in sent if len(s) > 1]
        for result in rest:
            if result["name"] == "est-update-byte-by-byte":
                pieces = [s for s in sent if len(s) == 1]
            else:
                pieces = [single.pop(0)]
            session.append(dict(name=result["name"], pieces=[p.hex() for p in pieces], isEstablished=True,
                                expect=result["expect"]))
        json.dump(dict(update=updates, session=session, sweep=sweep), open(sys.argv[1], "w"))
        """
}

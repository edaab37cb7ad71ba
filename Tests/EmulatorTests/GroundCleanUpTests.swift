import Basics
import Emulator
import Foundation
import Glibc
import LinuxSystem
import Plan
import Scenario
import Testing

@Suite(.enabled(if: Privilege.isThere, "\(Privilege.reason)"), .serialized)
struct GroundCleanUpTests {
    private let state = StateFolder()
    private let lab = LabName(forTopology: "gc-\(UInt32.random(in: 0...UInt32.max))")

    /// A namespace that stands for the machine, with a foreign veth in it, one end marked as another lab's.
    private struct Machine: ~Copyable {
        let namespace: NetworkNamespace
        let foreignName: String

        init(_ lab: LabName) throws(SystemError) {
            let namespace = try NetworkNamespace()
            let foreignName = "foreign.\(lab.text)"
            var routes = try RouteSocket(in: namespace)
            try routes.change {
                $0.createVeth(VethEnd("foreign0"), peer: VethEnd("foreign1"))
                $0.changeLink(.named("foreign1"), LinkChange(alias: "patronus:\(lab.text)x:machine:foreign1"))
            }
            try NetworkNamespace().publish(as: foreignName)
            self.namespace = namespace
            self.foreignName = foreignName
        }

        deinit { try? NetworkNamespace.withdraw(foreignName) }

        /// The links that there are, but for the loopback.
        func links() throws(SystemError) -> [String] {
            var routes = try RouteSocket(in: namespace)
            return try routes.links().map(\.name).filter { $0 != "lo" && $0 != "sit0" }.sorted()
        }

        var isForeignNamespaceThere: Bool { (try? NetworkNamespace(named: foreignName)) != nil }

        func collectGarbage(_ store: LabStore) throws(SystemError) -> [CleanUp] {
            try namespace.perform { () throws(SystemError) in store.collectGarbage() }
        }
    }

    private func victim(_ step: Int, in machine: borrowing Machine) throws -> Victim {
        let scenario = projectFolder.appending(path: "scenarios/branch-blackout.json").path
        let arguments = [state.path, scenario, lab.text, "\(step)"]
        return try machine.namespace.perform { () throws(SystemError) in try Victim(arguments) }
    }

    private func namesOfLab() -> [String] {
        let names = try? FileManager.default.contentsOfDirectory(atPath: "/run/netns")
        return (names ?? []).filter { $0.hasPrefix("\(lab.text).") }
    }

    @Test func `a supervisor killed at any record leaves nothing behind, and what is foreign stays`() throws {
        let machine = try Machine(lab)
        var step = 0
        while true {
            step += 1
            try #require(step < 200)
            let victim = try victim(step, in: machine)
            let isUp = victim.waitForLine() == "up"
            if isUp { victim.kill() }
            let status = victim.wait()
            try #require(status == SIGKILL, "step \(step)")
            let processes = state.store.lab(lab)?.processes ?? []
            let first = try machine.collectGarbage(state.store)
            #expect(first.allSatisfy { $0.failures.isEmpty }, "step \(step)")
            #expect(processes.allSatisfy { !$0.process.isAlive } && namesOfLab().isEmpty, "step \(step)")
            let links = try machine.links()
            #expect(links == ["foreign0", "foreign1"] && machine.isForeignNamespaceThere, "step \(step)")
            #expect(state.store.lab(lab) == nil && state.isEmpty, "step \(step)")
            let second = try machine.collectGarbage(state.store)
            #expect(second.isEmpty)
            if isUp {
                #expect(processes.count == 1)
                // Names, links and the process are all that the kernel does not remove by itself.
                #expect(first.first?.removed.count == 4, "\(first)")
                break
            }
        }
        // A namespace with its record of being held, and a link, for each node at least.
        #expect(step > 14)
    }

    @Test func `a living lab is not touched, and has its name for itself`() throws {
        let machine = try Machine(lab)
        let victim = try victim(0, in: machine)
        try #require(victim.waitForLine() == "up")
        let before = (try machine.links(), namesOfLab())
        let found = try #require(state.store.lab(lab))
        #expect(found.isAlive && before.1.count == 2)
        let collected = try machine.collectGarbage(state.store)
        #expect(collected.isEmpty)
        let after = (try machine.links(), namesOfLab())
        #expect(before == after && found.processes.allSatisfy { $0.process.isAlive })
        #expect(throws: GroundError.alreadyRuns(lab, process: victim.number)) {
            _ = try state.store.begin(lab, topology: "other")
        }
        victim.kill()
        _ = victim.wait()
        // The next start of the same lab removes what the dead one left, but for what lies in another namespace.
        let journal = try machine.namespace.perform { () throws(SystemError) in
            do throws(GroundError) {
                return try state.store.begin(lab, topology: "next")
            } catch {
                throw .absent("\(error)", among: [])
            }
        }
        #expect(namesOfLab().isEmpty && found.processes.allSatisfy { !$0.process.isAlive })
        #expect(state.store.lab(lab)?.topology == "next")
        try journal.finish()
        #expect(state.isEmpty)
    }

    @Test func `a process that has a dead one's number is left alone`() throws {
        let journal = try state.store.begin(lab, topology: "t")
        var child = pid_t()
        let words: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sleep"), strdup("60"), nil]
        try #require(posix_spawn(&child, "/bin/sleep", nil, nil, words, environ) == 0)
        defer { kill(child, SIGKILL) }
        let process = try #require(ProcessIdentity(of: child))
        let earlier = ProcessIdentity(number: child, start: process.start - 1)
        try journal.write(.process(earlier, role: "gone"))
        try journal.finish()
        #expect(process.isAlive)
        let next = try state.store.begin(lab, topology: "t")
        try next.add(process: child, role: "there")
        try next.finish()
        #expect(!process.isAlive)
        var status: Int32 = 0
        waitpid(child, &status, 0)
    }

    @Test func `a name that is somebody else's is neither taken nor taken away`() throws {
        let journal = try state.store.begin(lab, topology: "t")
        let name = "\(lab.text).taken"
        try NetworkNamespace().publish(as: name)
        defer { try? NetworkNamespace.withdraw(name) }
        let own = try NetworkNamespace()
        #expect(throws: SystemError.self) { try journal.publish(own, as: name) }
        // Even where the journal says so, as that of a lab would whose name went to another one meanwhile.
        try journal.write(.name(name, identity: own.identity))
        try journal.finish()
        let isThere = (try? NetworkNamespace(named: name)) != nil
        #expect(isThere)
    }

    @Test func `records survive the way through the journal`() throws {
        let records: [LabRecord] = [
            .lab(supervisor: ProcessIdentity(number: 7, start: .max), topology: "a \"b\" \\ \n ä", boot: "x"),
            .namespace("hq"), .held("hq", descriptor: 12, identity: 4_026_532_000), .link("a--b", .wire),
            .process(ProcessIdentity(number: 9, start: 1), role: "hq"), .name("lab.hq", identity: 3),
            .pin("/sys/fs/bpf/x"), .outsideLink("out0"), .discipline(interface: "eth0", kind: "tbf", handle: 0x10000),
        ]
        let journal = try state.store.begin(lab, topology: "t")
        for record in records { try journal.write(record) }
        let read = try #require(state.store.lab(lab)).records
        #expect(Array(read.dropFirst()) == records)
        // A line that was cut off is none.
        #expect(try FileHandle(forWritingTo: URL(filePath: "\(journal.folder)/journal")).append("{\"record\":\"na"))
        #expect(state.store.lab(lab)?.records.count == records.count + 1)
    }

    @Test func `without privileges there is one clear error and nothing half made`() throws {
        let machine = try Machine(lab)
        // Others may make folders here, so that it is the kernel that refuses.
        #expect(chmod(state.made, 0o777) == 0)
        let scenario = projectFolder.appending(path: "scenarios/branch-blackout.json").path
        let arguments = [state.path, scenario, lab.text, "0", "65534"]
        let victim = try machine.namespace.perform { () throws(SystemError) in try Victim(arguments) }
        let line = try #require(victim.waitForLine())
        #expect(line.hasPrefix("a lab takes the privileges of root"))
        #expect(victim.wait() == 4 << 8)
        #expect(state.store.labs().isEmpty && namesOfLab().isEmpty)
    }
}

extension FileHandle {
    fileprivate func append(_ text: String) throws -> Bool {
        try seekToEnd()
        try write(contentsOf: Data(text.utf8))
        return true
    }
}

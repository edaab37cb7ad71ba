import Basics
import Glibc
import LinuxSystem
import Testing

@Suite(.enabled(if: Kernel.canCompile, "\(Kernel.compilerReason)"))
struct ObjectTests {
    private let packet = [UInt8](repeating: 1, count: 64)

    @Test func `an object names its programs and maps`() throws {
        let file = try TestObject.open()
        let (programs, maps) = (file.programNames, file.mapNames)
        #expect(programs.contains("filter") && programs.contains("redirect"))
        #expect(maps.contains("counters") && maps.contains("ports"))
    }

    @Test func `octets that are no object are refused in words`() throws {
        #expect {
            _ = try ObjectFile([0x7F, 0x45, 0x4C, 0x46, 1, 2, 3].span.bytes, name: "broken")
        } throws: { error in
            "\(error)".contains("open the object broken")
        }
        #expect(throws: SystemError.self) { _ = try ObjectFile([UInt8]().span.bytes, name: "empty") }
        let half = Array((TestObject.octets ?? []).prefix(700))
        #expect(throws: SystemError.self) { _ = try ObjectFile(half.span.bytes, name: "half") }
    }

    @Test func `a constant that is set before loading decides what the program answers`() throws {
        for verdict: UInt32 in [1, 2, 3] {
            var file = try TestObject.open()
            try file.keepOnly(programs: ["answer"])
            try file.setVariable("verdict", to: verdict)
            let program = try file.load().program("answer")
            var output: [UInt8] = []
            let run = try program.run(on: packet.span.bytes, into: &output)
            #expect(run.verdict == verdict)
            #expect(output == packet)
        }
    }

    @Test func `a variable is set only in its own size, and only if there is one`() throws {
        var file = try TestObject.open()
        #expect(throws: SystemError.wrongSize(of: "the variable forbidden_port", expected: 2, given: 4)) {
            try file.setVariable("forbidden_port", to: UInt32(1))
        }
        #expect(throws: SystemError.absent("variable forbidden_prot", among: [])) {
            try file.setVariable("forbidden_prot", to: UInt16(1))
        }
    }

    @Test func `what the object has not is named beside what it has`() throws {
        let object = try TestObject.load("answer")
        #expect(throws: SystemError.absent("map flow", among: object.mapNames)) { _ = try object.map("flow") }
        #expect(throws: SystemError.self) { _ = try object.program("answr") }
        #expect(throws: SystemError.self) { _ = try object.program("filter") }
    }

    @Test func `a map gets the room that it is given before loading`() throws {
        var file = try TestObject.open()
        try file.keepOnly(programs: ["answer"])
        try file.setMaximumEntries(3, of: "flows")
        #expect(throws: SystemError.self) { try file.setMaximumEntries(3, of: "floes") }
        let map = try file.load().map("flows")
        #expect(map.maximumEntries == 3)
        for key: UInt32 in 0..<3 { try map.update([key].span.bytes, to: [UInt64(key)].span.bytes) }
        #expect { try map.update([UInt32(3)].span.bytes, to: [UInt64(3)].span.bytes) } throws: { error in
            (error as? SystemError)?.number == E2BIG
        }
    }

    @Test func `a program sees a packet's interface and hands the packet back`() throws {
        let program = try TestObject.load("stamp").program("stamp")
        let namespace = try NetworkNamespace()
        var output: [UInt8] = []
        let run = try namespace.perform { () throws(SystemError) in
            try program.run(on: packet.span.bytes, times: 10, from: InterfaceIndex(1), into: &output)
        }
        #expect(run.verdict == 2)
        #expect(output == [1, 0, 0, 0] + packet.dropFirst(4))
    }

    @Test func `records of a ring buffer arrive in order`() throws {
        let object = try TestObject.load("record")
        let program = try object.program("record")
        var ring = try RingBuffer(object.map("records"))
        var output: [UInt8] = []
        _ = try program.run(on: packet.span.bytes, times: 50, into: &output)
        var numbers: [UInt64] = []
        let count = try ring.poll { numbers.append($0.unsafeLoadUnaligned(as: UInt64.self)) }
        #expect(count == 50)
        #expect(numbers == Array(1...50))
        let more = try ring.poll(waiting: .milliseconds(1)) { _ in Issue.record("there is nothing left") }
        #expect(more == 0)
        #expect(throws: SystemError.self) { _ = try RingBuffer(object.map("flows")) }
    }

    private static let careless =
        TestObject.header + """
            SEC("xdp") int careless(struct xdp_md *context) {
                return *(char *)(long)context->data ? XDP_PASS : XDP_DROP;
            }
            """

    @Test func `a program that the verifier refuses is thrown with its last words first and its whole log`() throws {
        let octets = try #require(TestObject.compiled(Self.careless))
        var thrown: SystemError?
        do throws(SystemError) {
            _ = try ObjectFile(octets.span.bytes, name: "careless").load()
        } catch {
            thrown = error
        }
        guard case .rejected(let rejection) = thrown else {
            Issue.record("not refused by the verifier, but \(thrown.map { "\($0)" } ?? "loaded")")
            return
        }
        #expect(rejection.program == "careless")
        #expect(rejection.number == EACCES)
        #expect(rejection.lastWords.contains { $0.contains("invalid access to packet") })
        #expect(rejection.log.contains("processed "))
        let lines = rejection.description.split(separator: "\n")
        #expect(lines.prefix(8).contains { $0.contains("invalid access to packet") })
        #expect(rejection.description.hasSuffix(rejection.log))
    }

    @Test func `the library prints nothing of its own`() async throws {
        let result = await #expect(
            processExitsWith: .success, observing: [\.standardErrorContent, \.standardOutputContent]
        ) {
            let octets = try #require(TestObject.compiled(ObjectTests.careless))
            #expect(throws: SystemError.self) { _ = try ObjectFile(octets.span.bytes, name: "careless").load() }
            #expect(throws: SystemError.self) { _ = try ObjectFile([1, 2, 3].span.bytes, name: "broken") }
        }
        let printed = result.map { String(decoding: $0.standardErrorContent, as: UTF8.self) } ?? ""
        #expect(!printed.contains("libbpf"))
        #expect(!printed.contains("careless"))
    }
}

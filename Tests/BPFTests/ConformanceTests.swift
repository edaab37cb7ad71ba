import BPF
import Basics
import Foundation
import TestKit
import Testing

/// The public cases of the bpf_conformance project, beside the package.
private enum Corpus {
    static let folder = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "../shared/data/bpf-conformance").standardizedFileURL

    static let isPresent = FileManager.default.fileExists(
        atPath: folder.appending(path: "assembled.tsv").path(percentEncoded: false))

    static func text(_ path: String) throws -> String {
        try String(contentsOf: folder.appending(path: path), encoding: .utf8)
    }

    struct Case {
        let name: String
        let memory: [UInt8]
        let result: UInt64
        let code: [UInt8]
    }

    static func cases() throws -> [Case] {
        try text("assembled.tsv").split(separator: "\n").map { line in
            let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return Case(
                name: fields[0], memory: [UInt8](hex: fields[1]), result: try #require(UInt64(fields[2], radix: 16)),
                code: [UInt8](hex: fields[4]))
        }
    }

    /// The lines of a section that a file opens with `-- name`.
    static func section(_ name: String, of text: String) -> String? {
        let parts = text.components(separatedBy: "\n-- ")
        return parts.first { $0.hasPrefix(name + "\n") }.map { String($0.dropFirst(name.count + 1)) }
    }
}

@Suite(.enabled(if: Corpus.isPresent, "the cases lie in ../shared/data/bpf-conformance, which is not there"))
struct ConformanceTests {
    /// `callx` and `call_unwind_fail` are among the cases but prove nothing: what they call is thrown away.
    @Test func `every program of the suite gives its result`() throws {
        let cases = try Corpus.cases()
        #expect(cases.count == 313)
        for test in cases {
            let result = try value(of: test.code, memory: test.memory)
            #expect(result.fault == nil, "\(test.name)")
            #expect(result.value == test.result, "\(test.name)")
        }
    }

    @Test func `programs with a field set that is not used are refused`() throws {
        let names = try FileManager.default.contentsOfDirectory(
            atPath: Corpus.folder.appending(path: "negative").path(percentEncoded: false)
        ).filter { $0.hasSuffix(".data") }.sorted()
        #expect(names.count == 60)
        var refused = 0
        for name in names {
            guard let raw = Corpus.section("raw", of: "\n" + (try Corpus.text("negative/\(name)"))) else { continue }
            let digits = raw.split(separator: "\n").prefix { !$0.hasPrefix("--") }.joined()
            #expect(refusal([UInt8](hex: digits))?.fault == .unusedField, "\(name)")
            refused += 1
        }
        // The other 15 are text that no assembler accepts, or a result that is wrong, and so no code.
        #expect(refused == 45)
        #expect(refusal([])?.fault == .badLength)
    }
}

import Testing

/// The style guide as far as a machine can hold it, applied to the whole tree.
@Suite struct TidyTests {
    private func check(_ sources: [SourceText], _ rule: Rule) {
        for violation in sources.flatMap(rule) { Issue.record("\(violation)") }
    }

    private func everything() throws -> [SourceText] {
        try ["Sources", "Tests", "Benchmarks", "Fuzz"].flatMap { try Tree.texts(in: $0) }
    }

    @Test func `every module has its place in the table of floors`() throws {
        let known = Set((architecture + testSupport).map(\.name))
        for folder in try Tree.folders(in: "Sources") where try !Tree.texts(in: "Sources/\(folder)").isEmpty {
            #expect(known.contains(folder), "\(folder) has no floor")
        }
        for module in architecture + testSupport {
            #expect(try !Tree.texts(in: "Sources/\(module.name)").isEmpty, "\(module.name) has no sources")
        }
    }

    @Test func `every module imports only what its floor allows`() throws {
        for module in architecture + testSupport {
            let allowed = mayImport(module)
            check(try Tree.texts(in: "Sources/\(module.name)")) { strangeImports($0, allowed: allowed) }
        }
    }

    @Test func `the modules whose objects are proven pure are those up to floor 5`() throws {
        let pure = architecture.filter { $0.floor <= highestPureFloor }.map(\.name)
        #expect(try Tree.pureModules().sorted() == pure.sorted())
    }

    @Test func `pure modules name no clock, file, thread or chance`() throws {
        for module in try Tree.pureModules() { check(try Tree.texts(in: "Sources/\(module)"), impurities) }
    }

    @Test func `pure modules keep nothing in an order that differs from process to process`() throws {
        for module in try Tree.pureModules() { check(try Tree.texts(in: "Sources/\(module)"), unorderedCollections) }
    }

    @Test func `nothing that ships traps on what a peer can cause`() throws {
        check(try Tree.texts(in: "Sources").filter { !$0.path.hasPrefix("Sources/TestKit") }, trapping)
    }

    @Test func `public types and functions of the pure modules say what they are`() throws {
        for module in try Tree.pureModules() { check(try Tree.texts(in: "Sources/\(module)"), undocumented) }
    }

    @Test func `lines, functions and files fit a screen and a head`() throws {
        check(try everything()) { source in
            sizes(source, fileLimit: source.path.hasPrefix("Tests/") ? 800 : 500) + longFunctions(source, limit: 60)
        }
    }

    @Test func `a shift beside a multiplication is parenthesised`() throws {
        check(try everything(), ambiguousShifts)
    }

    @Test func `nothing is left over, and no machine's paths are named`() throws {
        check(try everything(), leftovers)
        let documents = try Tree.texts(in: "docs", suffixes: [".md"])
        let scripts = try Tree.texts(in: "scripts", suffixes: [""])
        let tops = try ["README.md", "CHANGELOG.md", "Makefile"].map(Tree.text)
        check(try Tree.texts(in: "Sources") + documents + scripts + tops, machinePaths)
    }

    @Test func `tests use what is public, and every test target tests something`() throws {
        for target in try Tree.folders(in: "Tests") {
            let sources = try Tree.texts(in: "Tests/\(target)")
            check(sources) { eachLine($0) { $0.findWord("@testable") != nil ? "tests use public API only" : nil } }
            let tests = sources.reduce(0) { $0 + $1.code.count { $0.findWord("@Test") != nil } }
            // A program that tests run has none of its own.
            let isProgram = sources.contains { $0.path.hasSuffix("/main.swift") }
            #expect(tests > 0 || isProgram, "\(target) has no test")
        }
    }
}

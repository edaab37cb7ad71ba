import Testing

/// Each rule against text that breaks it and text that only seems to.
@Suite struct RuleTests {
    private func lines(_ text: String, _ rule: Rule) -> [Int] {
        rule(SourceText(path: "planted.swift", text)).map(\.line)
    }

    @Test func `comments, strings and raw identifiers are told from code`() {
        let source = SourceText(
            path: "planted.swift",
            #"""
            let a = "x // { \(call("}", b: 1)) {" // tail {
            /* one /* two */ { */ let b = 1
            let c = """
                { " \(d) // }
                """ + e
            let f = ##"raw " \( "# { "##; g()
            func `a { name`() {}
            """#)
        let code = source.code.map { String(decoding: $0.trimmed, as: UTF8.self) }
        #expect(code[0] == "let a =")
        #expect(code[1] == "let b = 1")
        #expect(code[2...4].joined(separator: "|") == "let c =||+ e")
        #expect(code[5].hasPrefix("let f =") && code[5].hasSuffix("; g()"))
        #expect(code[6].hasPrefix("func") && code[6].hasSuffix("() {}"))
        #expect(code.joined().utf8.count { $0 == UInt8(ascii: "{") } == 1)
        #expect(String(decoding: source.comments[0].trimmed, as: UTF8.self) == "// tail {")
        #expect(String(decoding: source.comments[1].trimmed, as: UTF8.self) == "/* one /* two */ { */")
    }

    @Test func `an import above the floor is found`() {
        let text = """
            import Basics
            public import Wire
            @_exported import Node
            import struct Foundation.URL
            // import Glibc
            let important = "import Glibc"
            """
        #expect(lines(text) { strangeImports($0, allowed: ["Basics", "Wire"]) } == [3, 4])
    }

    @Test func `floors allow what is below, and beside only the contract and TCP`() throws {
        func allowed(_ name: String) throws -> Set<String> {
            mayImport(try #require(architecture.first { $0.name == name }))
        }
        #expect(try allowed("Basics") == ["CPrefetch"])
        #expect(try allowed("Telemetry") == ["Basics"])
        #expect(try allowed("BGP") == ["Basics", "Telemetry", "Wire", "Machine", "TCP"])
        #expect(try !allowed("Node").contains("Endpoints"))
        #expect(try allowed("Node").isSuperset(of: ["BGP", "BFD", "Tunnel"]))
        #expect(try !allowed("Simulator").contains("Results"))
        #expect(try allowed("Results").isSuperset(of: ["GRDB", "Measure"]))
        #expect(try allowed("patronus-sim").isSuperset(of: ["Simulator", "Results", "ArgumentParser"]))
    }

    @Test func `clocks, chance, threads and libm are found in code alone`() {
        let text = """
            let a = ContinuousClock()
            let b = UInt64.random(in: 0..<9)
            let c = list.shuffled()
            let d = exp(x) + naturalExponential(y)
            func run() async {}
            Task { }
            print(a)
            // print(a), Date(), async
            let e = "async print("
            let f = catalog(x) + table.log(x)
            func log(_ x: Int) {}
            let asynchronous = updates(Update(1))
            x.hashValue
            """
        #expect(lines(text, impurities) == [1, 2, 3, 4, 5, 6, 7, 13])
    }

    @Test func `traps are found`() {
        let text = """
            let a = try! read()
            let b = c as! D
            fatalError()
            let d = try? read()
            let e = c as? D
            precondition(a > 0)
            // try! this
            final class F: @unchecked Sendable {}
            """
        #expect(lines(text, trapping) == [1, 2, 3, 8])
    }

    @Test func `dictionaries and sets are found, unless nobody iterates them`() {
        let text = """
            var a: [String: Int] = [:]
            var b: Set<Int> = []
            var c: [Key: [Value]] = [:]  // not iterated
            let d = Dictionary(grouping: x) { $0 }
            let e: [Int] = [1, 2]
            let f: KeyValuePairs = [first: 1, second: 2]
            let g = OptionSet.self
            let h = x ? [A.b] : C.d
            let i: InlineArray<8, Int> = [A: B]
            let j: [(name: String, at: Instant)] = []
            func k(_ m: [(A, B): C]) {}
            let l = values[Self.index(of: Thing.x)]
            let n = Set(list)
            let o = [Element](repeating: 0, count: 2)
            """
        #expect(lines(text, unorderedCollections) == [1, 2, 4, 9, 11, 13])
    }

    @Test func `long lines and files are found`() {
        let wide = String(repeating: "é", count: 121)
        let fits = String(repeating: "é", count: 120)
        #expect(lines("\(fits)\n\(wide)\n") { sizes($0, fileLimit: 10) } == [2])
        let tall = String(repeating: "x\n", count: 11)
        #expect(lines(tall) { sizes($0, fileLimit: 10) } == [10])
        #expect(lines(String(tall.dropFirst(2))) { sizes($0, fileLimit: 10) }.isEmpty)
    }

    @Test func `functions are measured from their name to their last brace`() {
        let body = String(repeating: "    step(\"}\") // }\n", count: 5)
        let text = """
            protocol P {
                func needed(
                    a: Int
                ) -> Int
                var other: Int { get }
            }
            func short() { one() }
            func long(
                body: () -> Void = {}
            ) -> [Int]
            where A: B {
            \(body)}
            extension E {
                @inlinable
                public init(a: Int) {
            \(body)    }
                subscript(a: Int) -> Int {
                    get {
            \(body)        }
                }
            }
            let x = self.init(a)
            """
        #expect(lines(text) { longFunctions($0, limit: 5) } == [8, 20, 27])
        #expect(lines(text) { longFunctions($0, limit: 7) } == [8, 27])
        #expect(lines(text) { longFunctions($0, limit: 10) }.isEmpty)
    }

    @Test func `public types and functions without a comment are found`() {
        let text = """
            public struct A {
                public init() {}
                public var b = 1
                public func c() {}
                /// Does.
                @inlinable
                @_lifetime(copy bytes)
                public mutating func d() {}
                public static func < (left: A, right: A) -> Bool { true }
                func e() {}
                @inlinable public func f() {}
            }

            /// An enum.
            public indirect enum G {}
            // Not documentation.
            public protocol H {}
            public final class I {}
            public extension A {}
            """
        #expect(lines(text, undocumented) == [1, 4, 11, 17, 18])
    }

    @Test func `leftovers are found in comments alone`() {
        let text = """
            // TODO: finish
            let a = 1 // FIXME
            let todo = "TODO"
            /// Not XXXL.
            /* XXX */
            """
        #expect(lines(text, leftovers) == [1, 2, 5])
    }

    @Test func `paths of a machine are found, addresses of the web are not`() {
        let text = """
            let a = "/work/data"
            see /tmp for more
            https://example.org/home/page and ../work/x and a/tmp
            /homework
            cd /root/x
            ~/work/x
            """
        #expect(lines(text, machinePaths) == [1, 2, 5])
    }

    @Test func `a shift beside a multiplication is found`() {
        let text = """
            let a = x &* 1_000 >> 32
            let b = (x &* 1_000) >> 32
            let c = x >> 8 & 255
            let d = x * 2 + y << 3
            let e = f(x * 2, y << 3)
            let g = a << UInt64(8 * index)
            let h = y << 3 * z
            let i = x * 2 == y >> 3
            """
        #expect(lines(text, ambiguousShifts) == [1, 7])
    }
}

import BGP
import Testing
import Wire

@Suite struct PolicyTests {
    @Test(arguments: [
        ("^65001", [65001, 65002] as [UInt32], true), ("^65001", [65002, 65001], false),
        ("65001$", [65002, 65001], true), ("65001$", [65001, 65002], false),
        ("_65001_", [65002, 65001, 65003], true), ("65", [65001], false),
        ("^$", [], true), ("^$", [65001], false), (".*", [], true), ("", [65001], true),
        ("^65001 .* 65003$", [65001, 65003], true), ("^65001_.*_65003$", [65001, 1, 2, 65003], true),
        ("^65001 . 65003$", [65001, 65003], false), ("^65001 . 65003$", [65001, 7, 65003], true),
        ("1 2", [1, 1, 2], true), ("1 2", [1, 3, 2], false), ("^1 .* 2 .* 3$", [1, 2, 2, 3, 3], true),
        ("^1 .* 2 .* 3$", [1, 3, 2], false), ("^.$", [65001], true), ("^.$", [1, 2], false),
    ])
    func `an AS path pattern works on whole numbers`(_ pattern: String, numbers: [UInt32], matches: Bool) {
        let path = ASPath(segments: numbers.isEmpty ? [] : [.init(.sequence, numbers)])
        #expect(ASPathPattern(pattern)?.matches(path) == matches, "\(pattern) on \(path)")
    }

    @Test(arguments: ["65001*", "(1|2)", "^1^2", "[12]", "99999999999", "a"])
    func `a pattern of another form is refused`(_ pattern: String) {
        #expect(ASPathPattern(pattern) == nil)
    }

    @Test(arguments: [
        ("10.0.0.0/8", false), ("10.1.0.0/16", true), ("10.1.2.0/24", true), ("10.1.2.128/25", false),
        ("10.9.0.0/16", false), ("192.0.2.0/24", true), ("192.0.2.128/25", false), ("2001:db8::/32", false),
    ])
    func `the first entry of a prefix list that matches decides`(_ prefix: String, permitted: Bool) throws {
        let list = PrefixList([
            .init(.deny, "10.9.0.0/16", lengths: 16...32), .init(.permit, "10.0.0.0/8", lengths: 16...24),
            .init(.permit, "192.0.2.0/24"),
        ])
        let prefix = try #require(IPPrefix(prefix))
        #expect(list.permits(prefix) == permitted)
    }

    @Test func `the first rule whose conditions all hold decides`() {
        let policy = RoutePolicy([
            PolicyRule(sequence: 30, .permit, settings: [.localPreference(30)]),
            PolicyRule(
                sequence: 10, .deny,
                conditions: [
                    .community(Community(65001, 1)),
                    .prefixList(PrefixList([.init(.permit, "10.0.0.0/8", lengths: 8...32)])),
                ]),
            PolicyRule(
                sequence: 20, .permit, conditions: [.largeCommunity(LargeCommunity(1, 2, 3))],
                settings: [.localPreference(20), .largeCommunity(LargeCommunity(1, 2, 4)), .community(.noExport)]),
        ])
        var attributes = PathAttributes(path: ASPath(65002), nextHop: "192.0.2.2")
        #expect(policy.apply(to: attributes, of: "10.1.0.0/16")?.localPreference == 30)
        attributes.communities = [Community(65001, 1)]
        #expect(policy.apply(to: attributes, of: "10.1.0.0/16") == nil)
        #expect(policy.apply(to: attributes, of: "11.1.0.0/16")?.localPreference == 30)
        attributes.largeCommunities = [LargeCommunity(1, 2, 3)]
        let changed = policy.apply(to: attributes, of: "11.1.0.0/16")
        #expect(changed?.localPreference == 20)
        #expect(changed?.largeCommunities == [LargeCommunity(1, 2, 3), LargeCommunity(1, 2, 4)])
        #expect(changed?.communities == [Community(65001, 1), .noExport])
    }

    @Test func `a route that no rule matches meets the default`() {
        let attributes = PathAttributes(nextHop: "192.0.2.2")
        #expect(RoutePolicy.denyAll.apply(to: attributes, of: "10.0.0.0/8") == nil)
        #expect(RoutePolicy.acceptAll.apply(to: attributes, of: "10.0.0.0/8") == attributes)
    }

    @Test func `communities are read as they are written`() {
        for text in ["65001:100", "no-export", "no-advertise", "no-export-subconfed", "0:0"] {
            #expect(Community(text)?.description == text)
        }
        for text in ["65536:1", "1", "1:2:3", "a:b", ":", "1:-1"] { #expect(Community(text) == nil) }
        #expect(LargeCommunity("4200000001:1:2") == LargeCommunity(4_200_000_001, 1, 2))
        #expect(LargeCommunity("1:2") == nil)
    }

    @Test func `a path is prepended into a new segment where the first is full or no sequence`() {
        var path = ASPath(segments: [.init(.sequence, Array(repeating: 7, count: 255))])
        path.prepend(9)
        #expect(path.segments.map(\.members.count) == [1, 255])
        path = ASPath(segments: [.init(.set, [1, 2])])
        path.prepend(9, count: 2)
        #expect(path.description == "9 9 {1,2}")
        #expect(path.length == 3)
    }
}

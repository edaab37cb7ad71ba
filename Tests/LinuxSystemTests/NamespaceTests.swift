import Glibc
import LinuxSystem
import TestKit
import Testing

@Suite(.enabled(if: Kernel.isWilling, "\(Kernel.reason)"))
struct NamespaceTests {
    @Test func `a new namespace has a loopback that is down, and nothing else`() throws {
        let namespace = try NetworkNamespace()
        var routes = try RouteSocket(in: namespace)
        let links = try routes.links()
        #expect(links.map(\.name) == ["lo"])
        #expect(links.first?.isUp == false)
    }

    @Test func `what is performed inside leaves the calling thread where it was`() throws {
        let namespace = try NetworkNamespace()
        let before = try NetworkNamespace.current().identity
        let inside = try namespace.perform { () throws(SystemError) in try NetworkNamespace.current().identity }
        let own = try namespace.identity
        let after = try NetworkNamespace.current().identity
        #expect(inside == own)
        #expect(inside != before && after == before)
    }

    @Test func `an error inside comes out as it was`() throws {
        let namespace = try NetworkNamespace()
        #expect(throws: SystemError.absent("thing", among: ["another"])) {
            try namespace.perform { () throws(SystemError) in throw .absent("thing", among: ["another"]) }
        }
    }

    @Test func `a parameter is set inside and nowhere else`() throws {
        func forwarding() throws(SystemError) -> UInt8 {
            let file = try FileDescriptor(path: "/proc/sys/net/ipv4/ip_forward", flags: O_RDONLY)
            var octet: UInt8 = 0
            return read(file.number, &octet, 1) == 1 ? octet : 0
        }
        let (one, other) = ("1", UInt8(ascii: "1"))
        let namespace = try NetworkNamespace()
        let untouched = try NetworkNamespace()
        try namespace.setParameter("ipv4/ip_forward", to: one)
        let inside = try namespace.perform { () throws(SystemError) in try forwarding() }
        let outside = try untouched.perform { () throws(SystemError) in try forwarding() }
        #expect(inside == other && outside != other)
        #expect(throws: SystemError.self) { try namespace.setParameter("ipv4/no_such_thing", to: one) }
    }

    @Test func `a namespace with a name outlives its owner and goes when the name does`() throws {
        let name = "patronus-test-name-\(getpid())"
        var identity: UInt64 = 0
        do {
            let namespace = try NetworkNamespace()
            identity = try namespace.identity
            try namespace.publish(as: name)
            #expect(throws: SystemError.self) { try namespace.publish(as: name) }
        }
        let found = try NetworkNamespace(named: name).identity
        #expect(found == identity)
        try NetworkNamespace.withdraw(name)
        #expect(throws: SystemError.self) { _ = try NetworkNamespace(named: name) }
        #expect(throws: SystemError.self) { try NetworkNamespace.withdraw(name) }
    }

    @Test(arguments: ["", ".", "..", "a/b", "../escape"]) func `a name is not a path`(name: String) throws {
        let namespace = try NetworkNamespace()
        #expect(throws: SystemError.self) { try namespace.publish(as: name) }
        #expect(throws: SystemError.self) { try NetworkNamespace.withdraw(name) }
    }

    @Test func `a namespace goes with its owner, and its links with it`() throws {
        let witness = try NetworkNamespace()
        var routes = try RouteSocket(in: witness)
        do {
            let namespace = try NetworkNamespace()
            try routes.change { $0.createVeth(VethEnd("near"), peer: VethEnd("far"), in: namespace) }
            let link = try routes.link(.named("near"))
            #expect(link != nil)
        }
        let isGone = try eventually { try routes.link(.named("near")) == nil }
        #expect(isGone)
    }
}

import Foundation
import LinuxSystem
import TestKit
import Testing

/// Veths whose frames threads of the kernel's receive.
@Suite(.serialized, .enabled(if: Kernel.isWilling, "\(Kernel.reason)"))
struct ThreadedReceivingTests {
    /// The kernel's threads that receive for an interface of that name.
    private func threads(of name: String) -> Int {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return entries.count { entry in
            let octets = FileManager.default.contents(atPath: "/proc/\(entry)/comm") ?? Data()
            return String(decoding: octets, as: UTF8.self).hasPrefix("napi/\(name)-")
        }
    }

    @Test func `a veth with a program is received from in threads, which go with it`() throws {
        let name = "t\(UInt16.random(in: 10_000...60_000))"
        do {
            let namespace = try NetworkNamespace()
            var routes = try RouteSocket(in: namespace)
            let index = InterfaceIndex(10)
            try routes.change {
                $0.createVeth(VethEnd(name, index: index), peer: VethEnd("far"))
                $0.changeLink(.index(index), LinkChange(isUp: true))
            }
            let attachment = try XDPAttachment(.answering(.pass), to: index, in: namespace)
            #expect(threads(of: name) == 0)
            try ThreadedReceiving.begin(on: index, in: namespace)
            #expect(eventually { threads(of: name) > 0 })
            attachment.detach()
        }
        #expect(eventually { threads(of: name) == 0 })
    }

    @Test func `an interface that does not poll cannot be received from in a thread`() throws {
        let namespace = try NetworkNamespace()
        var routes = try RouteSocket(in: namespace)
        try routes.change { $0.createVeth(VethEnd("near", index: InterfaceIndex(10)), peer: VethEnd("far")) }
        #expect {
            try ThreadedReceiving.begin(on: InterfaceIndex(10), in: namespace)
        } throws: { error in
            "\(error)".contains("receive from near in a thread")
        }
    }
}

import Basics
import Emulator
import Foundation
import LinuxSystem
import TestKit
import Testing

/// Messages between processes of a lab, and what comes of octets that are none.
struct ChannelTests {
    /// A channel, and the bare socket at its other end.
    private func channel(_ body: (MessageChannel, borrowing UnixSocket) throws -> Void) throws {
        let pair = try UnixSocket.Pair()
        let near = try FileDescriptor.duplicate(of: pair.first.descriptor.number)
        try body(MessageChannel(UnixSocket(owning: near)), pair.second)
    }

    private func octets(_ order: LabOrder) throws -> [UInt8] {
        Array(try JSONEncoder().encode(order)) + [UInt8(ascii: "\n")]
    }

    @Test func `messages come whole and in order, however they were cut`() throws {
        let orders: [LabOrder] = [
            .inspect(node: nil), .setLink(name: "a--b", settings: ["delay": "80ms"], direction: "both"),
            .setCarrier(link: "a--b", isUp: false), .place(link: String(repeating: "x", count: 200_000)), .down,
        ]
        forEachSeed(5) { random in
            try channel { near, far in
                var rest = try orders.flatMap { try octets($0) }[...]
                var received: [LabOrder] = []
                while !rest.isEmpty {
                    let piece = rest.prefix(1 + Int(random.below(60_000)))
                    rest = rest.dropFirst(piece.count)
                    try far.write(piece)
                    while near.isReadable(within: .zero) {
                        try #require(try near.fill())
                        while let order = try near.next(LabOrder.self) { received.append(order) }
                    }
                }
                #expect(received == orders)
            }
        }
    }

    @Test func `what is no message is an error, and never more than that`() throws {
        forEachSeed(300) { random in
            var line = try octets(.setLink(name: "a--b", settings: ["loss": "1%"], direction: "both"))
            for _ in 0...random.below(4) {
                line[Int(random.below(UInt64(line.count - 1)))] = UInt8(truncatingIfNeeded: random.next())
            }
            try channel { near, far in
                try far.write(line + [UInt8(ascii: "\n")])
                while near.isReadable(within: .zero) {
                    try #require(try near.fill())
                    do throws(SystemError) {
                        while try near.next(LabOrder.self) != nil {}
                    } catch {
                        #expect(error.number == 74, "\(error)")
                        return
                    }
                    return
                }
            }
        }
    }

    @Test func `a journal that was damaged is read for what it still says`() throws {
        let state = StateFolder()
        let lab = try #require(LabName("damaged"))
        let journal = try state.store.begin(lab, topology: "t\"\\\u{1}")
        try journal.write(.held("hq", descriptor: 7, identity: 1 << 40))
        let path = "\(journal.folder)/journal"
        let whole = try [UInt8](Data(contentsOf: URL(filePath: path)))
        #expect(state.store.lab(lab)?.topology == "t\"\\\u{1}")
        #expect(state.store.lab(lab)?.nodes == ["hq"])
        forEachSeed(300) { random in
            var octets = whole
            for _ in 0...random.below(6) {
                octets[Int(random.below(UInt64(octets.count)))] = UInt8(truncatingIfNeeded: random.next())
            }
            let cut = octets.prefix(Int(random.below(UInt64(octets.count))))
            try Data(cut).write(to: URL(filePath: path))
            let read = try #require(state.store.labs().first)
            #expect(read.records.count <= 2 + cut.count { $0 == UInt8(ascii: "\n") })
        }
    }
}

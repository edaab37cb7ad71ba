public import Basics
import Foundation
import Glibc
public import LinuxSystem

/// Messages over a socket, one JSON document a line.
public final class MessageChannel {
    private let socket: UnixSocket
    private var unread: [UInt8] = []
    /// How much of that has no line's end in it: a long line is looked through once, not with each piece of it.
    private var searched = 0
    private var buffer = [UInt8](repeating: 0, count: 64 * 1024)
    private let encoder = JSONEncoder()
    private let decoder = JSONDecoder()

    /// The longest line that is taken from the other end.
    private static let longestLine = 256 << 20

    public init(_ socket: consuming UnixSocket) {
        self.socket = socket
        encoder.outputFormatting = .withoutEscapingSlashes
    }

    /// Readable when something has come.
    public var descriptor: Int32 { socket.descriptor.number }

    /// Sends a message, waiting for room.
    public func send(_ message: some Encodable) throws(SystemError) {
        try socket.write(try octets(of: message))
    }

    private func octets(of message: some Encodable) throws(SystemError) -> [UInt8] {
        do {
            return Array(try encoder.encode(message)) + [UInt8(ascii: "\n")]
        } catch {
            throw .refused("write a message", number: EINVAL, explanation: "\(error)")
        }
    }

    /// Whether something comes within a while, or has come.
    public func isReadable(within interval: Interval) -> Bool {
        if unread.contains(UInt8(ascii: "\n")) { return true }
        return !readableDescriptors(among: [descriptor], within: interval).isEmpty
    }

    /// Reads what has come, waiting for something where nothing has; false at the end.
    public func fill() throws(SystemError) -> Bool {
        guard let count = try socket.read(into: &buffer) else { return true }
        unread += buffer[..<count]
        guard unread.count <= Self.longestLine else {
            throw .refused("read a message", number: EMSGSIZE, explanation: "a line has no end")
        }
        return count > 0
    }

    /// The next message that is whole; nil where none is.
    public func next<Message: Decodable>(_ type: Message.Type) throws(SystemError) -> Message? {
        guard let end = unread[searched...].firstIndex(of: UInt8(ascii: "\n")) else {
            searched = unread.count
            return nil
        }
        let line = Data(unread[..<end])
        unread.removeSubrange(...end)
        searched = 0
        do {
            return try decoder.decode(type, from: line)
        } catch {
            throw .refused("read a message", number: EBADMSG, explanation: "\(error)")
        }
    }

    /// The next message, which is waited for; nil at the end.
    public func wait<Message: Decodable>(for type: Message.Type) throws(SystemError) -> Message? {
        while true {
            if let message = try next(type) { return message }
            guard try fill() else { return nil }
        }
    }
}

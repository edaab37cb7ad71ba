public import Basics

// Requests and responses of HTTP/1.1 (RFC 9112), as far as both ends are ours: the
// target names the flow and the size that is wanted, so that a server needs no state.

/// The requests and response heads that clients and servers write.
public enum Exchange {
    /// Appends a request for `responseByteCount` octets that is `byteCount` long, or as short as it can be.
    ///
    /// Returns its length.
    public static func appendRequest(
        flow: UInt32, responseByteCount: UInt64, byteCount: Int, to arena: inout ByteArena
    ) -> Int {
        let start = arena.count
        append("GET /", to: &arena)
        append(UInt64(flow), to: &arena)
        append("/", to: &arena)
        append(responseByteCount, to: &arena)
        append(" HTTP/1.1\r\nHost: www.example.com\r\nUser-Agent: Patronus\r\nAccept: */*\r\nCookie: s=", to: &arena)
        for index in 0..<max(0, byteCount - (arena.count - start) - 4) {
            arena.append(UInt8(97 + index % 26))
        }
        append("\r\n\r\n", to: &arena)
        return arena.count - start
    }

    /// Appends the head of a response with a body of that size, and returns its length.
    public static func appendResponseHead(bodyByteCount: UInt64, to arena: inout ByteArena) -> Int {
        let start = arena.count
        append("HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: ", to: &arena)
        append(bodyByteCount, to: &arena)
        append("\r\n\r\n", to: &arena)
        return arena.count - start
    }

    private static func append(_ text: String, to arena: inout ByteArena) {
        for octet in text.utf8 { arena.append(octet) }
    }

    private static func append(_ number: UInt64, to arena: inout ByteArena) {
        var divisor: UInt64 = 1
        while number / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            arena.append(UInt8(48 + number / divisor % 10))
            divisor /= 10
        }
    }
}

/// Finds the empty line that ends a head, octet by octet.
struct HeadScanner: Sendable, BitwiseCopyable {
    private var matched = 0
    private(set) var byteCount = 0

    static var byteLimit: Int { 8192 }

    /// Takes one octet; true where it was the head's last.
    mutating func note(_ octet: UInt8) -> Bool {
        byteCount += 1
        let wanted: UInt8 = matched % 2 == 0 ? 13 : 10
        matched = octet == wanted ? matched + 1 : (octet == 13 ? 1 : 0)
        return matched == 4
    }
}

/// The serving end of a stream of exchanges: reads one request at a time and answers it.
public struct ExchangeServer: Sendable, BitwiseCopyable {
    /// How far the request line has been read.
    private enum Field: Sendable, BitwiseCopyable {
        case method(Int)
        case flow
        case size
        case rest
    }

    private var field = Field.method(0)
    private var scanner = HeadScanner()
    private var flowNumber: UInt64 = 0
    private var size: UInt64 = 0
    private var hasDigits = false
    /// Octets of the body still to be written.
    private var rest: UInt64 = 0
    private var owesHead = false

    /// The octets "GET /".
    private static var method: InlineArray<5, UInt8> { [71, 69, 84, 32, 47] }

    /// No larger object is served.
    public static let bodyByteLimit: UInt64 = 1 << 40

    public init() {}

    /// The flow that the last whole request named.
    public private(set) var flow: UInt32?

    /// Whether a response, or part of one, is still to be written.
    public var isAnswering: Bool { owesHead || rest > 0 }

    /// Takes octets of requests; false where they are none that this server answers.
    public mutating func receive(_ bytes: RawSpan) -> Bool {
        for offset in 0..<bytes.byteCount {
            // Our clients do not pipeline.
            guard !isAnswering else { return false }
            let octet = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            let isEnd = scanner.note(octet)
            guard scanner.byteCount <= HeadScanner.byteLimit, parse(octet) else { return false }
            if isEnd, !finishRequest() { return false }
        }
        return true
    }

    private mutating func parse(_ octet: UInt8) -> Bool {
        switch field {
        case .method(let index):
            field = index + 1 == Self.method.count ? .flow : .method(index + 1)
            return Self.method[index] == octet
        case .flow:
            if octet == 47 { return endNumber(next: .size) }
            return hasDigit(octet) && Self.append(octet, to: &flowNumber, limit: UInt64(UInt32.max))
        case .size:
            if octet == 32 { return endNumber(next: .rest) }
            return hasDigit(octet) && Self.append(octet, to: &size, limit: Self.bodyByteLimit)
        case .rest:
            return true
        }
    }

    private mutating func endNumber(next: Field) -> Bool {
        defer { hasDigits = false }
        field = next
        return hasDigits
    }

    private mutating func hasDigit(_ octet: UInt8) -> Bool {
        hasDigits = true
        return octet >= 48 && octet <= 57
    }

    private static func append(_ digit: UInt8, to number: inout UInt64, limit: UInt64) -> Bool {
        number = number &* 10 &+ UInt64(digit &- 48)
        return number <= limit
    }

    private mutating func finishRequest() -> Bool {
        guard case .rest = field else { return false }
        flow = UInt32(truncatingIfNeeded: flowNumber)
        rest = size
        owesHead = true
        field = .method(0)
        scanner = HeadScanner()
        flowNumber = 0
        size = 0
        return true
    }

    /// Appends as much of the response as `room` allows, and says how much that was.
    public mutating func write(upTo room: Int, filler: inout PayloadFiller, into arena: inout ByteArena) -> Int {
        var written = 0
        if owesHead {
            guard room >= 128 else { return 0 }
            written = Exchange.appendResponseHead(bodyByteCount: rest, to: &arena)
            owesHead = false
        }
        let count = Int(clamping: min(UInt64(max(0, room - written)), rest))
        filler.append(count, of: .random, to: &arena)
        rest -= UInt64(count)
        return written + count
    }
}

/// The asking end of a stream of exchanges: waits for one response at a time.
public struct ExchangeClient: Sendable, BitwiseCopyable {
    /// What came of some octets.
    public enum Progress: Equatable, Sendable, BitwiseCopyable {
        case unfinished
        case complete
        /// The octets are not the response that was asked for.
        case wrong
    }

    /// The octets "HTTP/1.1 200".
    private static var status: InlineArray<12, UInt8> { [72, 84, 84, 80, 47, 49, 46, 49, 32, 50, 48, 48] }

    private var scanner = HeadScanner()
    private var isInBody = false
    private var rest: UInt64 = 0
    /// Whether a response is awaited.
    public private(set) var isWaiting = false

    public init() {}

    /// A request for so many octets is written.
    public mutating func ask(byteCount: UInt64) {
        scanner = HeadScanner()
        isInBody = false
        rest = byteCount
        isWaiting = true
    }

    /// Takes octets of the response.
    public mutating func receive(_ bytes: RawSpan) -> Progress {
        guard isWaiting else { return bytes.byteCount == 0 ? .unfinished : .wrong }
        var offset = 0
        while !isInBody, offset < bytes.byteCount {
            let octet = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            if scanner.byteCount < Self.status.count, Self.status[scanner.byteCount] != octet { return .wrong }
            isInBody = scanner.note(octet)
            offset += 1
            guard scanner.byteCount <= HeadScanner.byteLimit else { return .wrong }
        }
        let count = UInt64(bytes.byteCount - offset)
        guard count <= rest else { return .wrong }
        rest -= count
        guard isInBody, rest == 0 else { return .unfinished }
        isWaiting = false
        return .complete
    }
}

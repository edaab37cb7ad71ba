import BGP
import Basics
public import Wire

/// Reads hexadecimal octets; what follows a `#` on a line is a comment.
func octets(_ text: String) -> [UInt8] {
    let digits = text.split(separator: "\n", omittingEmptySubsequences: false)
        .map { $0.prefix { $0 != "#" } }.joined().compactMap(\.hexDigitValue)
    return stride(from: 0, to: digits.count - 1, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
}

/// The octets as lower-case hexadecimal digits.
func hexadecimal(_ octets: some Sequence<UInt8>) -> String {
    octets.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}

func bigEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    stride(from: value.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: value >> $0) }
}

/// A whole message with a right header.
func message(_ type: UInt8, _ body: [UInt8] = []) -> [UInt8] {
    Array(repeating: 0xFF, count: 16) + bigEndian(UInt16(body.count + 19)) + [type] + body
}

let keepalive = message(4)

func attribute(_ flags: UInt8, _ type: UInt8, _ value: [UInt8]) -> [UInt8] {
    flags & 0x10 == 0 && value.count < 256
        ? [flags, type, UInt8(value.count)] + value : [flags | 0x10, type] + bigEndian(UInt16(value.count)) + value
}

/// The body of an UPDATE.
func updateBody(withdrawn: [UInt8] = [], attributes: [[UInt8]] = [], prefixes: [UInt8] = []) -> [UInt8] {
    let field = attributes.flatMap { $0 }
    return bigEndian(UInt16(withdrawn.count)) + withdrawn + bigEndian(UInt16(field.count)) + field + prefixes
}

func pathValue(_ numbers: UInt32..., kind: UInt8 = 2) -> [UInt8] {
    [kind, UInt8(numbers.count)] + numbers.flatMap { bigEndian($0) }
}

/// What a builder appends to an arena.
func encoded(_ body: (inout ByteArena) -> Void) -> [UInt8] {
    var arena = ByteArena(capacity: 4096)
    body(&arena)
    let bytes = arena.bytes(ByteRange(start: 0, count: arena.count))
    return copied(bytes)
}

func copied(_ bytes: RawSpan) -> [UInt8] {
    bytes.withUnsafeBytes { Array($0) }
}

/// The messages in a stream of octets, as type and body.
func messages(in stream: [UInt8]) -> [(type: UInt8, body: [UInt8])] {
    var result: [(UInt8, [UInt8])] = []
    var offset = 0
    while stream.count - offset >= 19 {
        let length = Int(stream[offset + 16]) << 8 | Int(stream[offset + 17])
        guard length >= 19, stream.count - offset >= length else { break }
        result.append((stream[offset + 18], Array(stream[offset + 19..<offset + length])))
        offset += length
    }
    return result
}

func decodeUpdate(_ body: [UInt8], _ context: UpdateContext) -> Result<UpdateMessage, Notification> {
    do throws(Notification) {
        return .success(try UpdateMessage(body: body.span.bytes, context: context))
    } catch {
        return .failure(error)
    }
}

func decodeOpen(_ body: [UInt8]) -> Result<OpenMessage, Notification> {
    do throws(Notification) {
        return .success(try OpenMessage(body: body.span.bytes))
    } catch {
        return .failure(error)
    }
}

func decodeNotification(_ body: [UInt8]) -> Notification? {
    try? Notification(body: body.span.bytes)
}

func decodeRouteRefresh(_ body: [UInt8]) -> RouteRefreshMessage? {
    try? RouteRefreshMessage(body: body.span.bytes)
}

func decodeHeader(_ octets: [UInt8]) -> Result<MessageHeader, Notification> {
    do throws(Notification) {
        return .success(try MessageHeader(octets.span.bytes))
    } catch {
        return .failure(error)
    }
}

extension IPPrefix: ExpressibleByStringLiteral {
    /// A prefix in a test; one that cannot be read is the test's own fault.
    public init(stringLiteral text: String) {
        guard let prefix = IPPrefix(text) else { preconditionFailure("no prefix: \(text)") }
        self = prefix
    }
}

extension IPAddress: ExpressibleByStringLiteral {
    /// An address in a test; one that cannot be read is the test's own fault.
    public init(stringLiteral text: String) {
        guard let address = IPAddress(text) else { preconditionFailure("no address: \(text)") }
        self = address
    }
}

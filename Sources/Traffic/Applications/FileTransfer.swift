public import Basics
import Wire

/// One large transfer from the source to the sink over a stream: `fileTransfer`.
public struct FileTransfer: Equatable, Sendable {
    /// What is to be transferred; nil goes on until the flow's stop.
    public var byteCount: UInt64?
    public var content: PayloadContent

    public init(byteCount: UInt64?, content: PayloadContent = .random) {
        self.byteCount = byteCount
        self.content = content
    }
}

/// The first 24 octets of a file transfer's stream, which count as part of the file.
public struct FilePreamble: Equatable, Sendable, BitwiseCopyable {
    public var flow: UInt32
    /// When the transfer began, attempts that failed included.
    public var startedAt: Instant
    /// 0 where the transfer has no end of its own.
    public var byteCount: UInt64

    /// No text and no known protocol begins with these.
    public static let magic: UInt32 = 0xF17E_0001
    public static let byteCount = 24

    public init(flow: UInt32, startedAt: Instant, byteCount: UInt64) {
        self.flow = flow
        self.startedAt = startedAt
        self.byteCount = byteCount
    }

    /// The preamble at the front of a stream, or nil where those octets are none.
    public init?(parsing bytes: RawSpan) {
        var reader = ByteReader(bytes)
        guard let magic = try? reader.read(UInt32.self), magic == Self.magic,
            let flow = try? reader.read(UInt32.self),
            let startedAt = try? reader.read(UInt64.self),
            let byteCount = try? reader.read(UInt64.self)
        else { return nil }
        self.init(flow: flow, startedAt: Instant(nanoseconds: startedAt), byteCount: byteCount)
    }

    /// Appends the octets as they go on the wire.
    public func append(to arena: inout ByteArena) {
        arena.append(Self.magic)
        arena.append(flow)
        arena.append(startedAt.nanoseconds)
        arena.append(byteCount)
    }
}

/// The writing end of one attempt at a file transfer.
public struct FileSender: Sendable, BitwiseCopyable {
    private let preamble: FilePreamble
    private let content: PayloadContent
    /// Octets still to be written; nil for ever.
    private var rest: UInt64?
    private var hasBegun = false

    /// A file is at least as long as its preamble.
    public init(_ profile: FileTransfer, flow: UInt32, startedAt: Instant) {
        let size = profile.byteCount.map { max($0, UInt64(FilePreamble.byteCount)) }
        preamble = FilePreamble(flow: flow, startedAt: startedAt, byteCount: size ?? 0)
        content = profile.content
        rest = size
    }

    public var isComplete: Bool { rest == 0 }

    /// Appends as much of the file as `room` allows, and says how much that was.
    public mutating func write(upTo room: Int, filler: inout PayloadFiller, into arena: inout ByteArena) -> Int {
        var count = Int(clamping: min(UInt64(max(0, room)), rest ?? .max))
        guard hasBegun || count >= FilePreamble.byteCount else { return 0 }
        rest = rest.map { $0 - UInt64(count) }
        let written = count
        if !hasBegun {
            hasBegun = true
            preamble.append(to: &arena)
            count -= FilePreamble.byteCount
        }
        filler.append(count, of: content, to: &arena)
        return written
    }
}

/// The reading end of a file transfer.
public struct FileReceiver: Sendable {
    private var head = InlineArray<24, UInt8>(repeating: 0)
    private var headCount = 0
    /// What the stream's first octets said.
    public private(set) var preamble: FilePreamble?
    /// Octets that came, the preamble included.
    public private(set) var received: UInt64 = 0

    public init() {}

    /// Whether all that was announced has come.
    public var isComplete: Bool {
        guard let preamble, preamble.byteCount > 0 else { return false }
        return received >= preamble.byteCount
    }

    /// Takes octets; false where the stream cannot be a file transfer.
    public mutating func receive(_ bytes: RawSpan) -> Bool {
        received &+= UInt64(bytes.byteCount)
        guard preamble == nil else { return true }
        var offset = 0
        while offset < bytes.byteCount, headCount < FilePreamble.byteCount {
            head[headCount] = bytes.unsafeLoad(fromByteOffset: offset, as: UInt8.self)
            headCount += 1
            offset += 1
        }
        guard headCount == FilePreamble.byteCount else { return true }
        preamble = FilePreamble(parsing: head.span.bytes)
        return preamble != nil
    }
}

import CMnl

// Changes to links, addresses, neighbours and routes, written one behind the other, to be sent in one call.
//
// The kernel carries them out in order and answers each; one that it refuses does not stop those after it. A link that
// is made in a batch can be spoken of in the same batch by its name, or by its index if the batch chose that.

/// Requests to the kernel's routing that are sent together: in one `sendmsg`, or in a few when there are very many.
public struct NetlinkBatch: ~Copyable {
    private var storage: UnsafeMutableRawPointer
    private var capacity = 16_384
    private var byteCount = 0
    /// What each request asks for, in words, for the error that it may get.
    private(set) var requests: [Request] = []

    struct Request {
        let start: Int
        let description: String
    }

    /// The most that one request can take: two ends of a veth, with all that can be said of them.
    private static let roomForOne = 2_048

    public init() {
        storage = Self.emptyStorage(capacity)
    }

    deinit { storage.deallocate() }

    /// How many requests there are.
    public var count: Int { requests.count }

    /// A copy of the octets as they will be sent; the sequence numbers count from zero.
    public var octets: [UInt8] {
        Array(UnsafeRawBufferPointer(start: storage, count: byteCount))
    }

    /// Adds one request that `fill` completes.
    mutating func append(
        _ type: Int, _ flags: Int32, _ description: String, _ fill: (NetlinkMessage) -> Void
    ) {
        if capacity - byteCount < Self.roomForOne { grow() }
        guard let header = mnl_nlmsg_put_header(storage + byteCount) else { return }
        header.pointee.nlmsg_type = UInt16(type)
        header.pointee.nlmsg_flags = UInt16(NLM_F_REQUEST | flags)
        header.pointee.nlmsg_seq = UInt32(requests.count)
        fill(NetlinkMessage(header: header))
        requests.append(Request(start: byteCount, description: description))
        byteCount += (Int(header.pointee.nlmsg_len) + 3) & ~3
    }

    /// Memory of zeros: the library leaves the octets between attributes as they are.
    private static func emptyStorage(_ capacity: Int) -> UnsafeMutableRawPointer {
        let storage = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        storage.initializeMemory(as: UInt8.self, repeating: 0, count: capacity)
        return storage
    }

    private mutating func grow() {
        let larger = Self.emptyStorage(capacity * 2)
        larger.copyMemory(from: storage, byteCount: byteCount)
        storage.deallocate()
        storage = larger
        capacity *= 2
    }

    /// The ranges of requests that one call can carry each: the kernel takes so many octets at once, and its answers
    /// have to fit where they wait.
    var pieces: [Range<Int>] {
        var pieces: [Range<Int>] = []
        var first = 0
        for index in requests.indices {
            let end = end(of: index)
            if end - requests[first].start > 98_304 || index - first == 500 {
                pieces.append(first..<index)
                first = index
            }
        }
        return first < requests.count ? pieces + [first..<requests.count] : pieces
    }

    /// The octets of some of the requests.
    func octets(of piece: Range<Int>) -> UnsafeRawBufferPointer {
        guard !piece.isEmpty else { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let start = requests[piece.lowerBound].start
        return UnsafeRawBufferPointer(start: storage + start, count: end(of: piece.upperBound - 1) - start)
    }

    private func end(of index: Int) -> Int {
        index + 1 < requests.count ? requests[index + 1].start : byteCount
    }

    /// Numbers the requests from `first` on.
    func number(from first: UInt32) {
        for (index, request) in requests.enumerated() {
            let header = (storage + request.start).assumingMemoryBound(to: nlmsghdr.self)
            header.pointee.nlmsg_seq = first &+ UInt32(index)
        }
    }
}

/// Flags of requests that change something.
enum ChangeFlags {
    static let change = NLM_F_ACK
    static let create = NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL
    static let replace = NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE
}

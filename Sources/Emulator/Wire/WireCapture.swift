public import Basics

/// Frames as they passed the first ends of links.
public struct WireCapture: Sendable {
    /// One frame of a capture.
    public struct Frame: Equatable, Sendable {
        public let at: Instant
        /// The link's number on the wire.
        public let link: Int
        fileprivate let range: Range<Int>
    }

    /// In the order in which they passed.
    public private(set) var frames: [Frame] = []
    /// How many were not kept, for want of room.
    public private(set) var missed: UInt64 = 0
    private var storage: [UInt8] = []

    init() {}

    /// The octets of a frame of this capture.
    public func octets(of frame: Frame) -> ArraySlice<UInt8> { storage[frame.range] }

    /// Keeps a frame, where that does not take more room than there is.
    mutating func append(_ octets: UnsafeRawBufferPointer, link: Int, at now: Instant, room: Int) {
        guard storage.count + octets.count <= room else {
            missed &+= 1
            return
        }
        let start = storage.count
        storage.append(contentsOf: octets)
        frames.append(Frame(at: now, link: link, range: start..<storage.count))
    }
}

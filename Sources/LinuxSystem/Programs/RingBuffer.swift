public import Basics
import CBPF
import Glibc

/// The reading end of a ring buffer that programs write records to.
public struct RingBuffer: ~Copyable {
    private let ring: OpaquePointer
    private let sink: UnsafeMutablePointer<Sink>

    /// Where the records of one call of `poll` go.
    private typealias Sink = (RawSpan) -> Void

    /// Becomes the only reader of a ring buffer.
    public init(_ map: borrowing KernelMap) throws(SystemError) {
        guard map.kind == BPF_MAP_TYPE_RINGBUF else {
            throw .refused("read \(map.name)", number: EINVAL, explanation: "it is no ring buffer")
        }
        let sink = UnsafeMutablePointer<Sink>.allocate(capacity: 1)
        sink.initialize(to: { _ in })
        do throws(SystemError) {
            let ring = try explained(
                { ring_buffer__new(map.descriptor.number, receive, sink, nil) }, fails: { $0 == nil },
                "read the ring buffer \(map.name)")
            guard let ring else { throw .refused("read \(map.name)", number: EINVAL, explanation: "") }
            self.ring = ring
            self.sink = sink
        } catch {
            sink.deinitialize(count: 1)
            sink.deallocate()
            throw error
        }
    }

    deinit {
        ring_buffer__free(ring)
        sink.deinitialize(count: 1)
        sink.deallocate()
    }

    /// A descriptor that is readable when there are records, for a loop that waits for many things.
    public var waitable: Int32 { ring_buffer__epoll_fd(ring) }

    /// Hands the records that are there to `body`, after waiting for the first for so long; returns how many.
    @discardableResult
    public mutating func poll(
        waiting timeout: Interval = .zero, _ body: (RawSpan) -> Void
    ) throws(SystemError) -> Int {
        let milliseconds = Int32(clamping: timeout.nanoseconds / 1_000_000)
        let (ring, sink) = (ring, sink)
        let result = withoutActuallyEscaping(body) { body in
            sink.pointee = body
            defer { sink.pointee = { _ in } }
            return ring_buffer__poll(ring, milliseconds)
        }
        if result < 0, errno == EINTR { return 0 }
        return Int(try checked(result, "read a ring buffer"))
    }
}

private func receive(_ context: UnsafeMutableRawPointer?, _ data: UnsafeMutableRawPointer?, _ size: Int) -> Int32 {
    let record = UnsafeRawBufferPointer(start: data, count: size)
    context?.assumingMemoryBound(to: ((RawSpan) -> Void).self).pointee(record.bytes)
    return 0
}

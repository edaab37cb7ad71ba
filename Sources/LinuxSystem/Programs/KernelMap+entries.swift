import CBPF
import Glibc

extension KernelMap {
    /// Hands every entry to `body`, many to a system call, in no particular order.
    ///
    /// Of entries that come and go meanwhile some are seen, and none that stays is missed.
    public func forEachEntry(_ body: (_ key: RawSpan, _ value: RawSpan) -> Void) throws(SystemError) {
        do throws(SystemError) {
            try forEachBatch(body)
        } catch {
            // Some kinds of maps know no batches, and a kernel says so in one of three ways.
            let unsupported: Int32 = 524
            guard [EINVAL, EOPNOTSUPP, unsupported].contains(error.number) else { throw error }
            try forEachKey(body)
        }
    }

    private func forEachBatch(_ body: (RawSpan, RawSpan) -> Void) throws(SystemError) {
        let entrySize = try entrySize
        var room = min(max(maximumEntries, 1), 1_024)
        var keys = [UInt8](repeating: 0, count: room * keySize)
        var values = [UInt8](repeating: 0, count: room * entrySize)
        // Where the walk stands: a bucket's number, or a key.
        var position = [UInt8](repeating: 0, count: max(keySize, 4))
        var hasStarted = false
        while true {
            var count = UInt32(room)
            let result = position.withUnsafeMutableBytes { position in
                bpf_map_lookup_batch(
                    descriptor.number, hasStarted ? position.baseAddress : nil, position.baseAddress, &keys, &values,
                    &count, nil)
            }
            let number = result < 0 ? errno : 0
            if number == EINTR || number == EAGAIN { continue }
            if number == ENOSPC {
                // One bucket holds more entries than there is room for.
                room *= 2
                keys = [UInt8](repeating: 0, count: room * keySize)
                values = [UInt8](repeating: 0, count: room * entrySize)
                continue
            }
            guard number == 0 || number == ENOENT else {
                throw .refused("read the entries of \(name)", number: number, explanation: "")
            }
            for index in 0..<Int(count) {
                let key = keys.span.bytes.extracting(index * keySize..<(index + 1) * keySize)
                body(key, values.span.bytes.extracting(index * entrySize..<(index + 1) * entrySize))
            }
            if number == ENOENT { return }
            hasStarted = true
        }
    }

    private func forEachKey(_ body: (RawSpan, RawSpan) -> Void) throws(SystemError) {
        var key = [UInt8](repeating: 0, count: keySize)
        var value = [UInt8](repeating: 0, count: try entrySize)
        var isFirst = true
        // A key that is removed meanwhile sends the walk back to the start, which must not go on for ever.
        for _ in 0..<(4 * maximumEntries + 16) {
            let previous = key
            var next = key.mutableSpan
            var nextOctets = next.mutableBytes
            guard try nextKey(after: isFirst ? nil : previous.span.bytes, into: &nextOctets) else { return }
            isFirst = false
            var values = value.mutableSpan
            var valueOctets = values.mutableBytes
            if try read(key.span.bytes, into: &valueOctets) { body(key.span.bytes, value.span.bytes) }
        }
    }
}

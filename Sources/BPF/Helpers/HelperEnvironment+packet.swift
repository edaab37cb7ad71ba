// Helpers on the packet; their limits are those of Linux 6.18.
extension HelperEnvironment {
    /// Where an address of the packet lies in the buffer.
    private func offset(_ address: UInt32) -> Int {
        Int(address) - Int(AddressSpace.address(of: AddressSpace.packet))
    }

    private func address(_ offset: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: AddressSpace.address(of: AddressSpace.packet)) + UInt32(offset)
    }

    /// Shows a frame to the program.
    mutating func present(
        frame: Range<Int>, of count: Int, at base: UnsafeMutableRawPointer, ingress: UInt32, queue: UInt32
    ) {
        let start = max(0, frame.lowerBound - PacketBounds.headroom)
        let end = max(frame.upperBound, min(count, start + PacketBounds.largest))
        packet = PacketBounds(base: base, start: start, end: end)
        let data = address(frame.lowerBound)
        context.pointee = XDPContext(
            data: data, dataEnd: address(frame.upperBound), dataMeta: data, ingress: ingress, queue: queue)
        redirect = nil
    }

    /// The frame as it is now, and the metadata in front of it.
    var frame: (range: Range<Int>, metadataCount: Int) {
        let context = context.pointee
        return (offset(context.data)..<offset(context.dataEnd), Int(context.data - context.dataMeta))
    }

    /// Carries out `bpf_xdp_adjust_head(context, delta)`.
    ///
    /// Metadata moves along.
    mutating func adjustHead(by delta: Int) -> UInt64 {
        let (range, metadata) = frame
        let start = range.lowerBound + delta
        guard start >= packet.start + PacketBounds.reserved + metadata,
            start <= range.upperBound - PacketBounds.shortestFrame
        else { return MapError.invalidArgument.answer }
        if metadata > 0, let base = packet.base {
            (base + start - metadata).copyMemory(from: base + range.lowerBound - metadata, byteCount: metadata)
        }
        context.pointee.data = address(start)
        context.pointee.dataMeta = address(start - metadata)
        return 0
    }

    /// Carries out `bpf_xdp_adjust_tail(context, delta)`.
    ///
    /// What is new is zero.
    mutating func adjustTail(by delta: Int, _ memory: AddressSpace) -> UInt64 {
        let range = frame.range
        let end = range.upperBound + delta
        guard end <= packet.end, end >= range.lowerBound + PacketBounds.shortestFrame, let base = packet.base else {
            return MapError.invalidArgument.answer
        }
        if delta > 0 {
            (base + range.upperBound).initializeMemory(as: UInt8.self, repeating: 0, count: delta)
        }
        context.pointee.dataEnd = address(end)
        memory.place(base, count: end, at: AddressSpace.packet, isWritable: true)
        return 0
    }

    /// Carries out `bpf_xdp_adjust_meta(context, delta)`.
    mutating func adjustMeta(by delta: Int) -> UInt64 {
        let (range, metadata) = frame
        let start = range.lowerBound - metadata + delta
        guard start >= packet.start + PacketBounds.reserved, start <= range.lowerBound else {
            return MapError.invalidArgument.answer
        }
        let count = range.lowerBound - start
        guard count % 4 == 0, count <= 252 else { return MapError.denied.answer }
        context.pointee.dataMeta = address(start)
        return 0
    }

    /// Carries out `bpf_xdp_load_bytes(context, offset, buffer, length)` and `bpf_xdp_store_bytes`.
    mutating func copyBytes(
        _ r: Registers, _ memory: AddressSpace, storing: Bool
    ) throws(HelperFault) -> UInt64 {
        let (offset, count) = (Int(r[2] & 0xFFFF_FFFF), Int(r[4] & 0xFFFF_FFFF))
        guard let buffer = storing ? memory.readable(r[3], count: count) : memory.writable(r[3], count: count) else {
            throw HelperFault(.badAddress)
        }
        guard offset <= 0xFFFF, count <= 0xFFFF else { return MapError.badAddress.answer }
        let range = frame.range
        guard offset + count <= range.count, let base = packet.base else { return MapError.invalidArgument.answer }
        let place = base + range.lowerBound + offset
        if storing {
            place.copyMemory(from: buffer, byteCount: count)
        } else {
            buffer.copyMemory(from: place, byteCount: count)
        }
        return 0
    }

    /// `bpf_csum_diff(from, from_size, to, to_size, seed)`, folded to 16 bits as Linux does since 6.13.
    mutating func checksumDifference(_ r: Registers, _ memory: AddressSpace) throws(HelperFault) -> UInt64 {
        let (fromCount, toCount) = (Int(r[2] & 0xFFFF_FFFF), Int(r[4] & 0xFFFF_FFFF))
        let seed = UInt32(truncatingIfNeeded: r[5])
        func sum(_ address: UInt64, _ count: Int, _ start: UInt32) throws(HelperFault) -> UInt32 {
            guard let octets = memory.readable(address, count: count) else { throw HelperFault(.badAddress) }
            return partialSum(octets, count, start)
        }
        var result = seed
        if fromCount > 0, toCount > 0 {
            let added = try sum(r[3], toCount, seed)
            result = endAroundSum(added, ~(try sum(r[1], fromCount, 0)))
        } else if toCount > 0 {
            result = try sum(r[3], toCount, seed)
        } else if fromCount > 0 {
            result = ~(try sum(r[1], fromCount, ~seed))
        }
        let folded = (result & 0xFFFF) + (result >> 16)
        return UInt64((folded & 0xFFFF) + (folded >> 16))
    }
}

/// The sum of octets as little-endian words, every carry brought round at 32 bits.
private func partialSum(_ octets: UnsafeMutableRawPointer, _ count: Int, _ start: UInt32) -> UInt32 {
    var sum = UInt64(start)
    var offset = 0
    while offset &+ 4 <= count {
        sum &+= UInt64(octets.loadUnaligned(fromByteOffset: offset, as: UInt32.self))
        offset &+= 4
    }
    var rest: UInt64 = 0
    for place in offset..<count {
        rest |= UInt64(octets.load(fromByteOffset: place, as: UInt8.self)) << UInt64(8 * (place - offset))
    }
    sum &+= rest
    sum = (sum & 0xFFFF_FFFF) + (sum >> 32)
    return UInt32(truncatingIfNeeded: (sum & 0xFFFF_FFFF) + (sum >> 32))
}

private func endAroundSum(_ left: UInt32, _ right: UInt32) -> UInt32 {
    let sum = UInt64(left) + UInt64(right)
    return UInt32(truncatingIfNeeded: (sum & 0xFFFF_FFFF) + (sum >> 32))
}

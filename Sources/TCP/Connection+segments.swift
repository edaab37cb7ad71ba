import Basics
public import Wire

extension Connection {
    /// Which options a segment carries beside the timestamps.
    enum Options {
        case none
        case synchronization
        case selectiveAcknowledgments
    }

    /// The milliseconds of the timestamps option (RFC 7323 §5.4).
    @inline(__always)
    func timestamp(at now: Instant) -> UInt32 {
        UInt32(truncatingIfNeeded: now.nanoseconds / 1_000_000) &+ configuration.timestampOffset
    }

    /// Writes one segment, with the octets of `payload` from the send buffer; an empty one gives only the place.
    mutating func emit(
        _ flags: TCPFlags, _ payload: Extent, options: Options = .none, at now: Instant, into output: inout Output
    ) {
        var writer = SegmentWriter(source: local.port, destination: remote.port)
        let window = windowField(isSynchronization: flags.contains(.synchronize))
        writer.setFixed(
            sequence: sendSpace.number(at: payload.start),
            acknowledgment: flags.contains(.acknowledge) ? receiveSpace.number(at: nextToReceive) : 0,
            flags: flags, window: window)
        switch options {
        case .synchronization: appendHandshakeOptions(to: &writer, at: now)
        case .none where usesTimestamps: writer.appendTimestamps(timestamp(at: now), echo: recentTimestamp)
        case .none: break
        case .selectiveAcknowledgments:
            if usesTimestamps { writer.appendTimestamps(timestamp(at: now), echo: recentTimestamp) }
            appendBlocks(to: &writer)
        }
        writer.finish(
            pseudoHeaderSum: pseudoHeaderSum, payloadByteCount: payload.byteCount,
            payloadSum: sendBuffer.onesComplementSum(payload))
        let start = output.arena.count
        writer.append(to: &output.arena)
        sendBuffer.append(payload, to: &output.arena)
        output.append(.segment(ByteRange(start: start, count: output.arena.count - start)))
        counts.segmentsSent &+= 1
        if flags.contains(.acknowledge) {
            acknowledgment.noteSent(nextToReceive)
            timers.acknowledgment = .never
        }
    }

    /// Sends an ACK without data, with what is held out of order.
    mutating func emitAcknowledgment(at now: Instant, into output: inout Output) {
        emit(
            .acknowledge, Extent(emptyAt: nextToSend), options: .selectiveAcknowledgments, at: now, into: &output)
    }

    private func appendHandshakeOptions(to writer: inout SegmentWriter, at now: Instant) {
        let answers = state == .synchronizeReceived
        writer.appendMaximumSegmentSize(UInt16(clamping: pathSegmentSize))
        if answers ? usesSelectiveAcknowledgments : configuration.offersSelectiveAcknowledgments {
            writer.appendSelectiveAcknowledgmentPermitted()
        }
        if answers ? usesTimestamps : configuration.offersTimestamps {
            writer.appendTimestamps(timestamp(at: now), echo: recentTimestamp)
        }
        if answers ? usesWindowScale : configuration.offersWindowScale {
            writer.appendWindowScale(receiveWindowScale)
        }
    }

    /// Writes the blocks of RFC 2018 §4: first a duplicate (RFC 2883), then the runs, the latest first.
    private mutating func appendBlocks(to writer: inout SegmentWriter) {
        guard usesSelectiveAcknowledgments else { return }
        let limit = usesTimestamps ? 3 : 4
        let duplicateCount = acknowledgment.duplicate == nil ? 0 : 1
        let count = min(limit, duplicateCount + reassembly.recentCount)
        guard count > 0 else { return }
        writer.beginBlocks(count: count)
        if let duplicate = acknowledgment.duplicate {
            acknowledgment.duplicate = nil
            writer.appendBlock(block(duplicate))
        }
        for index in 0..<count - duplicateCount { writer.appendBlock(block(reassembly.recentExtent(index))) }
    }

    private func block(_ extent: Extent) -> SACKBlock {
        SACKBlock(start: receiveSpace.number(at: extent.start), end: receiveSpace.number(at: extent.end))
    }

    /// Moves the edge of the window and gives what stands in the header.
    ///
    /// The edge moves in steps that are worth it (RFC 9293 §3.8.6.2.2) and never back. What the scale cuts off is
    /// not offered, though it would be taken: rounding up would open the window by a little with every segment.
    private mutating func windowField(isSynchronization: Bool) -> UInt16 {
        let edge = nextToReceive &+ max(0, configuration.receiveBufferByteCount &- unconsumedByteCount)
        let step = min(configuration.receiveBufferByteCount / 2, segmentSize)
        if edge &- receiveWindowEdge >= step || !consumesExplicitly { receiveWindowEdge = max(receiveWindowEdge, edge) }
        let window = receiveWindowEdge &- nextToReceive
        guard isSynchronization else {
            return UInt16(clamping: window >> Int(usesWindowScale ? receiveWindowScale : 0))
        }
        return UInt16(clamping: window)
    }

    /// The largest payload for the path, options not counted.
    var pathSegmentSize: Int { pathMTU - (local.address.isIPv4 ? 40 : 60) }

    static func pseudoHeaderSum(_ source: IPAddress, _ destination: IPAddress) -> UInt64 {
        var checksum = Checksum()
        checksum.addPseudoHeader(source: source, destination: destination, protocolNumber: 6, byteCount: 0)
        return UInt64(~checksum.value)
    }
}

extension Connection {
    /// Writes the RST that answers a segment of no connection (RFC 9293 §3.10.7.1); nothing answers a RST.
    public static func appendReset(
        answering header: TCPHeader, payloadByteCount: Int, local: SocketAddress, remote: SocketAddress,
        into output: inout Output
    ) {
        guard !header.flags.contains(.reset) else { return }
        var writer = SegmentWriter(source: local.port, destination: remote.port)
        if header.flags.contains(.acknowledge) {
            writer.setFixed(sequence: header.acknowledgment, acknowledgment: 0, flags: .reset, window: 0)
        } else {
            let length = UInt32(truncatingIfNeeded: header.sequenceLength(payloadByteCount: payloadByteCount))
            writer.setFixed(
                sequence: 0, acknowledgment: header.sequence &+ length, flags: [.reset, .acknowledge], window: 0)
        }
        writer.finish(
            pseudoHeaderSum: pseudoHeaderSum(local.address, remote.address), payloadByteCount: 0, payloadSum: 0)
        let start = output.arena.count
        writer.append(to: &output.arena)
        output.append(.segment(ByteRange(start: start, count: output.arena.count - start)))
    }
}

extension TCPHeader {
    /// How much of the sequence space the segment takes: SYN and FIN count one each.
    func sequenceLength(payloadByteCount: Int) -> Int {
        payloadByteCount + (flags.contains(.synchronize) ? 1 : 0) + (flags.contains(.finish) ? 1 : 0)
    }

    /// Whether the checksum over a whole segment, header and payload, is right (RFC 9293 §3.1).
    public static func isIntact(_ segment: RawSpan, source: IPAddress, destination: IPAddress) -> Bool {
        var sum = Checksum()
        sum.addPseudoHeader(
            source: source, destination: destination, protocolNumber: 6, byteCount: segment.byteCount)
        sum.add(segment)
        return sum.value == 0
    }
}

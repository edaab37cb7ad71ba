public import Basics
import CPcap
import Glibc
public import Scenario
public import Traffic
import Wire

/// One packet of a captured conversation.
public struct ReplayedPacket: Equatable, Sendable {
    /// After the conversation's first packet.
    public let offset: Interval
    /// Whether the client sent it.
    public let isForward: Bool
    /// The payload with which a datagram is as long on the wire as the captured packet was.
    public let payloadByteCount: Int
    /// The transport's payload, as far as it was captured; at most `payloadByteCount` octets of it are sent.
    public let payload: [UInt8]

    public init(offset: Interval, isForward: Bool, payloadByteCount: Int, payload: [UInt8]) {
        self.offset = offset
        self.isForward = isForward
        self.payloadByteCount = payloadByteCount
        self.payload = payload
    }
}

/// Finds the conversation in a capture, for traffic that repeats it.
///
/// Reads pcap and pcapng, with microseconds or nanoseconds, of Ethernet, raw IP, Linux
/// cooked and loopback frames. The conversation is that of the two hosts that exchanged the
/// most packets; its client sent the first SYN of TCP, or else the first packet.
public enum PcapReader {
    /// The most packets that are read of one capture.
    static let packetLimit = 2_000_000

    /// What a damaged clock in a capture cannot exceed.
    private static let longestConversation = Interval.seconds(1_000_000)

    /// The conversation's packets in order of time.
    public static func conversation(in capture: CaptureFile) throws(ResultsError) -> [ReplayedPacket] {
        let packets = try packets(in: capture)
        guard let pair = busiestPair(packets) else {
            throw ResultsError(capture.path, "this capture holds no IP packets, so there is nothing to replay")
        }
        let members = packets.filter { Pair($0.packet) == pair }
        let opening = members.first { $0.packet.opensConnection } ?? members.first
        let client = opening?.packet.source ?? pair.lower
        var ordered = members.enumerated().map { ($0.element.at, $0.offset) }
        ordered.sort { ($0.0, $0.1) < ($1.0, $1.1) }
        let start = ordered.first?.0 ?? .zero
        return ordered.map { at, index in
            let packet = members[index].packet
            // A UDP header takes 8 octets of what followed the IP header.
            let room = max(0, packet.byteCountBehindHeader - 8)
            return ReplayedPacket(
                offset: min(max(at - start, .zero), longestConversation), isForward: packet.source == client,
                payloadByteCount: room,
                payload: Array(packet.payload.prefix(room)))
        }
    }

    /// The conversation as traffic takes it.
    public static func script(of capture: CaptureFile) throws(ResultsError) -> ReplayScript {
        var script = ReplayScript()
        for packet in try conversation(in: capture) {
            script.append(
                at: packet.offset, packet.isForward ? .forward : .backward,
                payloadByteCount: packet.payloadByteCount, payload: packet.payload)
        }
        return script
    }

    private typealias TimedPacket = (at: Interval, packet: CapturedPacket)

    private static func packets(in capture: CaptureFile) throws(ResultsError) -> [TimedPacket] {
        if let reason = whyUnreadable(capture.bytes) { throw ResultsError(capture.path, reason) }
        // libpcap closes the stream, and the stream never writes: the copy is its own.
        var bytes = capture.bytes
        var result: [TimedPacket] = []
        var failure: String?
        bytes.withUnsafeMutableBytes { buffer in
            failure = read(buffer, into: &result)
        }
        if let failure { throw ResultsError(capture.path, failure) }
        return result
    }

    private static func whyUnreadable(_ bytes: [UInt8]) -> String? {
        if bytes.isEmpty { return "this file is empty; a capture in pcap or pcapng format is needed" }
        if bytes.starts(with: [0x1F, 0x8B]) { return "this capture is compressed; unpack it with gunzip first" }
        if bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD]) {
            return "this capture is compressed; unpack it with unzstd first"
        }
        return nil
    }

    /// Reads every IP packet; answers what is wrong, where something is.
    private static func read(_ buffer: UnsafeMutableRawBufferPointer, into result: inout [TimedPacket]) -> String? {
        guard let stream = fmemopen(buffer.baseAddress, buffer.count, "rb") else { return systemWords(errno) }
        var message = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard
            let context = pcap_fopen_offline_with_tstamp_precision(
                stream, UInt32(PCAP_TSTAMP_PRECISION_NANO), &message)
        else {
            fclose(stream)
            return "this is no capture in pcap or pcapng format (\(text(message)))"
        }
        defer { pcap_close(context) }
        guard let layer = LinkLayer(pcap_datalink(context)) else {
            let name = pcap_datalink_val_to_name(pcap_datalink(context)).map { String(cString: $0) }
            return "its frames are of type \(name ?? "\(pcap_datalink(context))"); Ethernet, raw IP, Linux cooked "
                + "and loopback frames can be replayed"
        }
        var header: UnsafeMutablePointer<pcap_pkthdr>?
        var octets: UnsafePointer<UInt8>?
        var frameCount = 0
        while true {
            let answer = pcap_next_ex(context, &header, &octets)
            if answer == PCAP_ERROR_BREAK { return nil }
            guard answer == 1, let header, let octets else {
                return "packet \(frameCount + 1) cannot be read: \(String(cString: pcap_geterr(context)))"
            }
            frameCount += 1
            guard frameCount <= packetLimit else { return "more than \(packetLimit) packets are too many to replay" }
            let frame = Array(UnsafeBufferPointer(start: octets, count: Int(header.pointee.caplen)))
            guard let body = layer.packet(in: frame[...]), let packet = CapturedPacket(body) else { continue }
            result.append((time(of: header.pointee.ts), packet))
        }
    }

    private static func time(of stamp: timeval) -> Interval {
        // The fields are the file's: no sum of them may trap.
        Interval(nanoseconds: Int64(stamp.tv_sec) &* 1_000_000_000 &+ Int64(stamp.tv_usec))
    }

    private static func text(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Two hosts, whoever sends.
    private struct Pair: Hashable {
        let lower: IPAddress
        let upper: IPAddress

        init(_ packet: CapturedPacket) {
            lower = min(packet.source, packet.destination)
            upper = max(packet.source, packet.destination)
        }
    }

    /// The pair with the most packets, of several the one that was seen first.
    private static func busiestPair(_ packets: [TimedPacket]) -> Pair? {
        var places: [Pair: Int] = [:]
        var counts: [(pair: Pair, count: Int)] = []
        for (_, packet) in packets {
            let pair = Pair(packet)
            if let place = places[pair] {
                counts[place].count += 1
            } else {
                places[pair] = counts.count
                counts.append((pair, 1))
            }
        }
        var best: (pair: Pair, count: Int)?
        for candidate in counts where candidate.count > (best?.count ?? 0) { best = candidate }
        return best?.pair
    }
}

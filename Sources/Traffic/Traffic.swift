// What applications put on the network, and how well it arrives.
//
// Way in: an ``ApplicationProfile`` says what a flow carries. For datagrams a
// ``DatagramGenerator`` names every departure of one end, its instant and its octets;
// for streams a client (``WebSession``, ``FileSender``) says what to open, write and
// close, and a server (``ExchangeServer``, ``FileReceiver``) answers it. Nothing here
// knows a socket: the end host of `Endpoints` joins these to its host's.
//
// Way out: the receiving end of each direction keeps a ``FlowMeter``, the sending one a
// ``SendMeter``; their reports, merged, are the source of every `traffic.*` metric.
//
// Every datagram carries a ``MeasuringStamp``, every stream begins by naming its flow.
//
// A new application of datagrams is a file with its profile and its generator, and a
// case in ``ApplicationProfile`` and ``DatagramGenerator``.
//
// Sources: RFC 3550 (RTP, jitter), RFC 4737 (reordering), RFC 9112 (HTTP/1.1),
// ITU-T G.107 (voice), Barford and Crovella, "Generating representative web workloads"
// (SIGMETRICS 1998).

/// Which way octets go, as seen from the flow's source.
public enum FlowDirection: UInt8, CaseIterable, Comparable, Codable, Sendable, BitwiseCopyable {
    /// From the source to the sink.
    case forward
    case backward

    public static func < (left: FlowDirection, right: FlowDirection) -> Bool { left.rawValue < right.rawValue }

    public var opposite: FlowDirection { self == .forward ? .backward : .forward }
}

/// Which end of a flow a host is: the one that begins it, or the one that answers.
public enum FlowRole: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case source
    case sink

    /// The direction in which this end sends.
    public var sends: FlowDirection { self == .source ? .forward : .backward }

    /// The direction in which this end receives.
    public var receives: FlowDirection { sends.opposite }
}

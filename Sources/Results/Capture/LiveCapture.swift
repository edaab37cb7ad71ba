import CPcap
import Glibc

/// The packets of an interface of the calling thread's namespace, as they come.
public struct LiveCapture: ~Copyable {
    private let interface: String
    private let session: OpaquePointer

    /// Opens an interface.
    public init(of interface: String) throws(ResultsError) {
        var reason = [CChar](repeating: 0, count: Int(PCAP_ERRBUF_SIZE))
        guard let session = pcap_create(interface, &reason) else {
            throw ResultsError(interface, Self.text(reason))
        }
        pcap_set_snaplen(session, 262_144)
        pcap_set_promisc(session, 1)
        pcap_set_immediate_mode(session, 1)
        pcap_set_timeout(session, 100)
        pcap_set_tstamp_precision(session, PCAP_TSTAMP_PRECISION_NANO)
        let status = pcap_activate(session)
        guard status >= 0, pcap_setnonblock(session, 1, &reason) == 0 else {
            let words = pcap_geterr(session).map { String(cString: $0) } ?? ""
            pcap_close(session)
            throw ResultsError(interface, words)
        }
        self.interface = interface
        self.session = session
    }

    deinit { pcap_close(session) }

    /// Writes packets as a pcap file to a descriptor, until there were so many, the reader is gone, or `isEnding`.
    public mutating func copy(
        toDescriptor descriptor: Int32, atMost limit: Int, isEnding: () -> Bool
    ) throws(ResultsError) {
        signal(SIGPIPE, SIG_IGN)
        let duplicate = dup(descriptor)
        guard duplicate >= 0, let stream = fdopen(duplicate, "w"), let file = pcap_dump_fopen(session, stream) else {
            throw ResultsError(interface, "the output cannot be written to")
        }
        defer { pcap_dump_close(file) }
        pcap_dump_flush(file)
        var count = 0
        while count < limit, !isEnding() {
            var poll = pollfd(fd: pcap_get_selectable_fd(session), events: Int16(POLLIN), revents: 0)
            _ = Glibc.poll(&poll, 1, 200)
            var header: UnsafeMutablePointer<pcap_pkthdr>?
            var octets: UnsafePointer<UInt8>?
            while count < limit, pcap_next_ex(session, &header, &octets) == 1 {
                pcap_dump(UnsafeMutablePointer<UInt8>(file), header, octets)
                count += 1
            }
            if pcap_dump_flush(file) != 0 { return }
        }
    }

    private static func text(_ reason: [CChar]) -> String {
        String(decoding: reason.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

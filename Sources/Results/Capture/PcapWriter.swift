public import Basics
import CPcap
import Glibc

/// Writes frames into a capture file that Wireshark opens.
///
/// The file is a nanosecond pcap of Ethernet frames. Its clock is the run's: 0 is the
/// start of the run, which Wireshark shows as the start of 1970. Equal frames make equal files.
public struct PcapWriter: ~Copyable {
    /// Where a capture is written to, made by ``ResultsFolder/openCaptures(ofLinks:)``.
    public struct Path: Equatable, Sendable {
        public let path: String

        public init(_ path: String) {
            self.path = path
        }
    }

    private let path: String
    private let context: OpaquePointer
    private let file: OpaquePointer
    /// How many frames have been written.
    public private(set) var frameCount: UInt64 = 0

    /// Creates the file, and replaces one that is there.
    public init(to path: Path) throws(ResultsError) {
        let precision = UInt32(PCAP_TSTAMP_PRECISION_NANO)
        guard let context = pcap_open_dead_with_tstamp_precision(DLT_EN10MB, 262_144, precision) else {
            throw ResultsError(path.path, "libpcap has no memory left")
        }
        guard let file = pcap_dump_open(context, path.path) else {
            let reason = String(cString: pcap_geterr(context))
            pcap_close(context)
            throw ResultsError(path.path, reason)
        }
        self.path = path.path
        self.context = context
        self.file = file
    }

    deinit {
        pcap_dump_close(file)
        pcap_close(context)
    }

    /// Adds one frame; frames come in order of time.
    public mutating func write(_ frame: RawSpan, at now: Instant) {
        var header = pcap_pkthdr()
        header.ts.tv_sec = Int(now.nanoseconds / 1_000_000_000)
        // With nanosecond precision this field holds nanoseconds, whatever its name says.
        header.ts.tv_usec = Int(now.nanoseconds % 1_000_000_000)
        header.caplen = UInt32(truncatingIfNeeded: frame.byteCount)
        header.len = header.caplen
        frame.withUnsafeBytes { bytes in
            let start = bytes.bindMemory(to: UInt8.self).baseAddress
            pcap_dump(UnsafeMutableRawPointer(file).assumingMemoryBound(to: UInt8.self), &header, start)
        }
        frameCount += 1
    }

    /// Brings everything to the file, and says whether all of it could be written.
    public mutating func flush() throws(ResultsError) {
        let isWritten = pcap_dump_flush(file) == 0
        guard isWritten, ferror(pcap_dump_file(file)) == 0 else { throw ResultsError(path, systemWords(errno)) }
    }

    /// The files' names for these links: `branch:wan-a--isp-a` is `branch_wan-a--isp-a.pcap`.
    ///
    /// Whatever is no letter, digit, `.`, `-` or `_` becomes `_`; names that would be the same are numbered.
    public static func fileNames(ofLinks names: [String]) -> [String] {
        var taken: Set<String> = []
        return names.map { name in
            let stem = FileName.safe(name)
            var candidate = "\(stem).pcap"
            var number = 2
            while !taken.insert(candidate.lowercased()).inserted {
                candidate = "\(stem)-\(number).pcap"
                number += 1
            }
            return candidate
        }
    }
}

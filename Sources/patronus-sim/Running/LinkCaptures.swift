import Emulator
import Results
import Simulator

/// The capture files of a run, one for each captured link.
final class LinkCaptures {
    /// A file of its own, since an array cannot hold what cannot be copied.
    private final class Capture {
        var writer: PcapWriter

        init(_ path: PcapWriter.Path) throws(ResultsError) {
            writer = try PcapWriter(to: path)
        }
    }

    /// By the link's index.
    private var captures: [Capture?] = []

    /// Opens a file for each of these links, which are given by their indices.
    init(_ links: [Int], at paths: [PcapWriter.Path]) throws(ResultsError) {
        captures = Array(repeating: nil, count: (links.max() ?? -1) + 1)
        for (link, path) in zip(links, paths) { captures[link] = try Capture(path) }
    }

    /// Writes the frames to their files.
    func take(_ frames: borrowing CaptureBuffer) {
        for frame in frames.frames where captures.indices.contains(frame.linkIndex) {
            captures[frame.linkIndex]?.writer.write(frames.bytes(frame), at: frame.at)
        }
    }

    /// Writes the frames to their files; `links` has the link of each of the wire's.
    func take(_ frames: WireCapture, links: [Int]) {
        for frame in frames.frames where captures.indices.contains(links[frame.link]) {
            captures[links[frame.link]]?.writer.write(frames.octets(of: frame).span.bytes, at: frame.at)
        }
    }

    /// Brings everything to the files.
    func flush() throws(ResultsError) {
        for capture in captures { try capture?.writer.flush() }
    }
}

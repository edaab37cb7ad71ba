// What is left of a run: a folder that people look at and programs read.
//
// Way in: ``RunResults`` joins what a host recorded with what was concluded from it. A
// ``ResultsFolder`` writes it all beside its target and takes the target's place only
// when everything is there. ``PcapWriter`` takes frames while the run lasts.
//
// Way out: `summary.json` (``RunResults/summaryJSON``), `run.sqlite` (``RunDatabase``,
// whose tables `results/README.md` explains), `report.html` (``ReportPage``, drawn from a
// ``ReportModel`` that lies in the database, so that the folder alone is enough to draw it
// again), `pcap/LINK.pcap`, and a JUnit file. ``StoredRun`` reads a folder back,
// ``RunComparison`` holds two of them side by side.
//
// ``PcapReader`` goes the other way: it turns somebody's capture into a conversation that
// traffic can repeat.

/// Why results could not be written or read, in the user's words.
public struct ResultsError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The file or folder that it is about.
    public let path: String
    /// What is wrong with it, and what would be right.
    public let text: String

    init(_ path: String, _ text: String) {
        self.path = path
        self.text = text
    }

    public var description: String { "\(path): \(text)" }
}

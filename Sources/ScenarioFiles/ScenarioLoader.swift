// Reads scenario and topology files, with everything that they name, and judges them.
//
// Way in: a path and a `FileSource`. JSON goes through a strict scanner of our own
// (RFC 8259), YAML through Yams; both give one tree of values with their places.
// Decoders walk the tree with cursors that know path and place, and collect all
// faults before anything is given up. Way out: `LoadedScenario` with the octets of
// every file that was read, so that a stored run can be repeated without them, or
// `Faults`, one line each, `FILE:LINE:COLUMN: PATH: what is wrong; what would be right`.

public import Scenario

/// A scenario with the files that it was built from.
public struct LoadedScenario: Sendable {
    public var scenario: Scenario
    /// Every file that was read, the scenario's own first.
    public var inputs: [InputFile]
    /// What the files ask for and this version does not do.
    public var warnings: [Fault]
}

/// A topology with the files that it was built from.
public struct LoadedTopology: Sendable {
    public var topology: Topology
    /// Every file that was read, the topology's own first.
    public var inputs: [InputFile]
    /// What the files ask for and this version does not do.
    public var warnings: [Fault]
}

/// What a file turned out to be.
public enum FileKind: String, Sendable {
    case scenario
    case topology
}

/// What is said of a file that was only checked.
public struct CheckedFile: Sendable {
    /// Nil where the file is no object at all.
    public var kind: FileKind?
    public var faults: Faults
    public var warnings: [Fault]
}

/// Loads scenarios and topologies from the disk, or again from what a run has stored.
public struct ScenarioLoader: Sendable {
    public let source: FileSource

    public init(_ source: FileSource = .disk) {
        self.source = source
    }

    /// The scenario in a file, with its topology and all other files that it names.
    public func load(_ path: String) throws(Faults) -> LoadedScenario {
        let session = LoadingSession(source: source)
        let root = session.document(FilePath.normalized(path))
        let scenario = root.flatMap { ScenarioDecoder.decode($0, session: session) }
        guard let scenario, session.log.isClean else { throw session.log.sortedFaults() }
        return LoadedScenario(
            scenario: scenario, inputs: session.inputs, warnings: session.log.sortedWarnings())
    }

    /// The topology in a file.
    public func loadTopology(_ path: String) throws(Faults) -> LoadedTopology {
        let session = LoadingSession(source: source)
        let root = session.document(FilePath.normalized(path))
        let decoded = root.flatMap { TopologyDecoder.decode($0, session: session) }
        guard let topology = decoded?.topology, session.log.isClean else { throw session.log.sortedFaults() }
        return LoadedTopology(
            topology: topology, inputs: session.inputs, warnings: session.log.sortedWarnings())
    }

    /// Judges a file of either kind; a scenario's topology is judged with it.
    public func check(_ path: String) -> CheckedFile {
        let session = LoadingSession(source: source)
        let root = session.document(FilePath.normalized(path))
        let kind = root.flatMap { Self.kind(of: $0.node) }
        switch (root, kind) {
        case (let root?, .topology): _ = TopologyDecoder.decode(root, session: session)
        case (let root?, .scenario): _ = ScenarioDecoder.decode(root, session: session)
        case (let root?, nil): root.mismatch("a scenario or a topology, an object { … }")
        case (nil, _): break
        }
        return CheckedFile(
            kind: kind, faults: session.log.sortedFaults(), warnings: session.log.sortedWarnings())
    }

    /// A file is what most of its keys belong to; a scenario where neither wins.
    private static func kind(of node: DocumentNode) -> FileKind? {
        guard case .object(let members) = node.value else { return nil }
        let keys = members.map(\.key)
        let topology = keys.count { KnownKeys.topology.contains($0) && !KnownKeys.scenario.contains($0) }
        let scenario = keys.count { KnownKeys.scenario.contains($0) && !KnownKeys.topology.contains($0) }
        return topology > scenario ? .topology : .scenario
    }
}

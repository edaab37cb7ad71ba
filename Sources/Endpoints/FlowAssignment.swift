public import Basics
public import Traffic
public import Wire

/// One end of one flow, given to an ``EndHost``.
public struct FlowAssignment: Equatable, Sendable {
    /// The flow's number in the run, the same at both ends and from 1 up.
    public var flow: UInt32
    public var role: FlowRole
    public var application: ApplicationProfile
    /// Where datagrams are sent from and arrive, and where a sink listens for streams;
    /// a source's streams take only the address from it.
    public var local: SocketAddress
    public var remote: SocketAddress
    public var start: Instant
    /// Nothing is sent from here on, and transfers under way are given up.
    public var stop: Instant

    public init(
        flow: UInt32, role: FlowRole, application: ApplicationProfile, local: SocketAddress, remote: SocketAddress,
        start: Instant, stop: Instant
    ) {
        self.flow = flow
        self.role = role
        self.application = application
        self.local = local
        self.remote = remote
        self.start = start
        self.stop = stop
    }
}

/// What an ``EndHost`` does in a run.
public struct EndHostConfiguration: Equatable, Sendable {
    /// The host's name in the topology, by which its random streams are told from others'.
    public var name: String
    public var flows: [FlowAssignment]
    public var recordInterval: Interval

    public init(name: String, flows: [FlowAssignment], recordInterval: Interval = .milliseconds(100)) {
        self.name = name
        self.flows = flows
        self.recordInterval = recordInterval
    }
}

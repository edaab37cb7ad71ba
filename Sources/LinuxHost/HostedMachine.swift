public import Basics
public import Endpoints
public import Machine
public import Node

/// What a host can drive: the shape of every machine.
public protocol HostedMachine: ~Copyable {
    mutating func handle(_ event: borrowing Event, at now: Instant, into outbox: inout Outbox)
    var nextDeadline: Deadline? { get }
}

extension Node: HostedMachine {}
extension EndHost: HostedMachine {}

public import Basics
public import Endpoints
public import Machine
public import Node
import Wire

/// What a host can drive: the shape of every machine.
public protocol HostedMachine: ~Copyable {
    mutating func handle(_ event: borrowing Event, at now: Instant, into outbox: inout Outbox)
    var nextDeadline: Deadline? { get }
    /// Why packets to a prefix, or an address, go where they go, in lines; empty where nothing is known of it.
    func explanation(ofRoute route: String) -> [String]
}

extension HostedMachine where Self: ~Copyable {
    /// Most machines have no say in it.
    public func explanation(ofRoute route: String) -> [String] { [] }
}

extension Node: HostedMachine {
    public func explanation(ofRoute route: String) -> [String] {
        let prefix = IPPrefix(route) ?? IPAddress(route).flatMap { bestPrefix(for: $0) }
        return prefix.map { explanation(of: $0) } ?? []
    }
}

extension EndHost: HostedMachine {}

public import Scenario
import Telemetry

/// What came of the packets of one scripted attack.
public struct AttackFigures: Equatable, Sendable {
    /// The event of the scenario, by index.
    public var event: Int
    public var sent: UInt64
    /// Packets that arrived at a node, and so met its data plane.
    public var reachedNodes: UInt64
    public var policed: UInt64
    public var denied: UInt64

    /// The share of what reached a node that went no further; nil where nothing did.
    public var shareRefused: Double? {
        reachedNodes > 0 ? Double(policed + denied) / Double(reachedNodes) : nil
    }

    /// One for each attack of the run, in the order of events.
    public static func all(of record: RunRecord) -> [AttackFigures] {
        record.attacks.map { attack in
            let account = record.conservation.first { $0.key == attack.key }
            return AttackFigures(
                event: attack.event, sent: account?.sent ?? 0, reachedNodes: attack.reachedNodes,
                policed: account?.dropped(.policed) ?? 0, denied: account?.dropped(.denied) ?? 0)
        }
    }
}

/// What nodes' data planes did to hostile and to honest packets in a run.
struct SecurityFigures {
    private let attacks: [AttackFigures]
    private let beside: LegitimateAccount
    private let isPoliced: Bool
    /// Packets of no attack that were refused in the whole run.
    let legitimateRefused: UInt64

    init(_ record: RunRecord) {
        attacks = AttackFigures.all(of: record)
        beside = record.duringAttacks
        isPoliced = record.isPoliced
        let refused = record.conservation.reduce(0 as UInt64) { $0 + $1.refused }
        let ofAttacks = attacks.reduce(0 as UInt64) { $0 + $1.policed + $1.denied }
        legitimateRefused = refused - ofAttacks
    }

    private var reached: UInt64 { attacks.reduce(0) { $0 + $1.reachedNodes } }

    /// Nil where no attack packet reached a node.
    var attackShareRefused: Double? {
        guard reached > 0 else { return nil }
        return Double(attacks.reduce(0 as UInt64) { $0 + $1.policed + $1.denied }) / Double(reached)
    }

    /// Nil where no attack packet reached a node that polices, or nobody else sent anything meanwhile.
    var legitimateShareRefused: Double? {
        guard isPoliced, reached > 0, beside.sent > 0 else { return nil }
        return Double(beside.refused) / Double(beside.sent)
    }

    /// Why there are no shares; nil where there are.
    func absence(of name: String) -> String? {
        if name == "security.legitimatePacketsPoliced" { return isPoliced ? nil : Self.noPolice }
        if attacks.allSatisfy({ $0.sent == 0 }) { return "nobody attacked in this run, so nothing was exercised" }
        if reached == 0 { return "no packet of an attack reached a node, so nothing was exercised" }
        if !isPoliced { return Self.noPolice }
        if beside.sent == 0 { return "nobody else sent anything during the attack, so nothing was exercised" }
        return nil
    }

    private static let noPolice = "no node policed what came in, so nothing was exercised"
}

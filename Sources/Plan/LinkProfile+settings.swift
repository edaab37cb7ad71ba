import Basics
public import Links
public import Scenario

extension LinkProfile {
    /// The profile that a topology's settings stand for.
    public init(_ settings: LinkSettings) {
        self.init(
            rate: settings.rate, delay: settings.delay ?? .zero, jitter: settings.jitter ?? .zero,
            jitterDistribution: Self.distribution(settings),
            loss: settings.loss.map { LossModel($0) } ?? .none, duplicate: settings.duplicate ?? .zero,
            reorder: settings.reorder ?? .zero, corrupt: settings.corrupt ?? .zero)
        if let queue = settings.queue { self.queue = QueueLimit(queue) }
        if let discipline = settings.discipline { self.discipline = QueueDiscipline(discipline) }
        if let trace = settings.trace { self.trace = Self.trace(trace) }
    }

    /// This profile with what the settings say in place of its own.
    public func applying(_ changes: LinkSettings) -> LinkProfile {
        taking(LinkProfile(changes), where: changes)
    }

    /// This profile with those values of another of which the settings speak.
    public func taking(_ said: LinkProfile, where changes: LinkSettings) -> LinkProfile {
        var result = self
        if changes.rate != nil { result.rate = said.rate }
        if changes.delay != nil { result.delay = said.delay }
        if changes.jitter != nil { result.jitter = said.jitter }
        if changes.jitterDistribution != nil { result.jitterDistribution = said.jitterDistribution }
        if changes.loss != nil { result.loss = said.loss }
        if changes.duplicate != nil { result.duplicate = said.duplicate }
        if changes.reorder != nil { result.reorder = said.reorder }
        if changes.corrupt != nil { result.corrupt = said.corrupt }
        if changes.queue != nil { result.queue = said.queue }
        if changes.discipline != nil { result.discipline = said.discipline }
        if changes.trace != nil { result.trace = said.trace }
        return result
    }

    private static func trace(_ trace: DeliveryTrace) -> Trace? {
        try? Trace(parsing: trace.opportunities.map { String($0) }.joined(separator: "\n"))
    }

    private static func distribution(_ settings: LinkSettings) -> Links.JitterDistribution {
        switch settings.jitterDistribution {
        case .uniform: .uniform
        case .pareto: .pareto
        case .normal, nil: .normal
        }
    }
}

extension LossModel {
    public init(_ setting: LossSetting) {
        switch setting {
        case .independent(let ratio): self = .bernoulli(ratio)
        case .gilbertElliott(let p, let r, let lossBad, let lossGood):
            self = .gilbertElliott(p: p, r: r, lossBad: lossBad, lossGood: lossGood)
        }
    }
}

extension QueueLimit {
    public init(_ setting: QueueSetting) {
        switch setting {
        case .duration(let interval): self = .time(interval)
        case .size(let size): self = .bytes(size.bytes)
        case .packets(let count): self = .packets(UInt32(clamping: count))
        }
    }
}

extension QueueDiscipline {
    public init(_ name: QueueDisciplineName) {
        switch name {
        case .droptail: self = .dropTail
        case .codel: self = .coDel
        case .fairCodel: self = .fairQueueCoDel
        }
    }
}

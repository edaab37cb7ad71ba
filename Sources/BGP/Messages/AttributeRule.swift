/// What is right for one attribute, and what happens if it is not (RFC 7606 §7).
struct AttributeRule {
    enum Length {
        case exactly(Int)
        /// One or more of that size.
        case multiple(of: Int)
        case any
    }

    enum Response {
        case treatAsWithdraw
        case discard
        case reset
    }

    let flags: AttributeFlags
    let length: Length
    let response: Response
    /// From an external neighbour it is discarded, whatever it says.
    var isInternalOnly = false
    /// What wrong flags cost (RFC 7606 §3 c), where its own RFC does not say otherwise.
    var flagResponse = Response.treatAsWithdraw

    /// The rule of an attribute that is known here.
    static func of(_ type: AttributeType, isFourOctet: Bool) -> AttributeRule? {
        switch type {
        case .origin: AttributeRule(flags: .transitive, length: .exactly(1), response: .treatAsWithdraw)
        case .path: AttributeRule(flags: .transitive, length: .any, response: .treatAsWithdraw)
        case .nextHop: AttributeRule(flags: .transitive, length: .exactly(4), response: .treatAsWithdraw)
        case .multiExitDiscriminator:
            AttributeRule(flags: .optional, length: .exactly(4), response: .treatAsWithdraw)
        case .localPreference:
            AttributeRule(
                flags: .transitive, length: .exactly(4), response: .treatAsWithdraw, isInternalOnly: true)
        case .atomicAggregate: AttributeRule(flags: .transitive, length: .exactly(0), response: .discard)
        case .aggregator:
            AttributeRule(
                flags: [.optional, .transitive], length: .exactly(isFourOctet ? 8 : 6), response: .discard)
        case .communities:
            AttributeRule(flags: [.optional, .transitive], length: .multiple(of: 4), response: .treatAsWithdraw)
        case .originatorID:
            AttributeRule(flags: .optional, length: .exactly(4), response: .treatAsWithdraw, isInternalOnly: true)
        case .clusterList:
            AttributeRule(
                flags: .optional, length: .multiple(of: 4), response: .treatAsWithdraw, isInternalOnly: true)
        case .multiprotocolReachable, .multiprotocolUnreachable:
            AttributeRule(flags: .optional, length: .any, response: .reset)
        case .extendedCommunities:
            AttributeRule(flags: [.optional, .transitive], length: .multiple(of: 8), response: .treatAsWithdraw)
        case .fourOctetPath: AttributeRule(flags: [.optional, .transitive], length: .any, response: .discard)
        case .fourOctetAggregator:
            AttributeRule(flags: [.optional, .transitive], length: .exactly(8), response: .discard)
        case .ipv6ExtendedCommunities:
            AttributeRule(flags: [.optional, .transitive], length: .multiple(of: 20), response: .treatAsWithdraw)
        case .accumulatedMetric:
            // RFC 7311 §3: whatever is wrong with it, it is as if it were not there.
            AttributeRule(flags: .optional, length: .any, response: .discard, flagResponse: .discard)
        case .largeCommunities:
            AttributeRule(flags: [.optional, .transitive], length: .multiple(of: 12), response: .treatAsWithdraw)
        case .onlyToCustomer:
            AttributeRule(flags: [.optional, .transitive], length: .exactly(4), response: .treatAsWithdraw)
        default: nil
        }
    }

    func allows(length count: Int) -> Bool {
        switch length {
        case .exactly(let size): count == size
        case .multiple(let size): count > 0 && count % size == 0
        case .any: true
        }
    }
}

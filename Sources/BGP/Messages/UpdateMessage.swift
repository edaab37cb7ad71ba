public import Wire

/// What is wrong with an UPDATE, by what it costs (RFC 7606 §2), worst first.
public enum UpdateFault: Error, Hashable, Sendable {
    case sessionReset(Notification)
    /// The routes are handled as if they had been withdrawn; the attribute is the one at fault.
    case treatAsWithdraw(AttributeType)
    /// The attribute is ignored and the routes are kept.
    case attributeDiscard(AttributeType)
}

/// Routes that are announced with one set of attributes.
public struct Announcement: Equatable, Sendable {
    public var attributes: PathAttributes
    public var prefixes: [IPPrefix]
    /// The number of each prefix's path where the peer tells several (RFC 7911 §3), otherwise none.
    public var identifiers: [UInt32]

    public init(attributes: PathAttributes, prefixes: [IPPrefix], identifiers: [UInt32] = []) {
        self.attributes = attributes
        self.prefixes = prefixes
        self.identifiers = identifiers
    }
}

/// An UPDATE as it is to be acted upon: faults already turned into withdrawals and omissions (RFC 4271 §4.3, RFC 7606).
public struct UpdateMessage: Equatable, Sendable {
    /// To be taken away before ``announcements`` are looked at.
    public var withdrawn: [IPPrefix]
    /// The numbers of the withdrawn paths; none where no family has numbers, and 0 for one that has not (RFC 7911 §3).
    public var withdrawnIdentifiers: [UInt32] = []
    /// At most one for each family, as their next hops differ.
    public var announcements: [Announcement]
    /// What was wrong and did not cost the session, in the order found.
    public var faults: [UpdateFault]
    /// The family whose first round of announcements this message closes (RFC 4724 §2).
    public var endOfRIB: AddressFamily?

    /// Reads a body; what is thrown ends the session.
    public init(body: RawSpan, context: UpdateContext) throws(Notification) {
        guard body.byteCount >= 4 else { throw .malformedAttributeList }
        let withdrawnLength = Int(body.field(at: 0, as: UInt16.self))
        guard withdrawnLength + 4 <= body.byteCount else { throw .malformedAttributeList }
        let attributesLength = Int(body.field(at: 2 + withdrawnLength, as: UInt16.self))
        let attributesStart = withdrawnLength + 4
        guard attributesStart + attributesLength <= body.byteCount else { throw .malformedAttributeList }

        var withdrawn = PrefixField()
        var reachable = PrefixField()
        let withdrawnField = body.extracting(2..<2 + withdrawnLength)
        let reachableField = body.extracting(attributesStart + attributesLength..<body.byteCount)
        guard withdrawn.read(withdrawnField, family: .ipv4Unicast, context),
            reachable.read(reachableField, family: .ipv4Unicast, context)
        else { throw .invalidNetworkField }

        var decoder = AttributeDecoder(context)
        let attributesField = body.extracting(attributesStart..<attributesStart + attributesLength)
        do throws(UpdateFault) {
            try decoder.read(attributesField)
        } catch {
            guard case .sessionReset(let notification) = error else { throw .malformedAttributeList }
            throw notification
        }
        self = try decoder.finish(withdrawn: withdrawn, reachable: reachable)
        if body.byteCount == 4 { endOfRIB = .ipv4Unicast }
    }

    init(faults: [UpdateFault]) {
        withdrawn = []
        announcements = []
        self.faults = faults
    }

    /// Adds prefixes to be withdrawn.
    mutating func withdraw(_ field: PrefixField) {
        let hadIdentifiers = !withdrawnIdentifiers.isEmpty
        if hadIdentifiers || !field.identifiers.isEmpty {
            withdrawnIdentifiers += Array(repeating: 0, count: withdrawn.count - withdrawnIdentifiers.count)
            withdrawnIdentifiers +=
                field.identifiers.isEmpty ? Array(repeating: 0, count: field.prefixes.count) : field.identifiers
        }
        withdrawn += field.prefixes
    }
}

public import Wire

/// What is wrong with an UPDATE, by what it costs (RFC 7606 §2), worst first.
public enum UpdateFault: Error, Hashable, Sendable {
    case sessionReset(Notification)
    /// The routes are handled as if they had been withdrawn; the attribute is the one at fault.
    case treatAsWithdraw(AttributeType)
    /// The attribute is ignored and the routes are kept.
    case attributeDiscard(AttributeType)
}

/// What must be known of a session to read its UPDATEs.
public struct UpdateContext: Equatable, Sendable, BitwiseCopyable {
    /// Whether the peer is in the same AS.
    public var isInternal: Bool
    /// Whether both ends write AS numbers in four octets (RFC 6793 §4).
    public var isFourOctet: Bool
    public var families: AddressFamilies
    /// The AS that every path must begin with, where that is asked for (RFC 4271 §6.3).
    public var requiredFirstAS: UInt32?

    public init(
        isInternal: Bool, isFourOctet: Bool = true, families: AddressFamilies = [.ipv4Unicast, .ipv6Unicast],
        requiredFirstAS: UInt32? = nil
    ) {
        self.isInternal = isInternal
        self.isFourOctet = isFourOctet
        self.families = families
        self.requiredFirstAS = requiredFirstAS
    }
}

/// Routes that are announced with one set of attributes.
public struct Announcement: Equatable, Sendable {
    public var attributes: PathAttributes
    public var prefixes: [IPPrefix]

    public init(attributes: PathAttributes, prefixes: [IPPrefix]) {
        self.attributes = attributes
        self.prefixes = prefixes
    }
}

/// An UPDATE as it is to be acted upon: faults already turned into withdrawals and omissions (RFC 4271 §4.3, RFC 7606).
public struct UpdateMessage: Equatable, Sendable {
    /// To be taken away before ``announcements`` are looked at.
    public var withdrawn: [IPPrefix]
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

        var withdrawn: [IPPrefix] = []
        var reachable: [IPPrefix] = []
        let withdrawnField = body.extracting(2..<2 + withdrawnLength)
        let reachableField = body.extracting(attributesStart + attributesLength..<body.byteCount)
        guard PrefixField.read(withdrawnField, family: .ipv4Unicast, into: &withdrawn),
            PrefixField.read(reachableField, family: .ipv4Unicast, into: &reachable)
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

    init(withdrawn: [IPPrefix], announcements: [Announcement], faults: [UpdateFault], endOfRIB: AddressFamily?) {
        self.withdrawn = withdrawn
        self.announcements = announcements
        self.faults = faults
        self.endOfRIB = endOfRIB
    }
}

/// Why a session is ended without an error (RFC 4486 §3, RFC 8538 §3, RFC 9384 §3).
public enum CeaseReason: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    case maximumPrefixes = 1
    case administrativeShutdown = 2
    case peerDeconfigured = 3
    case administrativeReset = 4
    case connectionRejected = 5
    case otherConfigurationChange = 6
    case connectionCollision = 7
    case outOfResources = 8
    case hardReset = 9
    case bfdDown = 10

    /// Whether a text for the peer's operator may come with it (RFC 9003 §2).
    var takesText: Bool { self == .administrativeShutdown || self == .administrativeReset }
}

extension Notification {
    /// RFC 4486 §3.
    public static func cease(_ reason: CeaseReason) -> Notification {
        Notification(code: 6, subcode: reason.rawValue)
    }

    /// A Cease with a text for the peer's operator, cut to 255 octets between two characters (RFC 9003 §2).
    ///
    /// Reasons that take no text go without.
    public static func cease(_ reason: CeaseReason, text: String) -> Notification {
        guard reason.takesText, !text.isEmpty else { return .cease(reason) }
        var octets: [UInt8] = []
        for scalar in text.unicodeScalars {
            let encoded = Array(String(scalar).utf8)
            guard octets.count + encoded.count <= 255 else { break }
            octets += encoded
        }
        return Notification(code: 6, subcode: reason.rawValue, data: [UInt8(octets.count)] + octets)
    }

    /// RFC 4486 §4: the data is the family and the bound.
    public static func maximumPrefixes(_ family: AddressFamily, bound: UInt32) -> Notification {
        let octets: ContiguousArray<UInt8> = [0, UInt8(family.identifier), family.subsequentIdentifier]
        let number = (0..<4).map { UInt8(truncatingIfNeeded: bound >> UInt32(24 - 8 * $0)) }
        return Notification(code: 6, subcode: CeaseReason.maximumPrefixes.rawValue, data: octets + number)
    }

    /// Why the peer has ended the session, if it was without an error.
    public var ceaseReason: CeaseReason? {
        code == 6 ? CeaseReason(rawValue: subcode) : nil
    }

    /// What the peer's operator says of a shutdown or a reset; octets that are no UTF-8 are replaced (RFC 9003 §2).
    public var shutdownText: String? {
        guard let ceaseReason, ceaseReason.takesText, let length = data.first, length > 0, data.count > Int(length)
        else { return nil }
        return String(decoding: data[1...Int(length)], as: UTF8.self)
    }

    /// Whether a graceful restart must not follow (RFC 8538 §3): what it wraps says why.
    public var isHardReset: Bool { ceaseReason == .hardReset }

    /// The Cease that ends the session for good between peers for which any other would be a restart (RFC 8538 §3.1).
    public var asHardReset: Notification {
        Notification(code: 6, subcode: CeaseReason.hardReset.rawValue, data: [code, subcode] + data)
    }
}

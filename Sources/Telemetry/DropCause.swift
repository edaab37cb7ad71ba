/// Why a packet was not delivered, wherever that happened.
///
/// Every packet that is sent ends as delivered, as dropped by one of these, or in
/// flight; the run checks the sum.
public enum DropCause: UInt8, CaseIterable, Codable, Sendable, BitwiseCopyable {
    // On a link
    case loss
    case queueFull
    /// CoDel or FQ-CoDel chose it (RFC 8289, 8290).
    case activeQueue
    case linkDown
    // In a kernel
    case portDown
    case nodeDown
    case timeToLive
    case noRoute
    case noNeighbor
    case tooBig
    case badChecksum
    case malformed
    case noSocket
    case notForUs
    case bufferFull
    // In a node
    case noPath
    case badTunnelHeader
    case duplicate
    case policy
    /// Answered, not delivered: the packet that an echo, a probe or a session consumed is counted delivered instead.
    case unsupported
    // In a node's data plane
    /// The flood guard found it one too many.
    case policed
    /// Its source is on the deny list.
    case denied
}

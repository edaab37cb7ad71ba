/// Which of a peer's paths count, and how many they are.
///
/// A session's paths bear its epoch. When the session ends the epoch does, which takes
/// all of them out of the decision at once; or they are kept for one epoch more, as
/// stale ones (RFC 4724 §4.2). Taking them out of the table has time.
struct PeerEpochs: Sendable, BitwiseCopyable {
    struct Count: Sendable, BitwiseCopyable {
        var received = 0
        var accepted = 0
    }

    private struct Family: Sendable, BitwiseCopyable {
        var epoch: UInt8 = 0
        var keepsStale = false
        var fresh = Count()
        var stale = Count()
    }

    private var ipv4 = Family()
    private var ipv6 = Family()

    var received: Int { ipv4.fresh.received + ipv4.stale.received + ipv6.fresh.received + ipv6.stale.received }
    var accepted: Int { ipv4.fresh.accepted + ipv4.stale.accepted + ipv6.fresh.accepted + ipv6.stale.accepted }

    func received(isIPv4: Bool) -> Int { self[isIPv4].fresh.received + self[isIPv4].stale.received }

    func epoch(isIPv4: Bool) -> UInt8 { self[isIPv4].epoch }

    @inline(__always)
    func counts(_ path: RoutingTable.Path, isIPv4: Bool) -> Bool {
        let family = self[isIPv4]
        return path.epoch == family.epoch || (family.keepsStale && path.epoch == family.epoch &- 1)
    }

    func isStale(_ path: RoutingTable.Path, isIPv4: Bool) -> Bool {
        self[isIPv4].keepsStale && path.epoch == self[isIPv4].epoch &- 1
    }

    /// Forgets all paths, or keeps the present ones as stale; what was stale before is forgotten either way.
    mutating func end(isIPv4: Bool, keepingStale: Bool) {
        self[isIPv4].epoch &+= 1
        self[isIPv4].keepsStale = keepingStale
        self[isIPv4].stale = keepingStale ? self[isIPv4].fresh : Count()
        self[isIPv4].fresh = Count()
    }

    /// Forgets what is stale.
    mutating func endStale(isIPv4: Bool) {
        self[isIPv4].keepsStale = false
        self[isIPv4].stale = Count()
    }

    mutating func add(isAccepted: Bool, isIPv4: Bool) {
        self[isIPv4].fresh.received += 1
        if isAccepted { self[isIPv4].fresh.accepted += 1 }
    }

    /// Counts a path no more that is taken out of the table, if it has counted.
    mutating func remove(_ path: RoutingTable.Path, isIPv4: Bool) {
        let isAccepted = path.isUsable
        if path.epoch == self[isIPv4].epoch {
            self[isIPv4].fresh.received -= 1
            if isAccepted { self[isIPv4].fresh.accepted -= 1 }
        } else if isStale(path, isIPv4: isIPv4) {
            self[isIPv4].stale.received -= 1
            if isAccepted { self[isIPv4].stale.accepted -= 1 }
        }
    }

    /// Counts a path among those that take part which has not so far.
    mutating func accept(_ path: RoutingTable.Path, isIPv4: Bool) {
        if path.epoch == self[isIPv4].epoch {
            self[isIPv4].fresh.accepted += 1
        } else if isStale(path, isIPv4: isIPv4) {
            self[isIPv4].stale.accepted += 1
        }
    }

    private subscript(isIPv4: Bool) -> Family {
        @inline(__always) get { isIPv4 ? ipv4 : ipv6 }
        @inline(__always) _modify { if isIPv4 { yield &ipv4 } else { yield &ipv6 } }
    }
}

public import Basics
public import Wire

extension MonitoringFeed {
    /// Tells what all peers have told of a prefix and what was chosen, as it stands: a part of what a station is told
    /// that has come late (RFC 7854 §3.3), for tables are too large to be told at once.
    public mutating func tellRoutes(
        to prefix: IPPrefix, in speaker: borrowing Speaker, at now: Instant, to arena: inout ByteArena
    ) {
        for peer in sessions.indices {
            guard let session = sessions[peer] else { continue }
            let header = header(of: session, at: now)
            // A station would not learn that what is stale has gone.
            for route in speaker.freshRoutes(from: peer, to: prefix) {
                scratch.announce(
                    [prefix], identifiers: [route.pathIdentifier], with: route.attributes, session.format)
                scratch.wrap(header, to: &arena)
            }
        }
        guard tellsBestRoutes, speaker.bestRoute(to: prefix) != nil else { return }
        tellBestRoute(to: prefix, of: speaker, at: now, to: &arena)
    }

    /// Tells that the routes of all peers, and those chosen, have all been told (RFC 9069 §5.1).
    public mutating func tellEndOfRoutes(at now: Instant, to arena: inout ByteArena) {
        for peer in sessions.indices {
            guard let session = sessions[peer] else { continue }
            tellEnd(of: session.context.families, header(of: session, at: now), session.format, to: &arena)
        }
        guard tellsBestRoutes else { return }
        tellEnd(of: [.ipv4Unicast, .ipv6Unicast], bestRoutesPeer(at: now), .bestRoutes, to: &arena)
    }

    /// Tells what the speaker has chosen for a prefix.
    mutating func tellBestRoute(
        to prefix: IPPrefix, of speaker: borrowing Speaker, at now: Instant, to arena: inout ByteArena
    ) {
        guard tellsBestRoutes else { return }
        if let route = speaker.bestRoute(to: prefix) {
            scratch.announce([prefix], with: route.attributes, .bestRoutes)
        } else {
            scratch.withdraw([prefix], .bestRoutes)
        }
        scratch.wrap(bestRoutesPeer(at: now), to: &arena)
    }

    /// Tells the numbers of all sessions that stand, and how much has been chosen (RFC 7854 §4.8).
    public func tellStatistics(of speaker: borrowing Speaker, at now: Instant, to arena: inout ByteArena) {
        for (peer, session) in sessions.enumerated() {
            guard let session else { continue }
            let status = speaker.status(of: peer)
            BMPWriter.statistics(
                header(of: session, at: now),
                [
                    BMPStatistic(.receivedRoutes, UInt64(status.receivedRoutes)),
                    BMPStatistic(.withdrawnUpdates, status.counters.treatedAsWithdraw),
                    BMPStatistic(.advertisedRoutes, UInt64(status.advertisedRoutes)),
                ], to: &arena)
        }
        guard tellsBestRoutes else { return }
        let count = UInt64(speaker.bestRouteCount)
        BMPWriter.statistics(bestRoutesPeer(at: now), [BMPStatistic(.bestRoutes, count)], to: &arena)
    }

    /// Passes on an UPDATE that a peer has sent.
    mutating func tell(_ message: RawSpan, of peer: Int, at now: Instant, to arena: inout ByteArena) {
        guard let session = session(of: peer) else { return }
        let header = header(of: session, at: now)
        let body = message.extracting(droppingFirst: MessageHeader.size)
        // What cannot be read at all ends the session, which is told by itself.
        guard let update = try? UpdateMessage(body: body, context: session.context) else { return }
        guard !update.faults.isEmpty else { return BMPWriter.routes(header, message, to: &arena) }
        for isIPv4 in [true, false] {
            let paths = zip(
                update.withdrawn, update.withdrawnIdentifiers + Array(repeating: 0, count: update.withdrawn.count)
            )
            .filter { $0.0.isIPv4 == isIPv4 }
            scratch.withdraw(
                ContiguousArray(paths.map(\.0)), identifiers: ContiguousArray(paths.map(\.1)), session.format)
            scratch.wrap(header, to: &arena)
        }
        for announcement in update.announcements {
            scratch.announce(
                ContiguousArray(announcement.prefixes), identifiers: ContiguousArray(announcement.identifiers),
                with: announcement.attributes, session.format)
            scratch.wrap(header, to: &arena)
        }
    }

    /// What is chosen comes as if from a peer that has said the same OPEN as it was told (RFC 9069 §5.2).
    func tellBestRoutesBegin(at now: Instant, to arena: inout ByteArena) {
        let open = OpenMessage(
            autonomousSystem: autonomousSystem, holdTime: 0, identifier: identifier,
            capabilities: [.multiprotocol(.ipv4Unicast), .multiprotocol(.ipv6Unicast), .fourOctetAS(autonomousSystem)])
        var octets = ByteArena(capacity: 64)
        open.append(to: &octets)
        let message = octets.bytes(ByteRange(start: 0, count: octets.count))
        BMPWriter.peerUp(
            bestRoutesPeer(at: now), ends: (SocketAddress(.v4(.any), port: 0), 0), sent: message,
            received: message, information: [.table("global")], to: &arena)
    }

    private mutating func tellEnd(
        of families: AddressFamilies, _ header: BMPPeer, _ format: UpdateFormat, to arena: inout ByteArena
    ) {
        for family in families.members {
            scratch.endOfRIB(family, format)
            scratch.wrap(header, to: &arena)
        }
    }
}

/// UPDATEs that are written anew, until each has been put into a message to the station.
struct MessageScratch: Sendable {
    private var octets: ContiguousArray<UInt8> = []

    mutating func announce(
        _ prefixes: ContiguousArray<IPPrefix>, identifiers: ContiguousArray<UInt32> = [],
        with attributes: PathAttributes, _ format: UpdateFormat
    ) {
        var encoder = UpdateEncoder(format)
        fill { _ = encoder.announce(prefixes, identifiers: identifiers, with: attributes, to: &$0) }
    }

    mutating func withdraw(
        _ prefixes: ContiguousArray<IPPrefix>, identifiers: ContiguousArray<UInt32> = [], _ format: UpdateFormat
    ) {
        let encoder = UpdateEncoder(format)
        fill { _ = encoder.withdraw(prefixes, identifiers: identifiers, to: &$0) }
    }

    mutating func endOfRIB(_ family: AddressFamily, _ format: UpdateFormat) {
        let encoder = UpdateEncoder(format)
        fill { encoder.endOfRIB(family, to: &$0) }
    }

    /// Puts each UPDATE into a message of its own (RFC 7854 §4.6).
    func wrap(_ header: BMPPeer, to arena: inout ByteArena) {
        var offset = 0
        while octets.count - offset >= MessageHeader.size {
            let rest = octets.span.bytes.extracting(offset..<octets.count)
            let length = Int(rest.field(at: 16, as: UInt16.self))
            BMPWriter.routes(header, rest.extracting(0..<length), to: &arena)
            offset += length
        }
    }

    private mutating func fill(_ body: (inout ByteArena) -> Void) {
        var arena = ByteArena(capacity: MessageHeader.maximumLength)
        body(&arena)
        octets.removeAll(keepingCapacity: true)
        octets.append(arena.bytes(ByteRange(start: 0, count: arena.count)))
    }
}

extension UpdateFormat {
    /// RFC 9069 §4.1: AS numbers in four octets always.
    fileprivate static var bestRoutes: UpdateFormat {
        var format = UpdateFormat(isFourOctet: true, maximumLength: MessageHeader.extendedMaximumLength)
        format.hasExtendedNextHop = true
        return format
    }

    /// That in which the peer's own UPDATEs come, which are read with that context.
    init(asHeardWith context: UpdateContext) {
        self.init(isFourOctet: context.isFourOctet, maximumLength: MessageHeader.extendedMaximumLength)
        numberedFamilies = context.numberedFamilies
        hasExtendedNextHop = context.hasExtendedNextHop
    }
}

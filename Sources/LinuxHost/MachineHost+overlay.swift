import Basics
import LinuxSystem
import Machine
import Tunnel
import Wire

/// What a router has said that tunnels can carry, and until when that is believed (RFC 1191 §6.3).
struct OverlayLimit {
    var mtu: Int
    var until: Instant
}

extension OffloadedPackets {
    /// Hands the machine the packet that is next.
    fileprivate borrowing func hand<Machine: HostedMachine & ~Copyable>(
        to machine: inout Machine, at now: Instant, into outbox: inout Outbox
    ) {
        machine.handle(.overlayPacket(bytes), at: now, into: &outbox)
    }
}

extension MachineHost where Machine: ~Copyable {
    /// After so many packets no more are read before what they ask for is done.
    private var overlayBatch: Int { 32 }
    /// After so many batches no more are read before everything else has had its turn.
    private var overlayBatchLimit: Int { 16 }

    /// Makes the overlay interface, with its address, and brings it up.
    static func makeOverlay(
        _ configuration: HostConfiguration, _ routes: inout RouteSocket, _ poll: borrowing EventPoll
    ) throws(HostError) -> TunDevice? {
        guard let overlay = configuration.overlay else { return nil }
        do throws(SystemError) {
            let namespace = try NetworkNamespace.current()
            let device = try TunDevice(
                named: overlay.name, in: namespace, mtu: UInt32(overlay.mtu), alias: overlay.alias, hasOffloads: true)
            // An address that the kernel gave itself would only have it send packets of its own to the node.
            try? namespace.setParameter("ipv6/conf/\(overlay.name)/addr_gen_mode", to: "1")
            let interface = device.interface
            try routes.change { batch in
                batch.addAddress(InterfaceAddress(.v4(overlay.address), prefixLength: 32, on: interface))
                batch.changeLink(.index(interface), LinkChange(isUp: true))
            }
            try poll.add(device.descriptor.number, for: .readable, token: Token(.overlay).rawValue)
            return device
        } catch {
            throw .system(error)
        }
    }

    /// Packets that the kernel has routed to the overlay interface.
    mutating func takeOverlayPackets() throws(HostError) {
        guard let number = overlay?.descriptor.number else { return }
        for _ in 0..<overlayBatchLimit {
            var count = 0
            var isEmpty = false
            while count < overlayBatch {
                guard overlayPackets.read(from: number) else {
                    isEmpty = true
                    break
                }
                while overlayPackets.next() != nil {
                    count += 1
                    advance(to: configuration.clock.now)
                    overlayPackets.hand(to: &machine, at: now, into: &outbox)
                }
            }
            counters.overlayPackets += UInt64(count)
            try carryOut()
            if isEmpty { return }
        }
    }

    /// Hands the kernel a packet as if it had arrived on the overlay interface.
    mutating func deliver(_ range: ByteRange) {
        if overlay?.write(outbox.bytes(range)) == true {
            counters.deliveredPackets += 1
        } else {
            counters.undeliveredPackets += 1
        }
    }

    /// A tunnel's packet was too big for its way: the overlay takes smaller ones for ten minutes.
    mutating func limitOverlay(to mtu: Int, isIPv4: Bool) {
        guard let configured = configuration.overlay, let device = overlay?.interface else { return }
        // Nobody's honest path is narrower than what every host must take (RFC 791, RFC 8200).
        let outer = max(mtu, isIPv4 ? 576 : 1_280)
        let inner = outer - (isIPv4 ? Tunnel.overheadOverIPv4 : Tunnel.overheadOverIPv6)
        let former = overlayLimit?.mtu ?? configured.mtu
        guard inner < configured.mtu else { return }
        overlayLimit = OverlayLimit(mtu: min(inner, former), until: now + .seconds(600))
        limitDataplane(to: outer)
        guard inner < former else { return }
        setOverlayMTU(inner, of: device)
    }

    /// Takes packets of full size again when a router's word has grown old.
    mutating func restoreOverlay() {
        guard let limit = overlayLimit, limit.until <= configuration.clock.now,
            let configured = configuration.overlay, let device = overlay?.interface
        else { return }
        overlayLimit = nil
        setOverlayMTU(configured.mtu, of: device)
    }

    private mutating func setOverlayMTU(_ mtu: Int, of interface: InterfaceIndex) {
        do throws(SystemError) {
            try routes.change { $0.changeLink(.index(interface), LinkChange(mtu: UInt32(mtu))) }
        } catch {
            counters.refusedRoutes += 1
        }
    }
}

import BPF
import Basics
import Dataplane
import Machine
import Telemetry
import Wire

extension Device {
    /// Loads the data plane of a machine that is about to start, and tells it what the kernel knows.
    mutating func loadDataplane(_ object: BPFObject, random: consuming SeededRandom, wan: [Int]) {
        unloadDataplane()
        dataplane.append(NodeDataplane(object, random: random))
        kernel.hasDataplane = true
        for port in kernel.ports.indices {
            let isWAN = wan.contains(port)
            dataplane[0].addPort(port, hardware: kernel.ports[port].hardware, isWAN: isWAN)
            guard !isWAN else { continue }
            if let host = kernel.ports[port].gateway4 { dataplane[0].addRoute(to: .v4(host), on: port) }
            if let host = kernel.ports[port].gateway6 { dataplane[0].addRoute(to: .v6(host), on: port) }
        }
        for number in kernel.neighbors.neighbors.indices { tell(number) }
    }

    /// The program goes with the machine that loaded it.
    mutating func unloadDataplane() {
        formerCounters = dataplaneCounters()
        dataplane.removeAll()
        kernel.hasDataplane = false
        kernel.changedNeighbors.removeAll()
    }

    /// What the data planes of all its lives counted.
    mutating func dataplaneCounters() -> DataplaneCounters {
        guard dataplane.count > 0 else { return formerCounters }
        return formerCounters.adding(dataplane[0].counters())
    }

    /// Runs the program on a frame; false where that was the end of it here.
    mutating func passesDataplane(_ packet: PacketID, on port: Int, _ network: inout Network) -> Bool {
        guard kernel.isRunning, kernel.ports[port].isUp else { return true }
        switch dataplane[0].run(packet, on: port, &network.pool, at: network.now) {
        case .pass:
            return true
        case .drop(let cause):
            network.drop(packet, cause)
        case .transmit(let out):
            if kernel.ports[out].isUp {
                network.transmit(packet, on: kernel.ports[out].direction)
            } else {
                network.drop(packet, .portDown)
            }
        }
        return false
    }

    /// Passes on what the kernel has learnt of neighbours and of the underlay.
    @inline(__always)
    mutating func tellDataplane() {
        if kernel.hasNewsForDataplane { tellNews() }
    }

    @inline(never)
    private mutating func tellNews() {
        if let mtu = kernel.reportedTunnelMTU {
            kernel.reportedTunnelMTU = nil
            if dataplane.count > 0 { dataplane[0].limitTunnels(to: mtu) }
        }
        while let number = kernel.changedNeighbors.popLast() { tell(number) }
    }

    private mutating func tell(_ number: Int) {
        let neighbor = kernel.neighbors.neighbors[number]
        dataplane[0].setNeighbor(neighbor, port: kernel.ports[neighbor.port])
    }

    /// Carries out a change that is the data plane's.
    mutating func program(_ change: ForwardingChange) {
        guard dataplane.count > 0 else { return }
        switch change {
        case .install, .withdraw, .route, .spread, .unroute: break
        case .open(let tunnel, let port, let remote): open(tunnel, over: Int(port.rawValue), to: remote)
        case .close(let tunnel): dataplane[0].close(tunnel)
        case .steer(let flow, let tunnel): dataplane[0].steer(flow, into: tunnel)
        case .release(let flow): dataplane[0].release(flow)
        }
    }

    /// What the data plane has received from a tunnel, of how many packets; nil where it has none.
    mutating func carried(by tunnel: TunnelID) -> (received: UInt64, expected: UInt64)? {
        dataplane.count > 0 ? dataplane[0].carried(by: tunnel) : nil
    }

    private mutating func open(_ tunnel: TunnelID, over port: Int, to remote: IPAddress) {
        let local: IPAddress?
        let gateway: IPAddress?
        if remote.isIPv4 {
            local = kernel.ports[port].address4.map { .v4($0) }
            gateway = kernel.ports[port].gateway4.map { .v4($0) }
        } else {
            local = kernel.ports[port].address6.map { .v6($0) }
            gateway = kernel.ports[port].gateway6.map { .v6($0) }
        }
        guard let local else { return }
        dataplane[0].open(
            tunnel, from: local, to: remote, over: port, through: gateway, mtu: kernel.ports[port].mtu)
    }
}

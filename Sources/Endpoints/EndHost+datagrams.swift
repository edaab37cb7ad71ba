import Basics
import Machine
import Traffic
import Wire

extension EndHost {
    mutating func addDatagramFlow(_ assignment: FlowAssignment, timer: Int) {
        let known = sockets.firstIndex { $0.local == assignment.local }
        let place = known ?? sockets.count
        if known == nil { sockets.append(DatagramSocket(local: assignment.local)) }
        let flow = DatagramFlow(
            assignment, timer: timer, socket: SocketID(UInt32(place)), recordInterval: recordInterval)
        let index = datagramFlows.count
        datagramTable[key(of: flow.number, on: flow.socket)] = UInt32(index)
        if let placement = flow.stampPlacement {
            if !sockets[place].placements.contains(placement) { sockets[place].placements.append(placement) }
            if case .replay = assignment.application { sockets[place].unstampedFlows.append(index) }
        }
        datagramFlows.append(flow)
    }

    mutating func receive(_ bytes: RawSpan, on socket: SocketID, from sender: SocketAddress, at now: Instant) {
        let place = Int(socket.rawValue)
        guard place < sockets.count else {
            strayDatagrams &+= 1
            return
        }
        for index in sockets[place].placements.indices {
            let placement = sockets[place].placements[index]
            guard let stamp = MeasuringStamp(parsing: bytes, placement: placement),
                let flow = datagramTable[key(of: stamp.flow, on: socket)],
                datagramFlows[Int(flow)].stampPlacement == placement
            else { continue }
            datagramFlows[Int(flow)].receive(stamp, byteCount: bytes.byteCount, at: now)
            return
        }
        if bytes.byteCount < MeasuringStamp.shortByteCount,
            let flow = sockets[place].unstampedFlows.first(where: { datagramFlows[$0].remote == sender })
        {
            datagramFlows[flow].receive(nil, byteCount: bytes.byteCount, at: now)
        } else {
            strayDatagrams &+= 1
        }
    }

    @inline(__always)
    private func key(of flow: UInt32, on socket: SocketID) -> UInt64 {
        UInt64(socket.rawValue) << 32 | UInt64(flow)
    }
}

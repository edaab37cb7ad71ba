public import Basics
import CDataplane
public import Telemetry
public import Wire

extension DataplaneControl where Maps: ~Copyable {
    /// The counters, summed over the CPUs.
    public mutating func counters() throws(DataplaneError) -> DataplaneCounters {
        var counters = DataplaneCounters()
        var values = Array(repeating: patronus_counter(), count: maps.processorCount)
        for cause in DataplaneCause.allCases {
            guard try maps.fetch(.counters, cause.rawValue, into: &values) else { continue }
            var total = DataplaneCounter()
            for value in values {
                total.packets &+= value.packets
                total.bytes &+= value.bytes
            }
            counters[cause] = total
        }
        return counters
    }

    /// One counter, summed over the CPUs.
    public mutating func counter(of cause: DataplaneCause) throws(DataplaneError) -> DataplaneCounter {
        guard maps.processorCount > 1 else {
            let value = try maps.fetch(.counters, cause.rawValue, like: patronus_counter())
            return DataplaneCounter(packets: value?.packets ?? 0, bytes: value?.bytes ?? 0)
        }
        return try counters()[cause]
    }

    /// The flow of a tuple, in either direction; nil where there is none.
    public mutating func flow(_ tuple: FiveTuple) throws(DataplaneError) -> FlowRecord? {
        let key = tuple.ordered.mapKey
        guard let flow = try maps.fetch(.flows, key, like: patronus_flow()) else { return nil }
        return FlowRecord(key, flow)
    }

    /// All flows, by tuple: the map's own order differs from backend to backend.
    public mutating func flows() throws(DataplaneError) -> [FlowRecord] {
        let limit = PATRONUS_FLOW_COUNT
        var records: [FlowRecord] = []
        for key in try maps.keys(.flows, like: patronus_five_tuple(), limit: limit) {
            guard let flow = try maps.fetch(.flows, key, like: patronus_flow()) else { continue }
            guard let record = FlowRecord(key, flow) else { throw .malformed(.flows) }
            records.append(record)
        }
        return records.sorted { $0.tuple < $1.tuple }
    }

    /// Takes flows out that have been silent since `instant`, and says which they were.
    public mutating func removeFlows(silentSince instant: Instant) throws(DataplaneError) -> [FlowRecord] {
        var removed: [FlowRecord] = []
        for record in try flows() {
            let last = max(record.fromLower.last ?? record.first, record.fromHigher.last ?? record.first)
            guard last < instant, try maps.erase(.flows, record.tuple.mapKey) else { continue }
            removed.append(record)
        }
        return removed
    }

    /// The account of a tunnel; nil where it was not set.
    public mutating func account(of number: TunnelID) throws(DataplaneError) -> TunnelAccount? {
        guard let tunnel = try maps.fetch(.tunnels, number.rawValue, like: patronus_tunnel()),
            let sent = try maps.fetch(.transmissions, tunnel.slot, like: patronus_transmission()),
            let received = try maps.fetch(.receptions, tunnel.slot, like: patronus_reception())
        else { return nil }
        return TunnelAccount(sent, received)
    }

    /// Sequence numbers of a tunnel that have arrived, and that might have; nil where it was not set.
    public mutating func carried(by number: TunnelID) throws(DataplaneError) -> (received: UInt64, expected: UInt64)? {
        var (low, high) = (0, tunnels.count)
        while low < high {
            let middle = (low + high) / 2
            if tunnels[middle].number < number.rawValue { low = middle + 1 } else { high = middle }
        }
        guard low < tunnels.count, tunnels[low].number == number.rawValue,
            let reception = try maps.fetch(.receptions, tunnels[low].slot, like: patronus_reception())
        else { return nil }
        return (reception.received, reception.expected)
    }
}

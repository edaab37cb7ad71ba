import BGP
import Basics
import Wire

/// A node's `bmp` key: the collectors that it tells its peers' routes.
extension TopologyDecoder {
    func collectors(_ cursor: Cursor) -> [MonitoringCollector] {
        guard let elements = cursor.elements(expected: "a list of collectors, [{ \"address\": \"192.0.2.9\" }]") else {
            return []
        }
        var result: [MonitoringCollector] = []
        for element in elements {
            guard let collector = collector(element) else { continue }
            if result.contains(where: { $0.address == collector.address }) {
                element.fault("the collector \(collector.address) stands here twice; leave one of the two out")
            }
            result.append(collector)
        }
        if !elements.isEmpty { cursor.warn(Availability.collectorWarning) }
        return result
    }

    private func collector(_ cursor: Cursor) -> MonitoringCollector? {
        guard let object = cursor.object(keys: KnownKeys.collector) else { return nil }
        let times = Interval.seconds(1)...Interval.seconds(86_400)
        let place = object.required("address", "\"address\": \"192.0.2.9\"").flatMap { collectorAddress($0) }
        let port = object["port"]?.integer(in: 1...65_535).map { UInt16($0) }
        let tellsBestRoutes = object["bestRoutes"]?.bool()
        let statistics = object["statistics"]?.duration(in: times)
        let retry = object["retry"]?.duration(in: times)
        guard let place else { return nil }
        var result = MonitoringCollector(SocketAddress(place, port: port ?? MonitoringCollector.usualPort))
        result.tellsBestRoutes = tellsBestRoutes ?? result.tellsBestRoutes
        result.statisticsInterval = statistics
        result.retryInterval = retry ?? result.retryInterval
        return result
    }

    /// An address that a stream can be opened to.
    private func collectorAddress(_ cursor: Cursor) -> IPAddress? {
        guard let address = cursor.address() else { return nil }
        let isOneMachine =
            switch address {
            case .v4(let address): address != .any && address.bits >> 28 < 14
            case .v6(let address): address != .any && !address.isMulticast
            }
        guard isOneMachine else {
            cursor.fault("\(address) is no one machine's; write the collector's own address, such as \"192.0.2.9\"")
            return nil
        }
        return address
    }
}

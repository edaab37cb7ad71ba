import Basics
import Scenario

extension ScenarioDecoder {
    mutating func decodeTraffic(_ cursor: Cursor?) -> [TrafficEntry] {
        var result: [TrafficEntry] = []
        for element in cursor?.elements(expected: "a list of traffic, [ { \"application\": \"voip\" } ]") ?? [] {
            guard let object = element.object(keys: KnownKeys.traffic) else { continue }
            let application = application(object)
            let name = trafficName(object, application?.name)
            if let name { trafficNames.append(name) }
            let from = object.required("from", "\"from\": with the client's host").flatMap { host($0) }
            let to = object.required("to", "\"to\": with the server's host").flatMap { host($0) }
            if let from, from == to, nodes != nil {
                object["to"]?.fault("\"from\" and \"to\" are the same host; write two different ones")
            }
            let flows = object["flows"].map { $0.integer(in: 1...100_000) } ?? 1
            let start = object["start"].map { moment($0, what: "the traffic starts") } ?? warmup
            let stop = object["stop"].flatMap { $0.period() }
            if let start, let stop, stop <= start {
                object["stop"]?.fault(
                    "the traffic stops at \(stop), not after its start at \(start); write a later time")
            }
            let over = object["over"].map { $0.duration() } ?? .zero
            let end = [stop, duration].compactMap(\.self).min()
            if let start, let over, let end, over > .zero, start + over >= end {
                object["over"]?.fault(
                    "flows start until \(start + over), but all is over at \(end); write a shorter time")
            }
            let user = object["user"]?.name(forbidden: "")
            guard let name, let application, let from, let to, let flows, let start, let over else { continue }
            result.append(
                TrafficEntry(
                    name: name, application: application, from: from, to: to, flows: flows, start: start, over: over,
                    stop: stop, user: user))
        }
        return result
    }

    /// The name in the file, or the application's, numbered from the second one on.
    private func trafficName(_ object: ObjectCursor, _ application: ApplicationName?) -> String? {
        guard let cursor = object["name"] else {
            guard let stem = application?.rawValue else { return nil }
            var name = stem
            var number = 1
            while trafficNames.contains(name) {
                number += 1
                name = "\(stem)-\(number)"
            }
            return name
        }
        guard let name = cursor.name(forbidden: " /\"") else { return nil }
        if trafficNames.contains(name) {
            cursor.fault("other traffic is named \"\(name)\"; choose another name")
        }
        return name
    }

    private func application(_ object: ObjectCursor) -> TrafficApplication? {
        guard let cursor = object.required("application", "\"application\": \"voip\""),
            let name = cursor.word(ApplicationName.self, what: "application")
        else { return nil }
        let bytes = object["bytes"]?.byteCount(in: 1...1 << 50)
        let rate = object["rate"]?.bitRate()
        judgeKeys(object, of: name)
        guard Availability.applications.contains(name) else {
            cursor.fault(Availability.unavailable("application \"\(name.rawValue)\""))
            return .other(name, bytes: bytes, rate: rate)
        }
        switch name {
        case .cbr:
            let packetSize = object["packetSize"].map { $0.byteCount(in: 64...65_535) } ?? ByteCount(1_200)
            guard object.required("rate", "\"rate\": \"1Mbit\"") != nil, let rate, let packetSize else { return nil }
            return .constantRate(rate: rate, packetSize: packetSize)
        case .fileTransfer: return .fileTransfer(bytes: bytes)
        case .voip: return .voip
        case .web: return .web(bytes: bytes)
        case .replay:
            guard let place = object.required("pcap", "\"pcap\": \"captures/office.pcap\""),
                let file = session.attachment(place, expected: "the path of a capture")
            else { return nil }
            return .replay(CaptureFile(path: file.path, bytes: file.bytes))
        default: return .other(name, bytes: bytes, rate: rate)
        }
    }

    /// Faults for keys of another application, and warnings for common ones that this one has no use for.
    private func judgeKeys(_ object: ObjectCursor, of name: ApplicationName) {
        for (key, owner) in [("packetSize", ApplicationName.cbr), ("pcap", .replay)] where name != owner {
            object[key]?.fault(
                "\"\(name.rawValue)\" has no \"\(key)\"; it belongs to \"\(owner.rawValue)\"",
                at: object.keyPosition(key))
        }
        let unused: [String] =
            switch name {
            case .cbr: ["bytes"]
            case .fileTransfer, .web: ["rate"]
            case .voip, .replay: ["bytes", "rate"]
            default: []
            }
        for key in unused {
            object[key]?.warn("\"\(key)\" has no effect on \"\(name.rawValue)\"", at: object.keyPosition(key))
        }
    }
}

import Basics
import Scenario

/// Reads the keys that say what a link does to packets, of a link, its `reverse`, and an event's `set`.
struct LinkSettingsDecoder {
    let session: LoadingSession

    private enum LossModelName: String, CaseIterable {
        case gilbertElliott = "gilbert-elliott"
    }

    func decode(_ object: ObjectCursor) -> LinkSettings {
        var settings = LinkSettings()
        settings.rate = object["rate"]?.bitRate()
        settings.delay = object["delay"]?.duration(in: .zero...Self.longestDelay)
        settings.jitter = object["jitter"]?.duration(in: .zero...Self.longestDelay)
        settings.jitterDistribution = object["jitterDistribution"]?
            .word(JitterDistribution.self, what: "distribution")
        settings.loss = object["loss"].flatMap { loss($0) }
        settings.duplicate = object["duplicate"]?.ratio()
        settings.reorder = object["reorder"]?.ratio()
        settings.corrupt = object["corrupt"]?.ratio()
        settings.queue = object["queue"].flatMap { queue($0) }
        settings.discipline = object["discipline"]?.word(QueueDisciplineName.self, what: "discipline")
        settings.maximumTransmissionUnit = object["mtu"].flatMap { maximumTransmissionUnit($0) }
        settings.trace = object["trace"].flatMap { trace($0) }
        settings.costPerGigabyte = object["costPerGB"]?.number(
            in: 0...1e9, expected: "a price from 0 on, without quotes")
        return settings
    }

    private static var longestDelay: Interval { .seconds(600) }

    private func loss(_ cursor: Cursor) -> LossSetting? {
        guard case .object = cursor.node.value else { return cursor.ratio().map { .independent($0) } }
        guard let object = cursor.object(keys: KnownKeys.lossModel) else { return nil }
        let model = object.required("model", "\"model\": \"gilbert-elliott\"")?
            .word(LossModelName.self, what: "loss model")
        let p = object.required("p", "\"p\": \"1%\", the probability of going bad")?.ratio()
        let r = object.required("r", "\"r\": \"20%\", the probability of going good again")?.ratio()
        let lossBad = ratio(object["lossBad"], default: .one)
        let lossGood = ratio(object["lossGood"], default: .zero)
        guard model != nil, let p, let r, let lossBad, let lossGood else { return nil }
        return .gilbertElliott(p: p, r: r, lossBad: lossBad, lossGood: lossGood)
    }

    private func ratio(_ cursor: Cursor?, default value: Ratio) -> Ratio? {
        guard let cursor else { return value }
        return cursor.ratio()
    }

    private func queue(_ cursor: Cursor) -> QueueSetting? {
        let expected = "a duration \"100ms\", a size \"64kB\" or packets \"100p\""
        guard let text = cursor.string(expected: expected) else { return nil }
        if text.hasSuffix("p"), let count = Int(text.dropLast()) {
            guard count >= 1, count <= 1_000_000 else {
                cursor.fault("\(count) packets are out of range; write from \"1p\" to \"1000000p\"")
                return nil
            }
            return .packets(count)
        }
        if text.hasSuffix("B") {
            return cursor.byteCount(in: 64...1 << 40).map { .size($0) }
        }
        guard text.utf8.count <= 64, let duration = try? Interval(parsing: text), duration > .zero,
            duration <= Self.longestDelay
        else {
            cursor.fault("\"\(cursor.shown(text))\" is no queue; write \(expected)")
            return nil
        }
        return .duration(duration)
    }

    private func maximumTransmissionUnit(_ cursor: Cursor) -> Int? {
        if case .string = cursor.node.value {
            return cursor.byteCount(in: 576...UInt64(LinkSettings.largestTransmissionUnit)).map { Int($0.bytes) }
        }
        return cursor.integer(in: 576...LinkSettings.largestTransmissionUnit)
    }

    private func trace(_ cursor: Cursor) -> DeliveryTrace? {
        let expected = "the path of a Mahimahi packet-delivery file"
        guard let file = session.attachment(cursor, expected: expected) else { return nil }
        let name = cursor.string() ?? file.path
        return TraceReader.read(file, name: name, log: session.log)
    }
}

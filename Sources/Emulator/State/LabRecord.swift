import Foundation

/// One thing that a lab is about to make, or has, as its journal says it.
public enum LabRecord: Equatable, Sendable {
    /// The journal's first: whose lab it is, of which topology, and since which start of the machine.
    case lab(supervisor: ProcessIdentity, topology: String, boot: String)
    /// A namespace to be made, by its node's name.
    case namespace(String)
    /// A namespace that was made: the supervisor's descriptor, and the namespace's identity.
    case held(String, descriptor: Int32, identity: UInt64)
    /// A link to be made, by its name and how.
    case link(String, GroundPlan.LinkKind)
    /// A process that was started, with what it is for.
    case process(ProcessIdentity, role: String)
    /// A name below /run/netns to be given to the namespace of that identity.
    case name(String, identity: UInt64)
    /// A kernel object to be kept by a file.
    case pin(String)
    /// A link to be made outside the lab's namespaces, which will carry the lab's mark.
    case outsideLink(String)
    /// A queueing discipline to be put on an interface outside the lab's namespaces, of that kind and handle.
    case discipline(interface: String, kind: String, handle: UInt32)
}

extension LabRecord {
    /// The record as a line of JSON.
    var line: String {
        var text = ""
        text.reserveCapacity(96)
        func key(_ name: String) {
            text += text.isEmpty ? "{\"" : ",\""
            text += name
            text += "\":"
        }
        func put(_ name: String, _ value: String) {
            key(name)
            text += quoted(value)
        }
        func put(_ name: String, _ value: some BinaryInteger) {
            key(name)
            text += String(value)
        }
        put("record", kind)
        switch self {
        case .lab(let supervisor, let topology, let boot):
            put("pid", supervisor.number)
            put("start", supervisor.start)
            put("topology", topology)
            put("boot", boot)
        case .namespace(let name), .pin(let name), .outsideLink(let name): put("name", name)
        case .held(let name, let descriptor, let identity):
            put("name", name)
            put("descriptor", descriptor)
            put("identity", identity)
        case .link(let name, let kind):
            put("name", name)
            put("kind", kind.rawValue)
        case .process(let process, let role):
            put("pid", process.number)
            put("start", process.start)
            put("role", role)
        case .name(let name, let identity):
            put("name", name)
            put("identity", identity)
        case .discipline(let interface, let kind, let handle):
            put("interface", interface)
            put("kind", kind)
            put("handle", handle)
        }
        return text + "}\n"
    }

    private var kind: String {
        switch self {
        case .lab: "lab"
        case .namespace: "namespace"
        case .held: "held"
        case .link: "link"
        case .process: "process"
        case .name: "name"
        case .pin: "pin"
        case .outsideLink: "outsideLink"
        case .discipline: "discipline"
        }
    }

    /// Reads a line; nil for one that was cut off or is of another kind.
    init?(line: some StringProtocol) {
        guard let value = try? JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any],
            let kind = value["record"] as? String
        else { return nil }
        let fields = Fields(value: value)
        guard let record = Self.record(kind, fields) else { return nil }
        self = record
    }

    private static func record(_ kind: String, _ fields: Fields) -> LabRecord? {
        switch (kind, fields.text("name")) {
        case ("lab", _):
            guard let supervisor = fields.process, let boot = fields.text("boot") else { return nil }
            return .lab(supervisor: supervisor, topology: fields.text("topology") ?? "", boot: boot)
        case ("namespace", let name?): return .namespace(name)
        case ("held", let name?):
            guard let descriptor = fields.integer("descriptor", Int32.self),
                let identity = fields.integer("identity", UInt64.self)
            else { return nil }
            return .held(name, descriptor: descriptor, identity: identity)
        case ("link", let name?):
            return fields.text("kind").flatMap { GroundPlan.LinkKind(rawValue: $0) }.map { .link(name, $0) }
        case ("process", _): return fields.process.map { .process($0, role: fields.text("role") ?? "") }
        case ("name", let name?): return fields.integer("identity", UInt64.self).map { .name(name, identity: $0) }
        case ("pin", let name?): return .pin(name)
        case ("outsideLink", let name?): return .outsideLink(name)
        case ("discipline", _):
            guard let interface = fields.text("interface"), let kind = fields.text("kind"),
                let handle = fields.integer("handle", UInt32.self)
            else { return nil }
            return .discipline(interface: interface, kind: kind, handle: handle)
        default: return nil
        }
    }
}

/// The fields of one line.
private struct Fields {
    let value: [String: Any]

    func text(_ name: String) -> String? { value[name] as? String }

    func integer<Number: FixedWidthInteger>(_ name: String, _: Number.Type) -> Number? {
        (value[name] as? NSNumber).flatMap { Number(exactly: $0.uint64Value) }
    }

    var process: ProcessIdentity? {
        guard let number = integer("pid", Int32.self), let start = integer("start", UInt64.self) else { return nil }
        return ProcessIdentity(number: number, start: start)
    }
}

/// A text as JSON has it (RFC 8259 §7).
private func quoted(_ text: String) -> String {
    let needsEscape = text.utf8.contains { $0 < 0x20 || $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "\\") }
    guard needsEscape else { return "\"\(text)\"" }
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": result += "\\\(scalar)"
        case "\0"..<" ":
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

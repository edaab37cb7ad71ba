import Basics
import Glibc
public import LinuxSystem
import Plan
public import Scenario
import Wire

/// Serves those who connect to a lab, in the lab's own thread.
public final class LabControl {
    private let lab: Lab
    private let listener: UnixListener
    private var clients: [MessageChannel] = []
    private let settings: (_ link: String, [String: String], _ direction: String) throws(WordsOfRefusal) -> LinkChange

    /// What a user asked for that cannot be, in his words.
    public struct WordsOfRefusal: Error {
        public let text: String

        public init(_ text: String) {
            self.text = text
        }
    }

    /// A change of a link, read from the words of topology files.
    public struct LinkChange {
        public var link: Int
        public var directions: LinkDirections
        public var settings: LinkSettings

        public init(link: Int, directions: LinkDirections, settings: LinkSettings) {
            self.link = link
            self.directions = directions
            self.settings = settings
        }
    }

    /// Listens at a path; `settings` reads what a user writes of a link.
    public init(
        _ lab: Lab, at path: String,
        settings: @escaping (_ link: String, [String: String], _ direction: String) throws(WordsOfRefusal) -> LinkChange
    ) throws(SystemError) {
        self.lab = lab
        self.settings = settings
        listener = try UnixListener(at: path)
    }

    /// Runs the lab until somebody wants it down, or until `attend` throws.
    public func serve(_ attend: () throws(LabError) -> Void) throws(LabError) {
        while true {
            try attend()
            let own = [listener.descriptor.number] + clients.map(\.descriptor)
            let ready = try lab.turn(waiting: .milliseconds(500), besides: own)
            if ready.contains(listener.descriptor.number) {
                welcome()
            }
            for client in clients where ready.contains(client.descriptor) {
                if try !serve(client) { return }
            }
        }
    }

    private func welcome() {
        do throws(SystemError) {
            clients.append(MessageChannel(try listener.accept()))
        } catch {}  // It has hung up already.
    }

    /// Answers what a client asks; false where the lab is to end.
    private func serve(_ client: MessageChannel) throws(LabError) -> Bool {
        do throws(SystemError) {
            guard try client.fill() else {
                clients.removeAll { $0 === client }
                return true
            }
            while let order = try client.next(LabOrder.self) {
                if case .down = order {
                    lab.end()
                    try client.send(LabAnswer.done)
                    return false
                }
                try answer(order, client)
            }
        } catch {
            // Whoever speaks nonsense is hung up on.
            clients.removeAll { $0 === client }
        }
        return true
    }

    private func answer(_ order: LabOrder, _ client: MessageChannel) throws(SystemError) {
        let result: LabAnswer
        do throws(WordsOfRefusal) {
            result = try answer(to: order)
        } catch {
            result = .refused(error.text)
        }
        try client.send(result)
    }

    private func answer(to order: LabOrder) throws(WordsOfRefusal) -> LabAnswer {
        switch order {
        case .inspect(let name):
            if let name { return .states([lab.state(of: try node(name))]) }
            return .states(lab.nodes(ofKind: .patronus).map { lab.state(of: $0) })
        case .explain(let name, let route): return .explanation(try explanation(of: route, at: try node(name)))
        case .session(let name, let peer, let order): try perform(order, on: peer, at: try node(name))
        case .setLink(let name, let words, let direction):
            let change = try settings(name, words, direction)
            guard lab.isWire(change.link) else {
                throw WordsOfRefusal("link \"\(name)\" is the kernel's own, which does nothing to packets")
            }
            try refusing { () throws(LabError) in
                try lab.perform(
                    .setLink(
                        event: -1, link: change.link, directions: change.directions, changes: change.settings,
                        progress: .one))
            }
        case .setCarrier(let name, let isUp):
            guard let link = lab.topology.linkIndex(named: name) else { throw unknownLink(name) }
            try refusing { () throws(LabError) in
                try lab.perform(.carrier(link: link, directions: .both, isUp: isUp))
            }
        case .place(let name):
            guard let link = lab.topology.linkIndex(named: name) else { throw unknownLink(name) }
            return .place(lab.place(ofLink: link))
        case .down: break
        }
        return .done
    }

    private func perform(_ order: SessionOrder, on peer: String, at node: Int) throws(WordsOfRefusal) {
        let name = lab.topology.nodes[node].name
        let known = lab.topology.nodes[node].kind == .patronus ? lab.sessionNames(of: node) : []
        guard known.count(where: { $0 == peer }) < 2 else {
            throw WordsOfRefusal("\"\(name)\" has several sessions with \"\(peer)\"; give each a \"description\"")
        }
        guard let number = known.firstIndex(of: peer) else {
            let names = known.isEmpty ? "it has none" : "it has those with \(known.joined(separator: ", "))"
            throw WordsOfRefusal("\"\(name)\" has no BGP session with \"\(peer)\"; \(names)")
        }
        if order == .refresh, lab.state(of: node).sessions[number].state != "established" {
            throw WordsOfRefusal("the session of \"\(name)\" with \"\(peer)\" is not up, and there is nobody to ask")
        }
        guard lab.perform(order, onSession: UInt32(number), of: node) else {
            throw WordsOfRefusal("\"\(name)\" does not run")
        }
    }

    private func explanation(of route: String, at node: Int) throws(WordsOfRefusal) -> [String] {
        let (name, kind) = (lab.topology.nodes[node].name, lab.topology.nodes[node].kind)
        guard kind == .patronus else {
            throw WordsOfRefusal("\"\(name)\" is a \(kind.rawValue), which has no BGP to look at")
        }
        guard IPPrefix(route) != nil || IPAddress(route) != nil else {
            throw WordsOfRefusal("\"\(route)\" is no prefix or address; write one such as 10.2.0.0/16 or 10.2.0.10")
        }
        let lines = try refusing { () throws(LabError) in try lab.explanation(ofRoute: route, at: node) }
        guard let lines else { throw WordsOfRefusal("\"\(name)\" does not answer") }
        guard !lines.isEmpty else { throw WordsOfRefusal("\"\(name)\" knows no path to \(route)") }
        return lines
    }

    private func node(_ name: String) throws(WordsOfRefusal) -> Int {
        let names = lab.topology.nodes.map(\.name)
        if let node = names.firstIndex(of: name) { return node }
        throw WordsOfRefusal("there is no node \"\(name)\"; there are \(names.joined(separator: ", "))")
    }

    private func unknownLink(_ name: String) -> WordsOfRefusal {
        WordsOfRefusal(
            "there is no link \"\(name)\"; there are \(lab.topology.links.map(\.name).joined(separator: ", "))")
    }

    private func refusing<Value: ~Copyable>(
        _ body: () throws(LabError) -> Value
    ) throws(WordsOfRefusal) -> Value {
        do throws(LabError) { return try body() } catch { throw WordsOfRefusal("\(error)") }
    }
}

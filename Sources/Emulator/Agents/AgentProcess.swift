import Glibc
import LinuxSystem

/// The lab's end of an agent: its process, and the channel to it.
final class AgentProcess {
    let node: Int
    let role: AgentTask.Role
    /// Of its machine's lives the one that it is, as in its task.
    let life: UInt64
    /// For messages to people: the machine's name, and what it does where that is not plain.
    let title: String
    private var child: ProgramChild
    private(set) var isReady = false
    private(set) var report: AgentReport?
    /// Why it ended before it was asked to.
    private(set) var failure: String?
    private(set) var hasEnded = false
    /// What it answered of the route that it was asked of last.
    private(set) var explanation: [String]?
    private var askedRoute: String?

    /// Starts an agent in a namespace and hands it its task; with a log, its standard streams are apart from ours.
    init(
        _ task: AgentTask, title: String, program: String, namespace: borrowing NetworkNamespace, log: String?
    ) throws(SystemError) {
        node = task.node
        role = task.role
        life = task.life
        self.title = title
        let inherited = try FileDescriptor.duplicate(of: namespace.descriptorNumber, from: 64)
        let inheritances = [ChildProcess.Inheritance(inherited.number, as: ProgramChild.namespaceDescriptor)]
        if let log {
            let streams = try StandardStreams(log: log)
            child = try ProgramChild(program, ["agent"], inheriting: inheritances + streams.inheritances)
        } else {
            child = try ProgramChild(program, ["agent"], inheriting: inheritances)
        }
        try child.channel.send(AgentOrder.task(task))
    }

    var identifier: Int32 { child.process.identifier }

    /// Readable when the agent has said something, or ended.
    var descriptor: Int32 { child.channel.descriptor }

    func order(_ order: AgentOrder) {
        guard !hasEnded else { return }
        // An agent that is gone is noticed where its words are read.
        try? child.channel.send(order)
    }

    /// Asks of a route; the answer is the next ``explanation``.
    func explain(_ route: String) {
        explanation = nil
        askedRoute = route
        order(.explain(route: route))
    }

    /// Takes in what the agent has said; telemetry goes to `receive`.
    func listen(_ receive: ([AgentRecord]) -> Void) {
        do throws(SystemError) {
            let isOpen = try child.channel.fill()
            while let word = try child.channel.next(AgentWord.self) { take(word, receive) }
            if !isOpen { end() }
        } catch {
            failure = failure ?? "\(error)"
            end()
        }
    }

    private func take(_ word: AgentWord, _ receive: ([AgentRecord]) -> Void) {
        switch word {
        case .ready: isReady = true
        case .telemetry(let records): receive(records)
        case .finished(let report): self.report = report
        case .explained(let route, let lines):
            // One that comes too late answers a question that nobody asks any more.
            if route == askedRoute { explanation = lines }
        case .failed(let reason): failure = reason
        }
    }

    private func end() {
        hasEnded = true
        guard report == nil, failure == nil else { return }
        switch child.process.wait(milliseconds: 1_000) {
        case .exited(let status): failure = "it ended with status \(status)"
        case .killed(let signal): failure = "it was ended by signal \(signal)"
        case nil: failure = "it hung up"
        }
    }

    /// Kills the agent, as a scenario wants it or because the lab ends.
    func kill() {
        hasEnded = true
        child.process.kill()
    }
}

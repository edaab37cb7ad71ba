public import Basics
import Endpoints
import Links
public import LinuxSystem
import Plan
public import Scenario
import Telemetry
public import Traffic

// A lab: the ground, the wire, and a process for each machine, driven by one thread.
//
// Way in: a `LabRequest`. `init` makes everything and waits until every agent has what it needs; `start` gives all
// machines one instant zero; `run(until:)` listens to agents and does what the timeline has due; `finish` asks for
// reports and makes the record that the simulator makes too. Whatever happens in between, all of it goes with this
// value: agents are killed and namespaces closed.

/// What a lab is to be.
public struct LabRequest: Sendable {
    public var scenario: Scenario
    public var seed: UInt64
    /// The conversations that its traffic repeats, by the index of its entry.
    public var replays: [ReplayScript?]
    /// The files that the scenario was read from, the scenario's first.
    public var inputs: [AgentTask.Input]
    /// Unique among the labs of this machine.
    public var name: LabName
    /// The program that runs agents, as `PROGRAM agent`.
    public var program: String
    /// Whether what nodes say is kept for a record.
    public var keepsTelemetry: Bool
    /// Whether the lab outlives the terminal it was made at: what its machines have to say goes to its log then, and
    /// its links are such as can be changed.
    public var isKept = false

    public init(
        scenario: Scenario, seed: UInt64, replays: [ReplayScript?] = [], inputs: [AgentTask.Input], name: LabName,
        program: String, keepsTelemetry: Bool = true
    ) {
        self.scenario = scenario
        self.seed = seed
        self.replays = replays
        self.inputs = inputs
        self.name = name
        self.program = program
        self.keepsTelemetry = keepsTelemetry
    }
}

/// A topology as a living thing on this kernel.
public final class Lab {
    let request: LabRequest
    let plan: RunPlan
    public let journal: LabJournal
    var ground: Ground
    private(set) var wire: UserspaceWire?
    /// The wire's number of each link; nil where a link is a veth.
    private(set) var wireNumbers: [Int?]
    var timeline: Timeline
    var ramps = LinkRamps()
    var agents: [AgentProcess] = []
    private(set) var commands: [LinuxCommand] = []
    /// Held by a run that a wire may make invalid; a lab that lives for days shall not hold it.
    private var awake: WakefulProcessors?
    /// The veths at which nodes' data planes send and receive.
    private var preparedVeths = Slab<PreparedVeth>()
    var lives: [UInt64]
    var telemetry: [TimedRecord] = []
    var view: LabView
    public private(set) var clock = MonotonicClock(epoch: .max)

    var scenario: Scenario { request.scenario }
    var topology: Topology { request.scenario.topology }

    /// How long agents may take to be ready.
    private static let patience = Interval.seconds(30)

    /// Makes everything that there will be, and waits until every machine could start.
    public init(_ request: LabRequest) throws(LabError) {
        self.request = request
        plan = RunPlan(request.scenario, replays: request.replays)
        timeline = Timeline(request.scenario)
        view = LabView(request.scenario.topology)
        lives = Array(repeating: 0, count: request.scenario.topology.nodes.count)
        do throws(GroundError) {
            let groundPlan = try GroundPlan(request.scenario, plan, isKept: request.isKept)
            try Ground.checkPrivilege()
            journal = try LabStore.standard.begin(request.name, topology: request.scenario.topology.name)
            do throws(GroundError) {
                ground = try Ground.build(groundPlan, journal: journal)
            } catch {
                try? journal.finish()
                throw error
            }
        } catch {
            throw .ground(error)
        }
        wireNumbers = Array(repeating: nil, count: request.scenario.topology.links.count)
        wire = nil
        try inLab { () throws(SystemError) in
            try connectWire()
            try prepareVeths()
        }
        for node in request.scenario.topology.nodes.indices where hasMachine(node) {
            try startAgent(of: node, .machine, life: 0)
            try prepareNextLife(of: node)
        }
        for attack in AttackPlan.all(of: request.scenario, seed: request.seed) {
            try startAgent(of: attack.device, .attacker(event: attack.event), life: 0)
        }
        try startCommands()
        try waitForAgents()
        receiveInThreads()
    }

    /// Starts what the `linux` nodes are to run.
    private func startCommands() throws(LabError) {
        for node in nodes(ofKind: .linux) { try startCommands(of: node) }
    }

    func startCommands(of node: Int) throws(LabError) {
        let name = topology.nodes[node].name
        for command in ground.plan.namespaces[node].commands {
            try inLab { () throws(SystemError) in
                let started = try LinuxCommand(
                    command, of: node, program: request.program, namespace: try ground.namespace(ofNode: node),
                    log: "\(journal.folder)/\(name).log")
                commands.append(started)
                try journal.add(process: started.identifier, role: "\(name): \(command)")
            }
        }
    }

    /// Ends what runs on a `linux` node, as a power cut does.
    func endCommands(of node: Int) {
        for command in commands where command.node == node { command.kill() }
        commands.removeAll { $0.node == node }
    }

    deinit { end() }

    /// Ends all that the lab runs and removes what its journal speaks of; the rest goes with this value.
    public func end() {
        for agent in agents { agent.kill() }
        for command in commands { command.kill() }
        agents.removeAll()
        commands.removeAll()
        wire?.stop()
        wire = nil
        awake = nil
        try? journal.finish()
    }

    /// Gives a wire those links that are not the kernel's own, and starts it.
    private func connectWire() throws(SystemError) {
        guard ground.plan.links.contains(where: { $0.kind == .wire }) else { return }
        let wire = try UserspaceWire(clock: .startingNow(), seed: request.seed)
        self.wire = wire
        for index in topology.links.indices {
            guard let taps = ground.takeTaps(ofLink: index) else { continue }
            let link = topology.links[index]
            wireNumbers[index] = try wire.add(
                WireLink(
                    link.name, forward: LinkProfile(link.settings(.forward)),
                    reverse: LinkProfile(link.settings(.reverse)),
                    isCaptured: scenario.record.capturedLinks.contains(index)),
                between: taps.first, and: taps.second)
        }
        try wire.start()
        // A kernel that takes no such wish goes on as it did.
        if !request.isKept { awake = try? WakefulProcessors() }
    }

    /// Makes the kernel's own links ready for the data planes of nodes at one of their ends.
    private func prepareVeths() throws(SystemError) {
        for (near, far) in dataplaneVeths {
            let mtu = ground.plan.namespaces[far.namespace].ports[far.port].mtu
            preparedVeths.append(
                try PreparedVeth(
                    ground.interface(ofNode: near.namespace, port: near.port),
                    in: ground.namespace(ofNode: near.namespace),
                    peerIn: ground.namespace(ofNode: far.namespace), leastMTU: mtu, policy: .demand))
        }
    }

    /// The kernel's own links with a data plane at their near end and none at the other.
    private var dataplaneVeths: [(near: GroundPlan.End, far: GroundPlan.End)] {
        guard RunPlan.usesDataplane(scenario) else { return [] }
        return ground.plan.links.filter { $0.kind == .veth }
            .flatMap { [(near: $0.first, far: $0.second), (near: $0.second, far: $0.first)] }
            .filter { end in
                ground.plan.namespaces[end.near.namespace].kind == .patronus
                    && ground.plan.namespaces[end.far.namespace].kind != .patronus
            }
    }

    /// Keeps what one end of a kernel's link sends to the other out of the wire's time.
    ///
    /// A kernel that has no threads for that goes on as it did.
    private func receiveInThreads() {
        for end in dataplaneVeths.flatMap({ [$0.near, $0.far] }) {
            let interface = ground.interface(ofNode: end.namespace, port: end.port)
            try? ThreadedReceiving.begin(on: interface, in: ground.namespace(ofNode: end.namespace))
        }
    }

    /// Whether a process runs for a node of the topology.
    private func hasMachine(_ node: Int) -> Bool {
        switch topology.nodes[node].kind {
        case .patronus: true
        case .host: !plan.flows.configuration(of: node, in: scenario).flows.isEmpty
        default: false
        }
    }

    /// Starts the process of a machine's next life where the timeline has one, so that it can begin at once when due.
    func prepareNextLife(of node: Int) throws(LabError) {
        guard hasMachine(node) else { return }
        let isScripted = timeline.upcoming.contains { entry in
            if case .start(node: node) = entry.action { true } else { false }
        }
        if isScripted { try startAgent(of: node, .machine, life: lives[node] + 1) }
    }

    private func startAgent(of node: Int, _ role: AgentTask.Role, life: UInt64) throws(LabError) {
        let task = AgentTask(inputs: request.inputs, seed: request.seed, node: node, role: role, life: life)
        let name = topology.nodes[node].name
        let title = role == .machine ? name : "the attacker at \(name)"
        try inLab { () throws(SystemError) in
            let agent = try AgentProcess(
                task, title: title, program: request.program, namespace: try ground.namespace(ofNode: node),
                log: request.isKept ? "\(journal.folder)/log" : nil)
            agents.append(agent)
            try journal.add(process: agent.identifier, role: title)
        }
    }

    private func waitForAgents() throws(LabError) {
        let deadline = MonotonicClock.startingNow()
        while !agents.allSatisfy(\.isReady) {
            try turn(waiting: .milliseconds(100))
            guard deadline.now < .zero + Self.patience else {
                let late = agents.filter { !$0.isReady }.map(\.title).joined(separator: ", ")
                throw .agent(late, reason: "not ready after \(Self.patience)")
            }
        }
    }

    /// Gives all machines, and the wire, one instant zero, which comes a moment later.
    public func start() {
        clock = MonotonicClock(epoch: MonotonicClock.kernelReading() + 100_000_000)
        for agent in agents where agent.life == lives[agent.node] { agent.order(.go(epoch: clock.epoch)) }
    }

    /// Lets time pass until an instant, and does meanwhile what the timeline wants.
    ///
    /// `attend` is asked now and then whether to go on; what it throws ends the run.
    public func run(until end: Instant, attend: (Instant) throws(LabError) -> Void) throws(LabError) {
        while true {
            while let action = timeline.takeDue(at: clock.now) { try perform(action) }
            let now = clock.now
            guard now < end else { return }
            try attend(now)
            let next = min(timeline.next ?? .never, end)
            try turn(waiting: min(max(next - now, .zero), .milliseconds(50)))
        }
    }

    /// Waits for something to happen among the agents, and takes it in.
    ///
    /// Returns those of the other descriptors that have something to read.
    @discardableResult
    func turn(waiting: Interval, besides others: [Int32] = []) throws(LabError) -> [Int32] {
        let living = agents.filter { !$0.hasEnded }
        let ready = readableDescriptors(among: living.map(\.descriptor) + others, within: waiting)
        guard !ready.isEmpty else { return [] }
        for agent in living where ready.contains(agent.descriptor) {
            agent.listen { records in take(records, of: agent.node) }
            if let failure = agent.failure { throw .agent(agent.title, reason: failure) }
        }
        return others.filter { ready.contains($0) }
    }

    private func take(_ records: [AgentRecord], of node: Int) {
        for record in records {
            view.take(record.record, of: node)
            guard request.keepsTelemetry else { continue }
            telemetry.append(TimedRecord(at: record.at, node: node, record: record.record))
        }
    }

    /// What a node says of itself.
    public func state(of node: Int) -> NodeState {
        view.state(of: node, peers: plan.sessionNames(of: node, in: topology), at: clock.now)
    }

    /// Why a node's packets to a prefix or an address go where they go, in lines; nil where it does not answer.
    func explanation(ofRoute route: String, at node: Int) throws(LabError) -> [String]? {
        guard let agent = machine(of: node) else { return nil }
        agent.explain(route)
        let asked = MonotonicClock.startingNow()
        while agent.explanation == nil, !agent.hasEnded, asked.now < .zero + .seconds(5) {
            try turn(waiting: .milliseconds(100))
        }
        return agent.explanation
    }

    /// The end of a link at which its packets can be seen: a node's own ports hand theirs to its data plane first.
    func place(ofLink index: Int) -> LabPlace {
        let link = topology.links[index]
        let end = topology.nodes[link.first.node].kind == .patronus ? link.second : link.first
        return LabPlace(node: topology.nodes[end.node].name, interface: end.port)
    }

    /// The nodes of a kind, by index.
    func nodes(ofKind kind: NodeKind) -> [Int] {
        topology.nodes.indices.filter { topology.nodes[$0].kind == kind }
    }
}

import Emulator
import Glibc
import LinuxSystem
import Plan
import Scenario
import ScenarioFiles

// A supervisor that a test kills: it builds the lab of a scenario, with one of everything that outlives it.
//   ground-victim STATE SCENARIO LAB STEP [USER]
// At the journal's record STEP it kills itself, before what the record announces is made; with 0 it says "up" and
// waits. As USER, a number, it has no privileges.

func fail(_ text: String, status: Int32) -> Never {
    let octets = Array((text + "\n").utf8)
    _ = write(2, octets, octets.count)
    exit(status)
}

let arguments = CommandLine.arguments
guard arguments.count >= 5, let lab = LabName(arguments[3]), let last = Int(arguments[4]) else {
    fail("usage: ground-victim STATE SCENARIO LAB STEP [USER]", status: 64)
}
guard let scenario = try? ScenarioLoader(.disk).load(arguments[2]).scenario else { fail("no scenario", status: 2) }
if arguments.count > 5, let user = UInt32(arguments[5]), setuid(user) != 0 { fail("no such user", status: 64) }

/// Starts what a supervisor starts, and a child that would outlive it.
func startChild(_ journal: LabJournal) throws(SystemError) {
    var child = pid_t()
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    // Who waits for this process to end must not wait for the child.
    for stream in [STDOUT_FILENO, STDERR_FILENO] {
        posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_WRONLY, 0)
    }
    let words: [UnsafeMutablePointer<CChar>?] = [strdup("/bin/sleep"), strdup("300"), nil]
    guard posix_spawn(&child, "/bin/sleep", &actions, nil, words, environ) == 0 else { return }
    try journal.add(process: child, role: "sleep")
}

/// Makes a veth in the namespace that stands for the machine, marked as the lab's.
func makeOutsideLink(_ journal: LabJournal) throws(SystemError) {
    try journal.write(.outsideLink("out-\(lab.text)"))
    var routes = try RouteSocket()
    try routes.change {
        $0.createVeth(VethEnd("out0"), peer: VethEnd("out1"))
        for name in ["out0", "out1"] { $0.changeLink(.named(name), LinkChange(alias: lab.mark(of: "machine", name))) }
    }
}

func build() throws(GroundError) {
    try Ground.checkPrivilege()
    let journal = try LabStore(root: arguments[1]).begin(lab, topology: scenario.topology.name) { number in
        if number == last { kill(getpid(), SIGKILL) }
    }
    let plan = try GroundPlan(scenario, RunPlan(scenario, replays: []))
    let ground = try Ground.build(plan, journal: journal)
    for index in 0..<2 { try ground.publish(node: index, journal: journal) }
    do throws(SystemError) {
        try makeOutsideLink(journal)
        try startChild(journal)
    } catch {
        throw .kernel(error)
    }
    _ = write(1, "up\n", 3)
    while true { pause() }
}

do throws(GroundError) {
    try build()
} catch {
    if case .lacksPrivilege = error { fail("\(error)", status: 4) }
    fail("\(error)", status: 1)
}

import Basics
import Emulator
import Glibc
import LinuxSystem
import Plan
import Scenario

// What a lab of hosts in a ring costs to come up: namespaces, veths, addresses, routes, parameters, marks, journal.
//   patronus-lab-bench [--peers FOLDER]
// Beside it, with the folder of the peers' programs, `ip -batch` and Mininet's chain of hosts without switches. CPU is
// that of the process and of all that it started; the kernel's own threads only take things away later.

func write(_ text: String, to descriptor: Int32) {
    let octets = Array((text + "\n").utf8)
    _ = Glibc.write(descriptor, octets, octets.count)
}

func complain(_ text: String) { write(text, to: 2) }

/// Past the C library's buffer: lines of the peers' programs come in between.
func report(_ line: String) { write(line, to: 1) }

var peers: String?
if CommandLine.arguments.count == 3, CommandLine.arguments[1] == "--peers" {
    peers = CommandLine.arguments[2]
} else if CommandLine.arguments.count != 1 {
    complain("usage: patronus-lab-bench [--peers FOLDER]")
    exit(64)
}

/// CPU seconds of this process and of what it has waited for.
func cpuSeconds(ofChildren: Bool = false) -> Double {
    var usage = rusage()
    getrusage(ofChildren ? RUSAGE_CHILDREN.rawValue : RUSAGE_SELF.rawValue, &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1e6 }
    return seconds(usage.ru_utime) + seconds(usage.ru_stime)
}

func wallSeconds() -> Double { Double(MonotonicClock.kernelReading()) / 1e9 }

func text(_ value: Double, _ digits: Double) -> String { "\((value * digits).rounded() / digits)" }

/// The ring as a plan; what a scenario comes to is no part of what is measured.
func ring(_ count: Int) throws(GroundError) -> GroundPlan {
    let topology = Topology(
        name: "ring", nodes: (0..<count).map { TopologyNode(name: "h\($0)", kind: .host) },
        links: (0..<count).map { LinkDeclaration(EndDeclaration($0), EndDeclaration(($0 + 1) % count)) })
    let scenario = Scenario(name: "ring", topology: topology, duration: .seconds(1))
    return try GroundPlan(scenario, RunPlan(scenario, replays: []))
}

struct Cost {
    var cpu = Double.infinity
    var wall = Double.infinity
    var down = 0.0
}

func bringUp(_ plan: GroundPlan, _ store: LabStore, _ lab: LabName) throws(GroundError) -> Cost {
    let (cpu, wall) = (cpuSeconds(), wallSeconds())
    let journal = try store.begin(lab, topology: plan.topology)
    let ground = try Ground.build(plan, journal: journal)
    var cost = Cost(cpu: cpuSeconds() - cpu, wall: wallSeconds() - wall)
    let start = wallSeconds()
    ground.tearDown()
    cost.down = wallSeconds() - start
    try journal.finish()
    return cost
}

/// The best of some runs, with the worst of the calls that let go, as one line of JSON.
func measure(_ count: Int, runs: Int, limit: Double) throws(GroundError) -> String {
    let folder = "/tmp/patronus-lab-bench-\(getpid())"
    defer {
        rmdir("\(folder)/labs")
        rmdir(folder)
    }
    let plan = try ring(count)
    let lab = LabName(forTopology: "bench-\(getpid())")
    var best = Cost()
    for _ in 0..<runs {
        let cost = try bringUp(plan, LabStore(root: folder), lab)
        let down = max(best.down, cost.down)
        if cost.cpu < best.cpu { best = cost }
        best.down = down
        // What was let go of is taken away by the kernel, which would be in the next run's way.
        usleep(UInt32(count) * 2_000)
    }
    return "{\"bench\":\"lab-\(count)\",\"cpu_s\":\(text(best.cpu, 1e3)),\"limit_cpu_s\":\(limit),"
        + "\"wall_s\":\(text(best.wall, 1e3)),\"down_ms\":\(text(best.down * 1e3, 10)),\"limit_down_ms\":20,"
        + "\"per_cpu_s\":\((Double(count) / best.cpu).rounded())}"
}

/// Runs a program to its end; false where it failed.
@discardableResult
func run(_ words: [String]) -> Bool {
    let pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for pointer in pointers { free(pointer) } }
    var process = pid_t()
    guard posix_spawnp(&process, words[0], nil, nil, pointers, environ) == 0 else { return false }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0, errno == EINTR {}
    return status == 0
}

func measureBatch(_ count: Int, _ script: String) {
    let folder = "/tmp/pbench\(getpid())"
    mkdir(folder, 0o700)
    defer { run(["rm", "-r", folder]) }
    let (cpu, wall) = (cpuSeconds(ofChildren: true), wallSeconds())
    let isUp = run([script, "up", "\(count)", folder])
    let (used, took) = (cpuSeconds(ofChildren: true) - cpu, wallSeconds() - wall)
    let start = wallSeconds()
    run([script, "down", "\(count)", folder])
    let down = wallSeconds() - start
    guard isUp else { return complain("patronus-lab-bench: ip -batch failed") }
    report(
        "{\"bench\":\"lab-\(count)\",\"peer\":\"ip-batch\",\"cpu_s\":\(text(used, 1e3)),\"wall_s\":\(text(took, 1e3)),"
            + "\"down_ms\":\(text(down * 1e3, 10)),\"per_cpu_s\":\((Double(count) / used).rounded())}")
}

do throws(GroundError) {
    report(try measure(100, runs: 5, limit: 0.2))
    report(try measure(1_000, runs: 2, limit: 2))
} catch {
    complain("patronus-lab-bench: \(error)")
    exit(1)
}
if let peers {
    measureBatch(100, "\(peers)/ip-batch.sh")
    if access("/usr/bin/mnexec", X_OK) != 0 {
        complain("patronus-lab-bench: Mininet is left out, for it is not installed")
    } else if !run(["unshare", "--net", "\(peers)/mininet-chain.py", "100"]) {
        complain("patronus-lab-bench: Mininet failed")
    }
}

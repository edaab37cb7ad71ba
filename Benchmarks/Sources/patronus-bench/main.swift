import Basics

// Each benchmark by name; `all` runs every one. A second argument scales the size.
let arguments = CommandLine.arguments
let chosen = arguments.count > 1 ? arguments[1] : "all"
let size = arguments.count > 2 ? Int64(arguments[2]) ?? 1 : 1

let benchmarks: [(name: String, run: () -> Measurement)] = [
    ("queue-1k", { benchmarkQueue(pending: 1_000, events: 5_000_000 * Int(size)) }),
    ("queue-100k", { benchmarkQueue(pending: 100_000, events: 5_000_000 * Int(size)) }),
    ("queue-1M", { benchmarkQueue(pending: 1_000_000, events: 5_000_000 * Int(size)) }),
    ("chain-8", { benchmarkHops("chain-8", Worlds.chain(of: 8, seconds: 1 + 10 * size), warmup: .seconds(1)) }),
    ("chain-64", { benchmarkHops("chain-64", Worlds.chain(of: 64, seconds: size), warmup: .zero) }),
    ("star-200", { benchmarkHops("star-200", Worlds.star(of: 200, seconds: 1 + 3 * size), warmup: .seconds(1)) }),
    ("star-8", { benchmarkHops("star-8", Worlds.star(of: 8, seconds: 1 + 3 * size), warmup: .seconds(1)) }),
    ("overlay", { benchmarkHops("overlay", Worlds.overlay(seconds: 1 + 10 * size), warmup: .seconds(11)) }),
    ("bpf-alu", { benchmarkInterpreter("bpf-alu", BPFPrograms.arithmetic, runs: 1_000 * Int(size)) }),
    ("bpf-packet", { benchmarkInterpreter("bpf-packet", BPFPrograms.packet, runs: 500_000 * Int(size)) }),
    ("tcp", { benchmarkTransfer(seconds: 20 * size) }),
    (
        "mesh-50",
        {
            benchmarkHops(
                "mesh-50",
                Worlds.mesh(sites: 50, callsPerSite: 10, seconds: 10 + 10 * size, usesDataplane: false),
                warmup: .seconds(10))
        }
    ),
    (
        "mesh-50-xdp",
        {
            benchmarkHops(
                "mesh-50-xdp", Worlds.mesh(sites: 50, callsPerSite: 10, seconds: 10 + 10 * size), warmup: .seconds(10))
        }
    ),
]

for benchmark in benchmarks + bgpBenchmarks(routes: 1_000_000 * Int(size))
where chosen == "all" || chosen == benchmark.name {
    print(benchmark.run().line)
}

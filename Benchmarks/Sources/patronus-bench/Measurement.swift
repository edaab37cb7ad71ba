import Glibc

/// What one benchmark found, printed as one line of JSON.
struct Measurement {
    let name: String
    /// What was counted: `events`, `hops`, `segments`.
    let unit: String
    let count: UInt64
    let cpuSeconds: Double
    var details: [(key: String, value: Double)] = []

    var line: String {
        var fields = [
            "\"bench\":\"\(name)\"", "\"\(unit)\":\(count)", "\"cpu_s\":\(cpuSeconds)",
            "\"per_cpu_s\":\(cpuSeconds > 0 ? Double(count) / cpuSeconds : 0)",
        ]
        fields += details.map { "\"\($0.key)\":\($0.value)" }
        fields.append("\"peak_mib\":\(peakMebibytes())")
        return "{" + fields.joined(separator: ",") + "}"
    }
}

/// CPU seconds of this process, user and system.
func processSeconds() -> Double {
    var usage = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &usage)
    return Double(usage.tv_sec) + Double(usage.tv_nsec) / 1e9
}

/// The most memory that the process ever held.
func peakMebibytes() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage)
    return Double(usage.ru_maxrss) / 1_024
}

/// CPU seconds that `body` took.
func measure(_ body: () -> Void) -> Double {
    let start = processSeconds()
    body()
    return processSeconds() - start
}

/// The memory that the process holds now.
func residentMebibytes() -> Double {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 256)
    guard fgets(&buffer, 256, file) != nil else { return 0 }
    let fields = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self).split(
        separator: " ")
    let pages = fields.count > 1 ? Double(fields[1]) ?? 0 : 0
    return pages * Double(sysconf(Int32(_SC_PAGESIZE))) / 1_048_576
}

import Glibc

/// CPU seconds of this process and of the kernel's threads that take over what it leaves (ksoftirqd).
func cpuSeconds() -> Double {
    var usage = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &usage)
    let own = Double(usage.tv_sec) + Double(usage.tv_nsec) / 1e9
    return softirqThreads.reduce(own) { $0 + nanoseconds(of: $1) / 1e9 }
}

/// The numbers of the threads named ksoftirqd.
private let softirqThreads: [String] = {
    guard let folder = opendir("/proc") else { return [] }
    defer { closedir(folder) }
    var found: [String] = []
    while let entry = readdir(folder) {
        let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if name.allSatisfy(\.isNumber), firstLine(of: "/proc/\(name)/comm").hasPrefix("ksoftirqd/") {
            found.append(name)
        }
    }
    return found
}()

/// How long a thread has run, by its scheduling statistics.
private func nanoseconds(of thread: String) -> Double {
    firstLine(of: "/proc/\(thread)/schedstat").split(separator: " ").first.flatMap { Double($0) } ?? 0
}

private func firstLine(of path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var buffer = [CChar](repeating: 0, count: 256)
    guard fgets(&buffer, 256, file) != nil else { return "" }
    return String(decoding: buffer.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

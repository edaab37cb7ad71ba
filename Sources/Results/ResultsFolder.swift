import Foundation
import Glibc
import Synchronization

/// A results folder in the making: it grows beside its target and takes its place only when it is whole.
///
/// An existing folder of results stays as it is until ``commit()``, which exchanges the two
/// in one step. What an interrupted run leaves behind, `.NAME.partial-PID`, is removed
/// when the same results are written next. ``discard()`` may be called from any thread,
/// as a signal's handler does.
public final class ResultsFolder: Sendable {
    /// Where the results will be.
    public let path: String
    /// Where they are until then.
    private let partialPath: String
    /// Held locked as long as this process writes, so that nobody takes the folder for a leftover.
    private let lock: Int32
    private let isOpen = Mutex(true)

    /// Starts a folder that will be at `path`.
    ///
    /// Refused at once where something lies there that is no folder of results, since it would be replaced.
    public init(at path: String) throws(ResultsError) {
        let target = URL(filePath: path).standardizedFileURL
        let targetPath = Self.withoutTrailingSlash(target.path(percentEncoded: false))
        let parent = target.deletingLastPathComponent().path(percentEncoded: false)
        try Self.checkReplaceable(targetPath)
        do {
            try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
        } catch {
            throw ResultsError(path, "the folder around it cannot be made; \(words(of: error))")
        }
        let stem = ".\(target.lastPathComponent).partial-"
        Self.removeLeftovers(in: parent, stem: stem)
        let partial = "\(Self.withoutTrailingSlash(parent))/\(stem)\(getpid())"
        guard mkdir(partial, 0o777) == 0 else {
            throw ResultsError(path, errno == EEXIST ? "another run writes there now" : "\(systemWords(errno))")
        }
        self.path = targetPath
        partialPath = partial
        lock = open(partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        _ = flock(lock, LOCK_EX | LOCK_NB)
    }

    deinit {
        discard()
        close(lock)
    }

    /// The folder's files, by their names within it.
    func file(_ name: String) -> String { "\(partialPath)/\(name)" }

    /// Opens one capture for each of these links, in `pcap/`.
    public func openCaptures(ofLinks names: [String]) throws(ResultsError) -> [PcapWriter.Path] {
        guard !names.isEmpty else { return [] }
        let folder = file("pcap")
        guard mkdir(folder, 0o777) == 0 || errno == EEXIST else { throw ResultsError(folder, systemWords(errno)) }
        return PcapWriter.fileNames(ofLinks: names).map { PcapWriter.Path("\(folder)/\($0)") }
    }

    /// Writes the summary, the database and the report.
    public func write(_ results: RunResults) throws(ResultsError) {
        let model = ReportModel(results)
        try RunDatabase.write(results, report: model, to: file("run.sqlite"))
        try writeFile("report.html", ReportPage(model).text)
        try writeFile("summary.json", results.summaryJSON)
    }

    /// Takes the target's place; what was there before is removed after that.
    public func commit() throws(ResultsError) {
        try isOpen.withLock { isOpen throws(ResultsError) in
            guard isOpen else { throw ResultsError(path, "the results have been discarded") }
            try Self.checkReplaceable(path)
            try takePlace()
            isOpen = false
        }
    }

    /// Removes what has been written so far, unless it has taken the target's place.
    public func discard() {
        isOpen.withLock { isOpen in
            guard isOpen else { return }
            isOpen = false
            try? FileManager.default.removeItem(atPath: partialPath)
        }
    }

    private func writeFile(_ name: String, _ text: String) throws(ResultsError) {
        do {
            try Data(text.utf8).write(to: URL(filePath: file(name)))
        } catch {
            throw ResultsError("\(path)/\(name)", words(of: error))
        }
    }

    private func takePlace() throws(ResultsError) {
        // The old folder steps aside, and back if the new one cannot take its place.
        let aside = "\(partialPath)-old"
        let hadOld = Glibc.rename(path, aside) == 0
        guard Glibc.rename(partialPath, path) == 0 else {
            let failure = errno
            if hadOld { _ = Glibc.rename(aside, path) }
            throw ResultsError(path, "the finished results cannot be moved there; \(systemWords(failure))")
        }
        if hadOld { try? FileManager.default.removeItem(atPath: aside) }
    }

    private static func checkReplaceable(_ path: String) throws(ResultsError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw ResultsError(path, "this is a file; choose the name of a folder for the results")
        }
        let contents = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        guard contents.isEmpty || (contents.contains("summary.json") && contents.contains("run.sqlite")) else {
            throw ResultsError(
                path, "this folder holds something other than results and would be replaced; choose another one")
        }
    }

    /// Removes the unfinished folders of processes that are gone.
    private static func removeLeftovers(in parent: String, stem: String) {
        for name in (try? FileManager.default.contentsOfDirectory(atPath: parent)) ?? [] {
            guard name.hasPrefix(stem) else { continue }
            let digits = name.dropFirst(stem.count).prefix { $0.isNumber }
            guard let process = pid_t(digits), isGone(process) else { continue }
            let folder = "\(parent)/\(name)"
            let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { try? FileManager.default.removeItem(atPath: folder) }
            close(descriptor)
        }
    }

    /// Whether no such process runs; our own number may have been another's before, as in containers.
    private static func isGone(_ process: pid_t) -> Bool {
        process == getpid() || (kill(process, 0) != 0 && errno == ESRCH)
    }

    private static func withoutTrailingSlash(_ path: String) -> String {
        path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    }
}

/// What the system says of an error number.
func systemWords(_ number: Int32) -> String { String(cString: strerror(number)) }

/// What Foundation's or the system's error says, without its wrapping.
func words(of error: any Error) -> String {
    let wrapped = error as NSError
    if let underlying = wrapped.userInfo[NSUnderlyingErrorKey] as? NSError, underlying.domain == NSPOSIXErrorDomain {
        return systemWords(Int32(truncatingIfNeeded: underlying.code))
    }
    return wrapped.localizedDescription
}

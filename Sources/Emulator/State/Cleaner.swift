import Glibc
import LinuxSystem

/// Removes what one lab's journal speaks of.
///
/// Each thing is looked at before it is removed: a process by when it started, a name by the namespace behind it, a
/// link by its mark, a discipline by its kind and handle. What is gone already is no failure.
struct Cleaner {
    private(set) var removed: [String] = []
    private(set) var failures: [SystemError] = []
    private let lab: LabName

    init(_ lab: LabName) {
        self.lab = lab
    }

    mutating func clean(_ records: [LabRecord]) {
        killProcesses(records)
        var disciplines: [(interface: String, kind: String, handle: UInt32)] = []
        var madeOutside = false
        for record in records.reversed() {
            switch record {
            case .name(let name, let identity): attempt { () throws(SystemError) in try Self.withdraw(name, identity) }
            case .pin(let path): attempt { () throws(SystemError) in try Self.unpin(path) }
            case .outsideLink: madeOutside = true
            case .discipline(let interface, let kind, let handle): disciplines.append((interface, kind, handle))
            case .lab, .namespace, .held, .link, .process: break
            }
        }
        if madeOutside { removeLinks() }
        for discipline in disciplines {
            attempt { () throws(SystemError) in
                try Self.remove(discipline.kind, discipline.handle, from: discipline.interface)
            }
        }
    }

    private mutating func killProcesses(_ records: [LabRecord]) {
        let own = getpid()
        for case .process(let process, let role) in records where process.number != own {
            attempt { () throws(SystemError) in try process.kill() ? "process \(process.number) (\(role))" : nil }
        }
    }

    /// Links of this namespace that carry the lab's mark.
    private mutating func removeLinks() {
        let prefix = lab.markPrefix
        do throws(SystemError) {
            var routes = try RouteSocket()
            for link in try routes.links() where link.alias.hasPrefix(prefix) {
                do throws(SystemError) {
                    try routes.change { $0.deleteLink(.index(link.index)) }
                    removed.append("link \(link.name)")
                } catch  where error.number == ENODEV {
                    // It went with its other end.
                } catch {
                    failures.append(error)
                }
            }
        } catch {
            failures.append(error)
        }
    }

    private mutating func attempt(_ remove: () throws(SystemError) -> String?) {
        do throws(SystemError) {
            if let text = try remove() { removed.append(text) }
        } catch {
            failures.append(error)
        }
    }

    private static func withdraw(_ name: String, _ identity: UInt64) throws(SystemError) -> String? {
        let path = "/run/netns/\(name)"
        guard !name.contains("/"), let status = status(of: path) else { return nil }
        if let namespace = try? NetworkNamespace(at: path) {
            guard try namespace.identity == identity else { return nil }
            try NetworkNamespace.withdraw(name)
            return "name \(name)"
        }
        // The place was made, and nothing was mounted on it yet.
        guard status.st_mode & S_IFMT == S_IFREG, status.st_size == 0 else { return nil }
        return unlink(path) == 0 ? "name \(name)" : nil
    }

    private static func unpin(_ path: String) throws(SystemError) -> String? {
        guard status(of: path) != nil else { return nil }
        try XDPAttachment.unpin(path)
        return "object at \(path)"
    }

    private static func remove(
        _ kind: String, _ handle: UInt32, from interface: String
    ) throws(SystemError) -> String? {
        var routes = try RouteSocket()
        guard let link = try routes.link(.named(interface)) else { return nil }
        let found = try routes.disciplines(on: link.index)
        guard let discipline = found.first(where: { $0.kind == kind && $0.handle == handle }) else { return nil }
        try routes.change { $0.removeDiscipline(discipline) }
        return "\(kind) of \(interface)"
    }

    private static func status(of path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }
}

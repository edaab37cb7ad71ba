import Foundation

/// Where scenario files are read from: the disk, or what an earlier run has stored.
public enum FileSource: Sendable {
    case disk
    /// These files and no others, by the path under which they were read.
    case memory([InputFile])

    /// The octets of a file of at most `limit` bytes.
    func read(_ path: String, limit: Int) throws(FileFailure) -> [UInt8] {
        switch self {
        case .disk:
            return try Self.readFromDisk(path, limit: limit)
        case .memory(let files):
            guard let file = files.first(where: { $0.path == path }) else { throw .missing }
            guard file.bytes.count <= limit else { throw .tooLarge(limit: limit) }
            return file.bytes
        }
    }

    private static func readFromDisk(_ path: String, limit: Int) throws(FileFailure) -> [UInt8] {
        let url = URL(filePath: path).resolvingSymlinksInPath()
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: url.path) else { throw .missing }
        guard attributes[.type] as? FileAttributeType == .typeRegular else { throw .notRegular }
        guard let size = attributes[.size] as? NSNumber, size.intValue <= limit else {
            throw .tooLarge(limit: limit)
        }
        guard let data = try? Data(contentsOf: url) else { throw .unreadable }
        guard data.count <= limit else { throw .tooLarge(limit: limit) }
        return [UInt8](data)
    }
}

/// A file that a scenario was built from.
public struct InputFile: Equatable, Sendable {
    /// As it was asked for, without `.` and `..` inside.
    public var path: String
    public var bytes: [UInt8]

    public init(path: String, bytes: [UInt8]) {
        self.path = path
        self.bytes = bytes
    }
}

/// Why a file could not be read.
enum FileFailure: Error, Equatable {
    case missing
    case notRegular
    case tooLarge(limit: Int)
    case unreadable

    var message: String {
        switch self {
        case .missing: "there is no such file; give a path relative to this file"
        case .notRegular: "this is no regular file; give the path of a file"
        case .tooLarge(let limit): "the file is too large; at most \(limit >> 20) MiB are read"
        case .unreadable: "the file cannot be read; check its permissions"
        }
    }
}

/// Paths as text, without a look at the disk.
enum FilePath {
    /// `path` as seen from the folder of `file`, without `.` and `..` inside.
    static func resolve(_ path: String, from file: String) -> String {
        if path.hasPrefix("/") { return normalized(path) }
        guard let slash = file.lastIndex(of: "/") else { return normalized(path) }
        return normalized(file[...slash] + path)
    }

    static func normalized(_ path: String) -> String {
        var parts: [Substring] = []
        for part in path.split(separator: "/") where part != "." {
            if part == "..", let last = parts.last, last != ".." {
                parts.removeLast()
            } else if part != ".." || !path.hasPrefix("/") {
                parts.append(part)
            }
        }
        return (path.hasPrefix("/") ? "/" : "") + parts.joined(separator: "/")
    }

    /// The last part without its ending: `scenarios/a.json` is `a`.
    static func stem(_ path: String) -> String {
        let last = path.split(separator: "/").last ?? ""
        return String(last.split(separator: ".").first ?? last)
    }

    static func isYAML(_ path: String) -> Bool {
        path.hasSuffix(".yaml") || path.hasSuffix(".yml")
    }
}

import Foundation

/// The files of the project, as this test finds them around itself.
enum Tree {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    /// The folders directly below one of the project's.
    static func folders(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path).filter {
            var isFolder: ObjCBool = false
            let path = root.appending(path: "\(folder)/\($0)").path
            return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
        }.sorted()
    }

    /// The texts below a folder whose names end in one of `suffixes`; none where there is no such folder.
    static func texts(in folder: String, suffixes: [String] = [".swift"]) throws -> [SourceText] {
        let base = root.appending(path: folder).resolvingSymlinksInPath()
        guard let found = FileManager.default.enumerator(atPath: base.path) else { return [] }
        var paths: [String] = []
        while let path = found.nextObject() as? String {
            if path.hasSuffix(".build") {
                found.skipDescendants()
            } else if suffixes.contains(where: path.hasSuffix) {
                paths.append(path)
            }
        }
        return try paths.sorted().map { try text(at: "\(folder)/\($0)") }
    }

    static func text(at path: String) throws -> SourceText {
        SourceText(path: path, try String(contentsOf: root.appending(path: path), encoding: .utf8))
    }

    /// The modules that `scripts/pure-modules` lists.
    static func pureModules() throws -> [String] {
        try text(at: "scripts/pure-modules").lines.filter { !$0.isEmpty && !$0.hasPrefix("#") }.map(String.init)
    }
}

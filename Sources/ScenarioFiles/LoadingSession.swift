/// One reading of a scenario with all the files that it names.
final class LoadingSession {
    let log = FaultLog()
    /// Every file that was read, once, in the order of reading.
    private(set) var inputs: [InputFile] = []
    private let source: FileSource

    init(source: FileSource) {
        self.source = source
    }

    /// The document in a file; faults about its absence go to the value that names it.
    func document(_ path: String, namedBy cursor: Cursor? = nil) -> Cursor? {
        guard let bytes = read(path, limit: DocumentLimits.byteCount, namedBy: cursor) else { return nil }
        let parsed = ParsedDocument(bytes, file: path)
        for fault in parsed.faults { log.add(fault) }
        return parsed.root.map { Cursor(node: $0, file: path, path: "$", log: log) }
    }

    /// The file that a value names, relative to the file in which it stands.
    func attachment(_ cursor: Cursor, expected: String) -> InputFile? {
        guard let name = cursor.string(expected: expected) else { return nil }
        guard !name.isEmpty, !name.unicodeScalars.contains("\0") else {
            cursor.fault("the path is empty or holds a NUL; write \(expected)")
            return nil
        }
        let path = FilePath.resolve(name, from: cursor.file)
        guard let bytes = read(path, limit: DocumentLimits.attachmentByteCount, namedBy: cursor) else { return nil }
        return InputFile(path: path, bytes: bytes)
    }

    private func read(_ path: String, limit: Int, namedBy cursor: Cursor?) -> [UInt8]? {
        log.note(file: path)
        if let known = inputs.first(where: { $0.path == path }) { return known.bytes }
        do throws(FileFailure) {
            let bytes = try source.read(path, limit: limit)
            inputs.append(InputFile(path: path, bytes: bytes))
            return bytes
        } catch {
            if let cursor {
                cursor.fault("\(path): \(error.message)")
            } else {
                log.add(Fault(file: path, line: 1, column: 1, path: "$", message: error.message))
            }
            return nil
        }
    }
}

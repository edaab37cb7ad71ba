import Basics

/// A value under judgement: what it is, where it stands, and where faults go.
struct Cursor {
    let node: DocumentNode
    let file: String
    let path: String
    let log: FaultLog

    var position: Position { node.position }

    func fault(_ message: String, at position: Position? = nil) {
        log.add(entry(message, at: position ?? node.position))
    }

    func warn(_ message: String, at position: Position? = nil) {
        log.warn(entry(message, at: position ?? node.position))
    }

    private func entry(_ message: String, at position: Position) -> Fault {
        Fault(file: file, line: position.line, column: position.column, path: path, message: message)
    }

    private func child(_ node: DocumentNode, _ key: String) -> Cursor {
        Cursor(node: node, file: file, path: path == "$" ? key : "\(path).\(key)", log: log)
    }

    func mismatch(_ expected: String) {
        fault("\(node.kindName) stands here; write \(expected)")
    }

    // MARK: Containers

    /// The members of an object whose keys are all known; faults for those that are not.
    func object(keys: [String]) -> ObjectCursor? {
        guard let members = members(expected: "an object { … }") else { return nil }
        for member in members where !keys.contains(member.key) {
            child(member.value.node, member.key).fault(
                "\"\(shown(member.key))\" is no key here; \(NearestName.advice(for: member.key, among: keys))",
                at: member.keyPosition)
        }
        return ObjectCursor(cursor: self, members: members)
    }

    /// The members of an object whose keys are names.
    func members(expected: String) -> [MemberCursor]? {
        guard case .object(let members) = node.value else {
            mismatch(expected)
            return nil
        }
        return members.map {
            MemberCursor(key: $0.key, keyPosition: $0.keyPosition, value: child($0.node, $0.key))
        }
    }

    /// Whether it is an object with that key.
    func hasMember(_ key: String) -> Bool {
        guard case .object(let members) = node.value else { return false }
        return members.contains { $0.key == key }
    }

    func elements(expected: String) -> [Cursor]? {
        guard case .array(let elements) = node.value else {
            mismatch(expected)
            return nil
        }
        let stem = path == "$" ? "" : path
        return elements.enumerated().map { index, element in
            Cursor(node: element, file: file, path: "\(stem)[\(index)]", log: log)
        }
    }

    // MARK: Plain values

    func string(expected: String = "a string") -> String? {
        guard case .string(let text) = node.value else {
            mismatch(expected)
            return nil
        }
        return text
    }

    /// A name that others refer to: 1 to 64 characters, none of them in `forbidden` or a control character.
    func name(forbidden: String) -> String? {
        guard let text = string(expected: "a name in double quotes") else { return nil }
        return Self.judgeName(text, forbidden: forbidden) { fault($0) } ? text : nil
    }

    static func judgeName(_ text: String, forbidden: String, _ report: (String) -> Void) -> Bool {
        guard !text.isEmpty, text.count <= 64 else {
            report(
                text.isEmpty
                    ? "the name is empty; write at least one letter" : "the name is too long; write at most 64 letters")
            return false
        }
        let bad = text.unicodeScalars.first { scalar in
            scalar.value < 0x20 || scalar.value == 0x7F || forbidden.unicodeScalars.contains(scalar)
        }
        guard let bad else { return true }
        report("\(Self.describe(bad)) may not stand in a name; write letters, digits, \"-\" and \"_\"")
        return false
    }

    private static func describe(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case " ": "a space"
        case _ where scalar.value < 0x20 || scalar.value == 0x7F: "a control character"
        default: "\"\(scalar)\""
        }
    }

    func bool() -> Bool? {
        guard case .bool(let value) = node.value else {
            mismatch("true or false")
            return nil
        }
        return value
    }

    /// A flag that says what happens and has no other value: `"down": true`.
    func flag() {
        guard case .bool(true) = node.value else {
            mismatch("true, or leave the key out")
            return
        }
    }

    func integer(in range: ClosedRange<Int>) -> Int? {
        guard case .number(let text) = node.value else {
            mismatch("a whole number from \(range.lowerBound) to \(range.upperBound), without quotes")
            return nil
        }
        guard let value = Int(text), range.contains(value) else {
            fault("\(text) is out of range; write a whole number from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return value
    }

    func unsigned64() -> UInt64? {
        guard case .number(let text) = node.value, let value = UInt64(text) else {
            if case .number(let text) = node.value {
                fault("\(text) is out of range; write a whole number from 0 to \(UInt64.max)")
            } else {
                mismatch("a whole number, without quotes")
            }
            return nil
        }
        return value
    }

    func number(in range: ClosedRange<Double>, expected: String) -> Double? {
        guard case .number(let text) = node.value else {
            mismatch(expected)
            return nil
        }
        guard let value = Double(text), value.isFinite, range.contains(value) else {
            fault("\(text) is out of range; write \(expected)")
            return nil
        }
        return value
    }

    /// One of an enumeration's words.
    func word<T: CaseIterable & RawRepresentable<String>>(_ type: T.Type, what: String) -> T? {
        let words = T.allCases.map(\.rawValue)
        guard let text = string(expected: "one of " + words.map { "\"\($0)\"" }.joined(separator: ", ")) else {
            return nil
        }
        if let value = T(rawValue: text) { return value }
        fault("there is no \(what) \"\(shown(text))\"; \(NearestName.advice(for: text, among: words))")
        return nil
    }

    /// A text from a file as messages show it: without control characters, and not endless.
    func shown(_ text: String) -> String {
        let clean = String(String.UnicodeScalarView(text.unicodeScalars.prefix(64).map { $0.value < 0x20 ? "?" : $0 }))
        return text.unicodeScalars.count > 64 ? clean + "…" : clean
    }
}

/// A member of an object, with the place of its key.
struct MemberCursor {
    let key: String
    let keyPosition: Position
    let value: Cursor
}

/// An object under judgement.
struct ObjectCursor {
    let cursor: Cursor
    let members: [MemberCursor]

    subscript(key: String) -> Cursor? {
        members.first { $0.key == key }?.value
    }

    func keyPosition(_ key: String) -> Position? {
        members.first { $0.key == key }?.keyPosition
    }

    /// The member of that key; a fault where it is missing, with what to write.
    func required(_ key: String, _ example: String) -> Cursor? {
        if let value = self[key] { return value }
        cursor.fault("\"\(key)\" is missing; write \(example)")
        return nil
    }
}

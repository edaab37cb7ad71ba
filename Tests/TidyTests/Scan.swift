/// Small searches in lines of octets.
extension [UInt8] {
    /// Where `text` starts in the line, from `start` on.
    func find(_ text: String, from start: Int = 0) -> Int? {
        let wanted = Array(text.utf8)
        guard !wanted.isEmpty, count >= wanted.count + start else { return nil }
        return (start...count - wanted.count).first { place in
            self[place] == wanted[0] && self[place..<place + wanted.count].elementsEqual(wanted)
        }
    }

    /// Where `text` starts with no letter, digit or underscore in front of it, or behind it
    /// where it ends in one.
    func findWord(_ text: String) -> Int? {
        var start = 0
        while let place = find(text, from: start) {
            let end = place + text.utf8.count
            let startsApart = place == 0 || !isWordByte(self[place - 1]) || !isWordByte(self[place])
            let endsApart = end == count || !isWordByte(self[end]) || !isWordByte(self[end - 1])
            if startsApart, endsApart { return place }
            start = place + 1
        }
        return nil
    }

    /// The words of the line, with the symbols between them left out.
    var words: [String] {
        split { !isWordByte($0) && $0 != UInt8(ascii: "@") }.map { String(decoding: $0, as: UTF8.self) }
    }

    var trimmed: Self {
        let kept = drop { $0 == UInt8(ascii: " ") }
        return Self(kept[..<(kept.lastIndex { $0 != UInt8(ascii: " ") }.map { $0 + 1 } ?? kept.startIndex)])
    }

    func starts(with text: String) -> Bool { starts(with: text.utf8) }
}

func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 0x80...:
        true
    default: false
    }
}

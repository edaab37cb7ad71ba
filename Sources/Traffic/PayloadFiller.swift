public import Basics

/// What the octets of a payload look like to whoever compresses, deduplicates or classifies them.
public enum PayloadContent: UInt8, CaseIterable, Sendable, BitwiseCopyable {
    /// Like encrypted data: neither compressible nor ever the same twice.
    case random
    /// Like text: compressible, and the same 4096 octets over and over.
    case text
}

/// Makes payload octets at the speed of a copy.
///
/// Random content is one block of random words, combined with a fresh key each time it is
/// used, so that no two stretches are alike. The block and the text are the same for all:
/// what each of two hundred hosts has of its own is never in the cache.
public struct PayloadFiller: Sendable {
    private static let block: ContiguousArray<UInt64> = {
        var random = SeededRandom(seed: 0, stream: "payload block")
        return ContiguousArray((0..<wordCount).map { _ in random.next() })
    }()
    private static let text: ContiguousArray<UInt64> = {
        var random = SeededRandom(seed: 0, stream: "payload text")
        return makeText(random: &random)
    }()
    private var random: SeededRandom

    private static var wordCount: Int { 512 }

    /// A filler whose keys are drawn from that stream.
    public init(random: SeededRandom) {
        self.random = random
    }

    /// Appends `byteCount` octets of the given kind.
    public mutating func append(_ byteCount: Int, of content: PayloadContent, to arena: inout ByteArena) {
        var rest = byteCount
        while rest > 0 {
            let count = min(rest, Self.wordCount * 8)
            switch content {
            case .random:
                arena.append(Self.block.span.bytes.extracting(0..<count), combinedWith: random.next())
            case .text:
                arena.append(Self.text.span.bytes.extracting(0..<count))
            }
            rest &-= count
        }
    }

    private static func makeText(random: inout SeededRandom) -> ContiguousArray<UInt64> {
        let words: [StaticString] = [
            "the ", "of ", "and ", "network ", "to ", "a ", "in ", "path ", "is ", "that ", "packet ", "for ", "on ",
            "with ", "as ", "tunnel ", "was ", "by ", "delay ", "it ", "from ", "site ", "be ", "loss ", "at ", "not. ",
        ]
        var octets = ContiguousArray<UInt8>()
        octets.reserveCapacity(wordCount * 8 + 16)
        while octets.count < wordCount * 8 {
            for octet in words[Int(random.below(UInt64(words.count)))].description.utf8 { octets.append(octet) }
        }
        var packed = ContiguousArray<UInt64>()
        for start in stride(from: 0, to: wordCount * 8, by: 8) {
            var word: UInt64 = 0
            for offset in (0..<8).reversed() { word = word << 8 | UInt64(octets[start + offset]) }
            packed.append(word.littleEndian)
        }
        return packed
    }
}

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
/// used, so that no two stretches are alike.
public struct PayloadFiller: Sendable {
    private let block: ContiguousArray<UInt64>
    private let text: ContiguousArray<UInt64>
    private var scratch: ContiguousArray<UInt64>
    private var random: SeededRandom

    private static var wordCount: Int { 512 }

    public init(random: SeededRandom) {
        var random = random
        var block = ContiguousArray<UInt64>()
        block.reserveCapacity(Self.wordCount)
        for _ in 0..<Self.wordCount { block.append(random.next()) }
        self.block = block
        text = Self.makeText(random: &random)
        scratch = ContiguousArray(repeating: 0, count: Self.wordCount)
        self.random = random
    }

    /// Appends `byteCount` octets of the given kind.
    public mutating func append(_ byteCount: Int, of content: PayloadContent, to arena: inout ByteArena) {
        var rest = byteCount
        while rest > 0 {
            let count = min(rest, Self.wordCount * 8)
            switch content {
            case .random:
                Self.combine(block, with: random.next(), into: &scratch, wordCount: (count &+ 7) / 8)
                arena.append(scratch.span.bytes.extracting(0..<count))
            case .text:
                arena.append(text.span.bytes.extracting(0..<count))
            }
            rest &-= count
        }
    }

    private static func combine(
        _ block: ContiguousArray<UInt64>, with key: UInt64, into target: inout ContiguousArray<UInt64>, wordCount: Int
    ) {
        let source = block.span
        var target = target.mutableSpan
        precondition(wordCount <= source.count && wordCount <= target.count)
        for index in 0..<wordCount {
            target[index] = source[index] ^ key
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

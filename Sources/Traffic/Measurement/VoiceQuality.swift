public import Basics

/// The mean opinion scores of one direction of a call, one for each five seconds of speech.
///
/// A window is a block of sequence numbers, so that what was lost counts where it was
/// spoken. Its delay is the mean one-way latency, plus a jitter buffer of twice the jitter
/// (20 to 200 ms), plus 20 ms of packetisation; its loss is what of the block never came.
/// BurstR is the mean length of the runs of loss times the share that came, at least 1.
public struct VoiceQuality: Sendable {
    private struct Block: Sendable, BitwiseCopyable {
        var received: UInt32 = 0
        var runs: UInt32 = 0
        var latencySum: UInt64 = 0
        var jitter: Interval = .zero
    }

    private var blocks: ContiguousArray<Block> = []
    private let blockSize: UInt64
    private let packetization: Interval
    private let model: EModel

    private static var blockLimit: UInt64 { 100_000 }

    /// Scores for a call that sends one packet each `packetization`.
    public init(packetization: Interval, window: Interval = .seconds(5), model: EModel = .g711) {
        self.packetization = packetization
        self.model = model
        blockSize = UInt64(max(1, window.nanoseconds / max(1, packetization.nanoseconds)))
    }

    /// Takes the packet numbered `sequence`.
    public mutating func receive(_ sequence: UInt64, latency: Interval, jitter: Interval) {
        guard let index = block(of: sequence) else { return }
        blocks[index].received &+= 1
        blocks[index].latencySum &+= UInt64(max(0, latency.nanoseconds))
        blocks[index].jitter = jitter
    }

    /// Takes a run of `count` lost packets that begins with `first`.
    public mutating func skip(from first: UInt64, count: UInt64) {
        guard count > 0 else { return }
        let last = min(first &+ count &- 1, Self.blockLimit &* blockSize &- 1)
        guard first <= last else { return }
        for number in first / blockSize...last / blockSize {
            if let index = block(of: number &* blockSize) { blocks[index].runs &+= 1 }
        }
    }

    /// The scores of the first `expected` packets; a rest of less than a second is left out.
    public func scores(expected: UInt64) -> [Double] {
        var scores: [Double] = []
        var first: UInt64 = 0
        while first < min(expected, Self.blockLimit &* blockSize) {
            let size = min(blockSize, expected - first)
            let index = Int(first / blockSize)
            if size * 5 >= blockSize || first == 0 {
                scores.append(score(index < blocks.count ? blocks[index] : Block(), size: size))
            }
            first += blockSize
        }
        return scores
    }

    private func score(_ block: Block, size: UInt64) -> Double {
        let received = min(UInt64(block.received), size)
        guard received > 0 else { return 1 }
        let lost = size - received
        let loss = Ratio(lost, of: size)
        let runLength = Double(lost) / Double(max(1, min(UInt64(block.runs), lost)))
        let latency = Interval(nanoseconds: Int64(clamping: block.latencySum / UInt64(block.received)))
        let buffer = min(max(block.jitter + block.jitter, .milliseconds(20)), .milliseconds(200))
        return model.meanOpinionScore(
            delay: latency + buffer + packetization, loss: loss, burstRatio: runLength * (1 - loss.fraction))
    }

    private mutating func block(of sequence: UInt64) -> Int? {
        let index = sequence / blockSize
        guard index < Self.blockLimit else { return nil }
        while UInt64(blocks.count) <= index { blocks.append(Block()) }
        return Int(index)
    }
}

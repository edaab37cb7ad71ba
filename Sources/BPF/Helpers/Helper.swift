/// The helpers that programs may call, densely numbered for the interpreter's switch.
enum Helper: UInt8, CaseIterable {
    case mapLookup, mapUpdate, mapDelete
    case time, timeSinceBoot, coarseTime, jiffies
    case trace, random, processor
    case checksumDifference, redirect, redirectMap, forwardingLookup
    case adjustHead, adjustMeta, adjustTail, frameLength, loadBytes, storeBytes
    case ringOutput, ringReserve, ringSubmit, ringDiscard, ringQuery
    case tailCall, loop

    /// The number by which Linux knows a helper (`enum bpf_func_id`).
    var number: UInt64 {
        switch self {
        case .mapLookup: 1
        case .mapUpdate: 2
        case .mapDelete: 3
        case .time: 5
        case .trace: 6
        case .random: 7
        case .processor: 8
        case .tailCall: 12
        case .redirect: 23
        case .checksumDifference: 28
        case .adjustHead: 44
        case .redirectMap: 51
        case .adjustMeta: 54
        case .adjustTail: 65
        case .forwardingLookup: 69
        case .jiffies: 118
        case .timeSinceBoot: 125
        case .ringOutput: 130
        case .ringReserve: 131
        case .ringSubmit: 132
        case .ringDiscard: 133
        case .ringQuery: 134
        case .coarseTime: 160
        case .loop: 181
        case .frameLength: 188
        case .loadBytes: 189
        case .storeBytes: 190
        }
    }

    init?(number: UInt64) {
        guard let helper = Self.allCases.first(where: { $0.number == number }) else { return nil }
        self = helper
    }

    /// Whether the interpreter itself carries it out, since what runs next depends on it.
    var changesControl: Bool { self == .tailCall || self == .loop }

    /// Whether Linux keeps it for programs whose licence is compatible with the GPL.
    var needsGPL: Bool { self == .forwardingLookup || self == .trace }
}

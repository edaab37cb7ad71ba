public import Basics
import CMnl

/// How an interface queues what it sends (tc(8)).
public enum QueueingDiscipline: Hashable, Sendable {
    /// So many bits a second, with bursts of so many octets; so many octets wait (tc-tbf(8)).
    case tokenBucket(rate: BitRate, burst: UInt32, limit: UInt32)
    /// Classes with a rate each; what belongs to none goes to the one of that number (tc-htb(8)).
    case tokenBucketClasses(standard: UInt16)
    /// A delay and a share of losses, for at most so many packets at once (tc-netem(8)).
    case emulator(delay: Interval, loss: Ratio, packets: UInt32)
    /// No queue, but a place for programs on the way in and out (tc-bpf(8)).
    case classifierOnly

    /// The kernel's word for it.
    public var kind: String {
        switch self {
        case .tokenBucket: "tbf"
        case .tokenBucketClasses: "htb"
        case .emulator: "netem"
        case .classifierOnly: "clsact"
        }
    }

    fileprivate var place: DisciplinePlace {
        if case .classifierOnly = self { return DisciplinePlace(handle: 0xFFFF_0000, parent: 0xFFFF_FFF1) }
        return DisciplinePlace(handle: 0x1_0000, parent: UInt32.max)
    }
}

/// Where a discipline hangs: at the root of what an interface sends, or beside it.
private struct DisciplinePlace {
    let handle: UInt32
    let parent: UInt32
}

/// A discipline that an interface has.
public struct DisciplineState: Hashable, Sendable {
    public var interface: InterfaceIndex
    public var kind: String
    public var handle: UInt32
    public var parent: UInt32

    /// Whether it is all that the interface queues by.
    public var isRoot: Bool { parent == UInt32.max }
}

extension NetlinkBatch {
    /// Gives an interface a discipline; it has the handle 1:, and `clsact` the one that the kernel knows it by.
    public mutating func addDiscipline(_ discipline: QueueingDiscipline, to interface: InterfaceIndex) {
        append(RTM_NEWQDISC, ChangeFlags.create, "add \(discipline.kind) to \(interface)") { message in
            message.put(structure: header(interface, discipline.place))
            message.put(Int(TCA_KIND), discipline.kind)
            put(discipline, in: message)
        }
    }

    /// Takes a discipline from an interface.
    public mutating func removeDiscipline(_ discipline: DisciplineState) {
        append(RTM_DELQDISC, ChangeFlags.change, "remove \(discipline.kind) from \(discipline.interface)") { message in
            let place = DisciplinePlace(handle: discipline.handle, parent: discipline.parent)
            message.put(structure: header(discipline.interface, place))
            message.put(Int(TCA_KIND), discipline.kind)
        }
    }

    /// Adds a class of that number, from 1, to an interface's `tokenBucketClasses`.
    public mutating func addClass(_ number: UInt16, rate: BitRate, burst: UInt32, to interface: InterfaceIndex) {
        append(RTM_NEWTCLASS, ChangeFlags.create, "add class \(number) to \(interface)") { message in
            message.put(
                structure: header(interface, DisciplinePlace(handle: 0x1_0000 | UInt32(number), parent: 0x1_0000)))
            message.put(Int(TCA_KIND), "htb")
            message.nest(Int(TCA_OPTIONS)) {
                var options = tc_htb_opt()
                options.rate = specification(of: rate)
                options.ceil = options.rate
                // The time that a burst takes, in units of 64 ns.
                let time = UInt64(burst) * 8 * 1_000_000_000 / max(1, rate.bitsPerSecond)
                options.buffer = UInt32(clamping: time >> 6)
                options.cbuffer = options.buffer
                message.put(Int(TCA_HTB_PARMS), octets: withUnsafeBytes(of: &options) { Array($0) })
                message.put(Int(TCA_HTB_RATE64), octets: wideOctets(of: rate))
                message.put(Int(TCA_HTB_CEIL64), octets: wideOctets(of: rate))
            }
        }
    }

    mutating func askForDisciplines() {
        append(RTM_GETQDISC, NLM_F_DUMP, "list the queueing disciplines") { $0.put(structure: tcmsg()) }
    }
}

private func header(_ interface: InterfaceIndex, _ place: DisciplinePlace) -> tcmsg {
    var header = tcmsg()
    header.tcm_ifindex = Int32(bitPattern: interface.number)
    header.tcm_handle = place.handle
    header.tcm_parent = place.parent
    return header
}

private func put(_ discipline: QueueingDiscipline, in message: NetlinkMessage) {
    switch discipline {
    case .tokenBucket(let rate, let burst, let limit):
        message.nest(Int(TCA_OPTIONS)) {
            var options = tc_tbf_qopt()
            options.rate = specification(of: rate)
            options.limit = limit
            message.put(Int(TCA_TBF_PARMS), octets: withUnsafeBytes(of: &options) { Array($0) })
            message.put(Int(TCA_TBF_RATE64), octets: wideOctets(of: rate))
            message.put(Int(TCA_TBF_BURST), burst)
        }
    case .tokenBucketClasses(let standard):
        message.nest(Int(TCA_OPTIONS)) {
            var options = tc_htb_glob()
            options.version = 3
            options.rate2quantum = 10
            options.defcls = UInt32(standard)
            message.put(Int(TCA_HTB_INIT), octets: withUnsafeBytes(of: &options) { Array($0) })
        }
    case .emulator(let delay, let loss, let packets):
        var options = tc_netem_qopt()
        options.limit = packets
        // In units of 64 ns.
        options.latency = UInt32(clamping: delay.nanoseconds >> 6)
        options.loss = UInt32(clamping: loss.threshold >> 32)
        message.put(Int(TCA_OPTIONS), octets: withUnsafeBytes(of: &options) { Array($0) })
    case .classifierOnly: break
    }
}

/// Octets a second, as far as 32 bits go; beyond, the 64 bits beside it count.
private func specification(of rate: BitRate) -> tc_ratespec {
    var result = tc_ratespec()
    result.rate = UInt32(clamping: rate.bitsPerSecond / 8)
    // Ethernet: sizes are those of frames, and no table of times is needed.
    result.linklayer = 1
    return result
}

private func wideOctets(of rate: BitRate) -> [UInt8] {
    withUnsafeBytes(of: rate.bitsPerSecond / 8) { Array($0) }
}

import Basics

/// What helpers work on: maps, the packet, the time, chance, routes.
struct HelperEnvironment: ~Copyable {
    let maps: UnsafeMutablePointer<BPFMap>
    let mapCount: Int
    /// What a program sees of its packet; nobody else keeps where the packet starts and ends.
    let context: UnsafeMutablePointer<XDPContext>
    var forwarding = XDPForwarding()
    var random: SeededRandom
    var now = Instant.zero
    var redirect: XDPResult.Target?
    var packet = PacketBounds()

    init(maps: UnsafeMutablePointer<BPFMap>, mapCount: Int, random: SeededRandom) {
        self.maps = maps
        self.mapCount = mapCount
        self.random = random
        context = .allocate(capacity: 1)
        context.initialize(to: XDPContext())
    }

    deinit {
        maps.deinitialize(count: mapCount)
        maps.deallocate()
        context.deallocate()
    }

    /// The map that a handle stands for.
    func map(_ handle: UInt64) -> Int? {
        let index = handle &- LoadedProgram.mapHandle
        return index < UInt64(mapCount) ? Int(index) : nil
    }
}

/// `struct xdp_md`, as a program reads it: places are addresses.
struct XDPContext: BitwiseCopyable {
    var data: UInt32 = 0
    var dataEnd: UInt32 = 0
    var dataMeta: UInt32 = 0
    var ingress: UInt32 = 0
    var queue: UInt32 = 0
    var egress: UInt32 = 0
}

/// How far a packet may grow inside its buffer.
struct PacketBounds: BitwiseCopyable {
    /// What Linux keeps for itself at the start of the headroom: its `xdp_frame`.
    static let reserved = 40
    static let headroom = 256
    /// From the start of the headroom to the end of the longest frame.
    static let largest = 256 + 3_520
    static let shortestFrame = 14

    var base: UnsafeMutableRawPointer?
    /// Offsets in the buffer.
    var start = 0
    var end = 0
}

extension HelperEnvironment {
    /// Carries out a helper; false where the program must not go on, with the cause.
    mutating func call(
        _ helper: Helper, _ r: Registers, _ memory: AddressSpace, _ cause: inout XDPFault.Cause?
    ) -> Bool {
        do throws(HelperFault) {
            r[0] = try answer(helper, r, memory)
            return true
        } catch {
            cause = error.cause
            return false
        }
    }

    @inline(__always)
    private mutating func answer(_ helper: Helper, _ r: Registers, _ memory: AddressSpace) throws(HelperFault) -> UInt64
    {
        switch helper {
        case .mapLookup: return try lookUp(r, memory)
        case .mapUpdate: return try update(r, memory)
        case .mapDelete: return try delete(r, memory)
        case .time, .timeSinceBoot: return now.nanoseconds
        case .coarseTime: return now.nanoseconds - now.nanoseconds % Self.tick
        case .jiffies: return now.nanoseconds / Self.tick
        case .trace: return r[2] & 0xFFFF_FFFF
        case .random: return random.next() >> 32
        case .processor: return 0
        case .checksumDifference: return try checksumDifference(r, memory)
        case .redirect: return redirect(r)
        case .redirectMap: return try redirectMap(r)
        case .forwardingLookup: return try lookUpRoute(r, memory)
        case .adjustHead: return adjustHead(by: Int(Int32(truncatingIfNeeded: r[2])))
        case .adjustMeta: return adjustMeta(by: Int(Int32(truncatingIfNeeded: r[2])))
        case .adjustTail: return adjustTail(by: Int(Int32(truncatingIfNeeded: r[2])), memory)
        case .frameLength: return UInt64(context.pointee.dataEnd - context.pointee.data)
        case .loadBytes: return try copyBytes(r, memory, storing: false)
        case .storeBytes: return try copyBytes(r, memory, storing: true)
        case .ringOutput: return try ringOutput(r, memory)
        case .ringReserve: return try ringReserve(r)
        case .ringSubmit: return try ringCommit(r, discarding: false)
        case .ringDiscard: return try ringCommit(r, discarding: true)
        case .ringQuery: return try ringQuery(r)
        case .tailCall, .loop: throw HelperFault(.badHelper)
        }
    }

    /// What a coarse clock moves by: a fourth of a hundredth second, Linux's tick at 250 Hz.
    static var tick: UInt64 { 4_000_000 }
}

/// Ends a run out of a helper.
struct HelperFault: Error, BitwiseCopyable {
    let cause: XDPFault.Cause

    init(_ cause: XDPFault.Cause) {
        self.cause = cause
    }
}

// Loads, stores and atomic operations, RFC 9669 §5, in the manner of the arithmetic.

extension InstructionPointer {
    @inline(__always)
    func address(_ r: Registers, of register: UInt8) -> UInt64 {
        r.at(register).pointee &+ UInt64(bitPattern: Int64(offset))
    }

    /// Reads memory into a register; `isRefused` says that the program may not.
    @inline(__always)
    func load(_ r: Registers, _ memory: AddressSpace, _ isRefused: inout Bool) -> Bool {
        var d: UnsafeMutablePointer<UInt64> { r.at(destination) }
        var place: UInt64 { address(r, of: source) }
        switch operation {
        case .load8: isRefused = !memory.load(UInt8.self, at: place, into: d)
        case .load16: isRefused = !memory.load(UInt16.self, at: place, into: d)
        case .load32: isRefused = !memory.load(UInt32.self, at: place, into: d)
        case .load64: isRefused = !memory.load(UInt64.self, at: place, into: d)
        case .loadSigned8: isRefused = !memory.loadSigned(Int8.self, at: place, into: d)
        case .loadSigned16: isRefused = !memory.loadSigned(Int16.self, at: place, into: d)
        case .loadSigned32: isRefused = !memory.loadSigned(Int32.self, at: place, into: d)
        default: return false
        }
        return true
    }

    /// Writes a register or the immediate to memory; `isRefused` says that the program may not.
    @inline(__always)
    func store(_ r: Registers, _ memory: AddressSpace, _ isRefused: inout Bool) -> Bool {
        var place: UInt64 { address(r, of: destination) }
        var s: UInt64 { r.at(source).pointee }
        switch operation {
        case .store8X: isRefused = !memory.store(UInt8(truncatingIfNeeded: s), at: place)
        case .store16X: isRefused = !memory.store(UInt16(truncatingIfNeeded: s), at: place)
        case .store32X: isRefused = !memory.store(UInt32(truncatingIfNeeded: s), at: place)
        case .store64X: isRefused = !memory.store(s, at: place)
        case .store8K: isRefused = !memory.store(UInt8(truncatingIfNeeded: immediate), at: place)
        case .store16K: isRefused = !memory.store(UInt16(truncatingIfNeeded: immediate), at: place)
        case .store32K: isRefused = !memory.store(UInt32(truncatingIfNeeded: immediate), at: place)
        case .store64K: isRefused = !memory.store(immediate, at: place)
        case .atomic32: isRefused = !atomic(UInt32.self, at: place, r, memory)
        case .atomic64: isRefused = !atomic(UInt64.self, at: place, r, memory)
        default: return false
        }
        return true
    }

    /// One processor runs programs, so that nothing can come between reading and writing (RFC 9669 §5.3).
    @inline(never)
    private func atomic<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _ type: Value.Type, at address: UInt64, _ r: Registers, _ memory: AddressSpace
    ) -> Bool {
        guard let place = memory.writable(address, count: MemoryLayout<Value>.size) else { return false }
        let old = place.loadUnaligned(as: type)
        let operand = Value(truncatingIfNeeded: r.at(source).pointee)
        let new: Value
        switch AtomicCode(rawValue: immediate & ~AtomicCode.fetch) {
        case .add: new = old &+ operand
        case .or: new = old | operand
        case .and: new = old & operand
        case .xor: new = old ^ operand
        case .exchange: new = operand
        case .compareAndExchange:
            new = old == Value(truncatingIfNeeded: r[0]) ? operand : old
            r[0] = UInt64(old)
        case nil: return false
        }
        place.storeBytes(of: new, as: type)
        let isExchange = immediate == AtomicCode.compareAndExchange.rawValue | AtomicCode.fetch
        if immediate & AtomicCode.fetch != 0, !isExchange { r.at(source).pointee = UInt64(old) }
        return true
    }
}

/// What the immediate of an atomic operation says, beside whether the old value is wanted (RFC 9669 §5.3).
enum AtomicCode: Int64 {
    case add = 0x00
    case or = 0x40
    case and = 0x50
    case xor = 0xA0
    case exchange = 0xE0
    case compareAndExchange = 0xF0

    static let fetch: Int64 = 1

    /// Whether an immediate is one that there is: an exchange always fetches.
    static func isKnown(_ immediate: Int32) -> Bool {
        guard let code = Self(rawValue: Int64(immediate) & ~fetch) else { return false }
        let mustFetch = code == .exchange || code == .compareAndExchange
        return immediate >= 0 && (!mustFetch || Int64(immediate) & fetch != 0)
    }
}

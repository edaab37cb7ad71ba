// Helpers on maps; their answers are those of Linux 6.18.
extension HelperEnvironment {
    private func requireMap(_ handle: UInt64) throws(HelperFault) -> Int {
        guard let map = map(handle) else { throw HelperFault(.badMap) }
        return map
    }

    private func requireMap(_ handle: UInt64, _ isFit: (MapKind) -> Bool) throws(HelperFault) -> Int {
        let map = try requireMap(handle)
        guard isFit(maps[map].kind) else { throw HelperFault(.badMap) }
        return map
    }

    private func readable(
        _ address: UInt64, _ count: Int, _ memory: AddressSpace
    ) throws(HelperFault) -> UnsafeRawPointer {
        guard let place = memory.readable(address, count: count) else { throw HelperFault(.badAddress) }
        return UnsafeRawPointer(place)
    }

    /// Carries out `bpf_map_lookup_elem(map, key)`.
    mutating func lookUp(_ r: Registers, _ memory: AddressSpace) throws(HelperFault) -> UInt64 {
        let map = try requireMap(r[1])
        return maps[map].lookUp(try readable(r[2], maps[map].keySize, memory))
    }

    /// Carries out `bpf_map_update_elem(map, key, value, flags)`.
    mutating func update(_ r: Registers, _ memory: AddressSpace) throws(HelperFault) -> UInt64 {
        let map = try requireMap(r[1])
        // Linux does not load a program that would write these; only their owner may.
        guard !maps[map].kind.holdsDevices, maps[map].kind != .programArray else { return MapError.unsupported.answer }
        let key = try readable(r[2], maps[map].keySize, memory)
        let value = try readable(r[3], maps[map].valueSize, memory)
        return maps[map].update(key, value, flags: r[4])?.answer ?? 0
    }

    /// Carries out `bpf_map_delete_elem(map, key)`.
    mutating func delete(_ r: Registers, _ memory: AddressSpace) throws(HelperFault) -> UInt64 {
        let map = try requireMap(r[1])
        guard !maps[map].kind.holdsDevices, maps[map].kind != .programArray else { return MapError.unsupported.answer }
        return maps[map].delete(try readable(r[2], maps[map].keySize, memory))?.answer ?? 0
    }

    /// Carries out `bpf_redirect(ifindex, flags)`.
    ///
    /// Whether there is such an interface shows when the frame leaves.
    mutating func redirect(_ r: Registers) -> UInt64 {
        guard r[2] == 0 else { return XDPVerdict.aborted.number }
        redirect = .interface(UInt32(truncatingIfNeeded: r[1]))
        return XDPVerdict.redirect.number
    }

    /// Carries out `bpf_redirect_map(map, key, flags)`.
    ///
    /// The two low bits of the flags are the verdict where nothing is there.
    mutating func redirectMap(_ r: Registers) throws(HelperFault) -> UInt64 {
        let map = try requireMap(r[1]) { $0.holdsDevices }
        let flags = r[3]
        let (broadcasts, excludesIngress) = (flags & 8 != 0, flags & 16 != 0)
        guard flags & ~0b11011 == 0 else { return XDPVerdict.aborted.number }
        let key = UInt32(truncatingIfNeeded: r[2])
        if broadcasts {
            redirect = .everyDevice(map: map, excludingIngress: excludesIngress)
        } else if let interface = maps[map].device(at: key) {
            redirect = .device(map: map, key: key, interface: interface)
        } else {
            redirect = nil
            return flags & 3
        }
        return XDPVerdict.redirect.number
    }

    // MARK: Ring buffers

    /// Carries out `bpf_ringbuf_output(map, data, size, flags)`.
    mutating func ringOutput(_ r: Registers, _ memory: AddressSpace) throws(HelperFault) -> UInt64 {
        let map = try requireMap(r[1]) { $0 == .ring }
        guard r[4] & ~3 == 0 else { return MapError.invalidArgument.answer }
        guard r[3] <= UInt64(UInt32.max) else { throw HelperFault(.badAddress) }
        let octets = try readable(r[2], Int(r[3]), memory)
        return maps[map].ring.output(octets, count: Int(r[3])) ? 0 : MapError.again.answer
    }

    /// Carries out `bpf_ringbuf_reserve(map, size, flags)`.
    mutating func ringReserve(_ r: Registers) throws(HelperFault) -> UInt64 {
        let map = try requireMap(r[1]) { $0 == .ring }
        guard r[3] == 0, r[2] <= UInt64(UInt32.max), let place = maps[map].ring.reserve(Int(r[2])) else { return 0 }
        return maps[map].address + UInt64(place)
    }

    /// Carries out `bpf_ringbuf_submit(record, flags)` and `bpf_ringbuf_discard`.
    mutating func ringCommit(_ r: Registers, discarding: Bool) throws(HelperFault) -> UInt64 {
        for map in 0..<mapCount where maps[map].kind == .ring {
            let place = r[1] &- maps[map].address
            guard place < UInt64(maps[map].valuesByteCount) else { continue }
            maps[map].ring.commit(at: Int(place), discarding: discarding)
            return 0
        }
        throw HelperFault(.badMap)
    }

    /// Carries out `bpf_ringbuf_query(map, flags)`.
    mutating func ringQuery(_ r: Registers) throws(HelperFault) -> UInt64 {
        let map = try requireMap(r[1]) { $0 == .ring }
        switch r[2] {
        case 0: return UInt64(maps[map].ring.produced - maps[map].ring.consumed)
        case 1: return UInt64(maps[map].ring.capacity)
        case 2: return UInt64(maps[map].ring.consumed)
        case 3: return UInt64(maps[map].ring.produced)
        default: return 0
        }
    }
}

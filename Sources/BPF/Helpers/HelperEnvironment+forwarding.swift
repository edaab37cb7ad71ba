import Wire

// `bpf_fib_lookup(context, parameters, size, flags)` on the tables handed in.
extension HelperEnvironment {
    /// Where the fields of `struct bpf_fib_lookup` lie.
    private enum Field {
        static let family = 0
        static let length = 6
        static let interface = 8
        static let metric = 12
        static let destination = 32
        static let vlan = 48
        static let sourceStation = 52
        static let destinationStation = 58
        static let byteCount = 64
    }

    /// What Linux answers (`BPF_FIB_LKUP_RET_*`).
    private enum Answer {
        static let found: UInt64 = 0
        static let notForwarded: UInt64 = 4
        static let noNeighbour: UInt64 = 7
        static let fragmentationNeeded: UInt64 = 8
    }

    private static let ipv4: UInt8 = 2
    private static let ipv6: UInt8 = 10

    mutating func lookUpRoute(_ r: Registers, _ memory: AddressSpace) throws(HelperFault) -> UInt64 {
        guard r[3] & 0xFFFF_FFFF >= UInt64(Field.byteCount), r[4] & ~0x3F == 0 else {
            return MapError.invalidArgument.answer
        }
        guard let fields = memory.writable(r[2], count: Field.byteCount) else { throw HelperFault(.badAddress) }
        guard let destination = destination(in: fields) else { return MapError.unsupportedFamily.answer }
        let byteCount = fields.loadUnaligned(fromByteOffset: Field.length, as: UInt16.self)
        switch forwarding.answer(to: destination, byteCount: byteCount) {
        case .notForwarded: return Answer.notForwarded
        case .fragmentationNeeded(let mtu):
            fields.storeBytes(of: mtu, toByteOffset: Field.length, as: UInt16.self)
            return Answer.fragmentationNeeded
        case .noNeighbour(let interface):
            fields.storeBytes(of: interface.index, toByteOffset: Field.interface, as: UInt32.self)
            return Answer.noNeighbour
        case .found(let interface, let gateway, let station):
            fields.storeBytes(of: interface.mtu, toByteOffset: Field.length, as: UInt16.self)
            fields.storeBytes(of: interface.index, toByteOffset: Field.interface, as: UInt32.self)
            fields.storeBytes(of: 0, toByteOffset: Field.metric, as: UInt32.self)
            fields.storeBytes(of: 0, toByteOffset: Field.vlan, as: UInt32.self)
            store(gateway, to: fields)
            store(interface.address, to: fields + Field.sourceStation)
            store(station, to: fields + Field.destinationStation)
            return Answer.found
        }
    }

    private func destination(in fields: UnsafeMutableRawPointer) -> IPAddress? {
        let place = fields + Field.destination
        switch fields.load(fromByteOffset: Field.family, as: UInt8.self) {
        case Self.ipv4: return .v4(IPv4Address(bits: place.loadUnaligned(as: UInt32.self).bigEndian))
        case Self.ipv6:
            let high = place.loadUnaligned(as: UInt64.self).bigEndian
            let low = place.loadUnaligned(fromByteOffset: 8, as: UInt64.self).bigEndian
            return .v6(IPv6Address(high: high, low: low))
        default: return nil
        }
    }

    private func store(_ gateway: IPAddress, to fields: UnsafeMutableRawPointer) {
        switch gateway {
        case .v4(let address):
            fields.storeBytes(of: address.bits.bigEndian, toByteOffset: Field.destination, as: UInt32.self)
        case .v6(let address):
            fields.storeBytes(of: Self.ipv6, toByteOffset: Field.family, as: UInt8.self)
            fields.storeBytes(of: address.high.bigEndian, toByteOffset: Field.destination, as: UInt64.self)
            fields.storeBytes(of: address.low.bigEndian, toByteOffset: Field.destination + 8, as: UInt64.self)
        }
    }

    private func store(_ station: MACAddress, to place: UnsafeMutableRawPointer) {
        for index in 0..<6 {
            let octet = UInt8(truncatingIfNeeded: station.bits >> UInt64(40 - 8 * index))
            place.storeBytes(of: octet, toByteOffset: index, as: UInt8.self)
        }
    }
}

import Wire

/// What packed attributes become on their way to another AS, done on the octets.
enum PackedExport {
    /// Appends the attributes with a number put in front of the path and another next hop, and without what stays
    /// inside the AS; false where there is anything that asks for a closer look.
    static func append(
        _ packed: RawSpan, prepending number: UInt32, nextHop: IPv4Address, to octets: inout ContiguousArray<UInt8>
    ) -> Bool {
        var offset = 0
        while offset < packed.byteCount {
            let flags: UInt8 = packed.field(at: offset)
            let type: UInt8 = packed.field(at: offset + 1)
            guard flags & AttributeFlags.extendedLength.rawValue == 0 else { return false }
            let count = Int(packed.field(at: offset + 2, as: UInt8.self))
            let end = offset + 3 + count
            switch type {
            case 1, 6, 7, 16, 32:
                octets.append(packed.extracting(offset..<end))
            case 2:
                guard appendPath(packed.extracting(offset..<end), number, to: &octets) else { return false }
            case 3:
                octets.append(packed.extracting(offset..<offset + 3))
                octets.append(bigEndian: nextHop.bits)
            case 4, 5, 9, 10:
                break
            case 8:
                for place in stride(from: offset + 3, to: end, by: 4)
                where packed.field(at: place, as: UInt16.self) == 0xFFFF { return false }
                octets.append(packed.extracting(offset..<end))
            default:
                return false
            }
            offset = end
        }
        return true
    }

    private static func appendPath(_ path: RawSpan, _ number: UInt32, to octets: inout ContiguousArray<UInt8>) -> Bool {
        let length: UInt8 = path.field(at: 2)
        guard length <= 251 else { return false }
        octets.append(path.field(at: 0))
        octets.append(path.field(at: 1))
        if length >= 2, path.field(at: 3, as: UInt8.self) == 2 {
            octets.append(length + 4)
            octets.append(2)
            octets.append(path.field(at: 4, as: UInt8.self) + 1)
            octets.append(bigEndian: number)
            octets.append(path.extracting(5..<path.byteCount))
        } else if length == 0 {
            octets.append(6)
            octets.append(2)
            octets.append(1)
            octets.append(bigEndian: number)
        } else {
            return false
        }
        return true
    }
}

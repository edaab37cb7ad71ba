// The node's data plane as the rest of Patronus sees it: the compiled XDP program, and a
// typed view of its maps.
//
// The program is C (bpf/, docs/dataplane.md), compiled when this module is built. The kernel
// runs it, or an interpreter does; whoever runs it offers its maps as octets (DataplaneMaps).
// In: rules, routes, neighbours, tunnels, steering and the flood guard's limits, as values
// (DataplaneChange) that `DataplaneControl` writes into the maps. Out: counters, flows,
// tunnels' accounts and samples, read by the same. The layouts come from the C header that
// the program itself includes.

/// The compiled XDP program: an ELF object with its maps' types.
public enum DataplaneProgram {
    /// The function that a port runs.
    public static let entryPoint = "patronus"

    /// The object's octets.
    public static let octets: [UInt8] = decode(encodedObject)

    private static func decode(_ text: StaticString) -> [UInt8] {
        text.withUTF8Buffer { characters in
            var octets: [UInt8] = []
            octets.reserveCapacity(characters.count / 4 * 3)
            var bits: UInt32 = 0
            var count = 0
            for index in characters.indices {
                guard let value = unsafe value(of: characters[index]) else { continue }
                bits = bits << 6 | UInt32(value)
                count += 6
                guard count >= 8 else { continue }
                count -= 8
                octets.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
            return octets
        }
    }

    /// A character of RFC 4648 §4; nil for padding.
    private static func value(of character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}

import CPcap

/// How a capture's frames begin, before the IP packet.
enum LinkLayer {
    case ethernet
    /// Nothing stands before the IP packet.
    case raw
    /// `LINKTYPE_LINUX_SLL`, what `tcpdump -i any` wrote until 2019.
    case cooked
    /// `LINKTYPE_LINUX_SLL2`.
    case cookedVersion2
    /// `LINKTYPE_NULL` and `LINKTYPE_LOOP`: four octets of address family.
    case loopback

    /// Nil where frames of that type cannot be looked into.
    init?(_ type: Int32) {
        switch type {
        case DLT_EN10MB: self = .ethernet
        case DLT_RAW, DLT_IPV4, DLT_IPV6, 101: self = .raw
        case DLT_LINUX_SLL: self = .cooked
        case DLT_LINUX_SLL2: self = .cookedVersion2
        case DLT_NULL, DLT_LOOP: self = .loopback
        default: return nil
        }
    }

    /// The IP packet in a frame; nil where it holds another protocol.
    func packet(in frame: ArraySlice<UInt8>) -> ArraySlice<UInt8>? {
        switch self {
        case .raw: return frame
        case .loopback: return frame.dropFirst(4)
        case .cooked: return Self.isIP(frame, at: 14) ? frame.dropFirst(16) : nil
        case .cookedVersion2: return Self.isIP(frame, at: 0) ? frame.dropFirst(20) : nil
        case .ethernet:
            var offset = 12
            // Tags of IEEE 802.1Q and 802.1ad stand before the type.
            while offset < 24, [0x8100, 0x88A8, 0x9100].contains(Self.type(frame, at: offset)) { offset += 4 }
            return Self.isIP(frame, at: offset) ? frame.dropFirst(offset + 2) : nil
        }
    }

    private static func isIP(_ frame: ArraySlice<UInt8>, at offset: Int) -> Bool {
        [0x0800, 0x86DD].contains(type(frame, at: offset))
    }

    private static func type(_ frame: ArraySlice<UInt8>, at offset: Int) -> Int {
        guard frame.count >= offset + 2 else { return 0 }
        let index = frame.startIndex + offset
        return Int(frame[index]) << 8 | Int(frame[index + 1])
    }
}

import CLinux
import Glibc

// Interfaces whose other side is a descriptor of this process: TAP with Ethernet frames, TUN with IP packets.
//
// One read takes what the kernel has sent by the interface, one write hands the kernel what arrives there. The
// interface belongs to the namespace in which it was made, the descriptor may be used from anywhere, and the interface
// goes with its last descriptor, however that ends: none is made persistent.
//
// XDP on a TAP runs natively, inside the write and before the kernel makes a packet of the frame, only where the
// descriptor does not block, the buffer for sending is left as it is, and the frame fits a page with 256 octets of
// headroom and the kernel's own 320; a larger frame meets the program later and slower, and nothing says so.

/// Which packets at an interface's other side may be unfinished, or stand for many segments of TCP.
///
/// With any, each has ``OffloadedPackets/headerByteCount`` octets of the kernel's in front.
enum OffloadedDirections {
    case none
    /// Those that are written.
    case written
    /// Those that are written, and those that are read.
    case both
}

/// The descriptor of a new interface, and the interface.
struct OtherSide: ~Copyable {
    let interface: InterfaceIndex
    let descriptor: FileDescriptor

    /// Makes an interface in the calling thread's namespace.
    init(
        ofInterface name: String, hasEthernet: Bool, _ offloads: OffloadedDirections, _ change: LinkChange,
        _ length: UInt32
    ) throws(SystemError) {
        let number = clinux_open_interface(
            name, hasEthernet ? 1 : 0, offloads == .none ? 0 : 1, offloads == .both ? 1 : 0)
        let descriptor: FileDescriptor
        do throws(SystemError) {
            descriptor = FileDescriptor(
                owning: try checked(number, "make the \(hasEthernet ? "TAP" : "TUN") \(name)"))
        } catch {
            throw error.number == ENOENT ? error.explained("there is no /dev/net/tun") : error
        }
        try checked(
            clinux_set_queue_length(name, Int32(clamping: length)), "set the length of the queue of \(name)")
        var routes = try RouteSocket()
        if change != LinkChange() { try routes.change { $0.changeLink(.named(name), change) } }
        interface = try routes.existingLink(.named(name)).index
        self.descriptor = descriptor
    }

    /// Says whether there is somebody to hear what the interface sends.
    static func setCarrier(_ isUp: Bool, by descriptor: borrowing FileDescriptor, of name: String) throws(SystemError) {
        try checked(clinux_set_carrier(descriptor.number, isUp ? 1 : 0), "set the carrier of \(name)")
    }

    consuming func takeDescriptor() -> FileDescriptor {
        descriptor
    }
}

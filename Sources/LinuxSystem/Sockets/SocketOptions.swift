import Glibc
import Wire

/// Sets an option that is a number.
func setOption(
    _ level: Int32, _ option: Int32, to value: Int32, of socket: borrowing FileDescriptor,
    _ name: @autoclosure () -> String
) throws(SystemError) {
    var value = value
    try checked(
        setsockopt(socket.number, level, option, &value, socklen_t(MemoryLayout<Int32>.size)), "set \(name())")
}

/// Has a socket send and receive by one interface only, whatever the routes say.
func bind(_ socket: borrowing FileDescriptor, toInterface name: String) throws(SystemError) {
    let octets = Array(name.utf8)
    try checked(
        setsockopt(socket.number, SOL_SOCKET, SO_BINDTODEVICE, octets, socklen_t(octets.count)),
        "bind a socket to interface \(name)")
}

/// Gives a socket room for so many octets each way; beyond the system's limit where that is allowed.
func setRoom(_ byteCount: Int, of socket: borrowing FileDescriptor) {
    var value = Int32(clamping: byteCount)
    let size = socklen_t(MemoryLayout<Int32>.size)
    for (forced, plain) in [(SO_RCVBUFFORCE, SO_RCVBUF), (SO_SNDBUFFORCE, SO_SNDBUF)] {
        guard setsockopt(socket.number, SOL_SOCKET, forced, &value, size) < 0 else { continue }
        _ = setsockopt(socket.number, SOL_SOCKET, plain, &value, size)
    }
}

extension IPAddress {
    /// The level at which options of the address's family are set.
    var optionLevel: Int32 { isIPv4 ? Int32(IPPROTO_IP) : Int32(IPPROTO_IPV6) }
}

import Glibc

/// The numbers by which the kernel says why something did not happen, as far as they are told apart.
enum ErrorNumber {
    static let connectionRefused = ECONNREFUSED
    static let connectionReset = ECONNRESET
    static let timedOut = ETIMEDOUT
    static let tooBig = EMSGSIZE
    static let unreachable: [Int32] = [
        EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, ENETDOWN, EADDRNOTAVAIL, EACCES, EPERM, ENODEV, ENXIO, EINVAL,
    ]
    static let noRoom: [Int32] = [EAGAIN, ENOBUFS, ENOMEM]
}

import CLinux
import Glibc

// A kernel receives what one veth's end sends to the other inside whatever it has just interrupted: a wire that writes
// one frame may so work off hundreds that others have sent, which takes milliseconds. Threads of the kernel's can do it
// instead, which share the processors with everybody (Documentation/networking/napi.rst, "Threaded NAPI").

/// Has the kernel receive an interface's frames in threads of its own.
public enum ThreadedReceiving {
    /// Does so for an interface that polls; on a veth that is one with an XDP program.
    ///
    /// Throws where the interface does not poll, and where the kernel has no such threads (before 5.12).
    public static func begin(
        on interface: InterfaceIndex, in namespace: borrowing NetworkNamespace
    ) throws(SystemError) {
        try namespace.perform { () throws(SystemError) in
            var routes = try RouteSocket()
            let name = try routes.existingLink(.index(interface)).name
            let root = FileDescriptor(owning: try checked(clinux_open_sysfs(), "open /sys"))
            let subject = "receive from \(name) in a thread"
            let number = openat(root.number, "class/net/\(name)/threaded", O_WRONLY | O_CLOEXEC)
            let file = FileDescriptor(owning: try checked(number, subject))
            try checked(Int32(write(file.number, "1", 1)), subject)
        }
    }
}

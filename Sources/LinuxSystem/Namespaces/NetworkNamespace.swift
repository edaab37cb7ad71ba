import CLinux
import Glibc

// Network namespaces, held by descriptor.
//
// A namespace lives as long as something holds it: a descriptor, a process, or a mount. Here it is a descriptor, so
// that it goes, with every link in it, when its owner does, however that ends. What is to happen inside happens on a
// thread that was made for it (setns(2) changes one thread); sockets opened there stay in the namespace and may be
// used from anywhere. A name below /var/run/netns, which `ip netns` shows, is given only when asked for.

/// One network namespace, which ends with the last of its owners.
public struct NetworkNamespace: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    private init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Makes a new, empty namespace: a loopback that is down, and nothing else.
    public init() throws(SystemError) {
        let made = try onDedicatedThread { () throws(SystemError) in
            try checked(clinux_unshare_network(), "make a network namespace")
            return try FileDescriptor(path: ownNamespace, flags: O_RDONLY)
        }
        self.init(made)
    }

    /// Opens the namespace of the calling thread.
    public static func current() throws(SystemError) -> NetworkNamespace {
        NetworkNamespace(try FileDescriptor(path: ownNamespace, flags: O_RDONLY))
    }

    /// Opens a namespace that was given a name.
    public init(named name: String) throws(SystemError) {
        self.init(try FileDescriptor(path: try path(ofName: name), flags: O_RDONLY))
    }

    /// Opens the namespace that a file stands for, such as `/proc/PID/ns/net` or `/proc/PID/fd/N`.
    public init(at path: String) throws(SystemError) {
        let opened = try FileDescriptor(path: path, flags: O_RDONLY)
        // Of what else there may be at that place nothing but a namespace says that it is one of a network.
        guard clinux_namespace_kind(opened.number) == CLINUX_NETWORK_NAMESPACE else {
            throw .notAsAsked(path, asked: "a network namespace", found: "something else")
        }
        self.init(opened)
    }

    /// Another owner of the same namespace.
    public func shared() throws(SystemError) -> NetworkNamespace {
        NetworkNamespace(try FileDescriptor.duplicate(of: descriptor.number))
    }

    /// The number of the descriptor, for a message to the kernel that names the namespace, and for other processes:
    /// as long as this owner lives, `/proc/PID/fd/NUMBER` of this process is the namespace.
    public var number: Int32 { descriptor.number }

    /// The descriptor that holds it, for a process that is to inherit it.
    public var descriptorNumber: Int32 { descriptor.number }

    /// Becomes an owner of the namespace that a descriptor holds.
    public init(owning descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// Moves the calling thread into the namespace, for as long as it lives.
    public func enter() throws(SystemError) {
        try checked(clinux_enter_network(descriptor.number), "enter a network namespace")
    }

    /// Runs `body` on a thread inside the namespace and waits for it.
    public func perform<Value: ~Copyable>(
        _ body: () throws(SystemError) -> Value
    ) throws(SystemError) -> Value {
        try onDedicatedThread { () throws(SystemError) in
            try checked(clinux_enter_network(descriptor.number), "enter a network namespace")
            return try body()
        }
    }

    /// Sets one of the kernel's parameters below `net`, such as `ipv4/ip_forward`.
    public func setParameter(_ name: String, to value: String) throws(SystemError) {
        try perform { () throws(SystemError) in try writeParameter(name, value) }
    }

    /// The number that tells the namespace from every other that lives; a later one may get it again.
    public var identity: UInt64 {
        get throws(SystemError) {
            var status = stat()
            try checked(fstat(descriptor.number, &status), "look at a network namespace")
            return UInt64(status.st_ino)
        }
    }
}

extension NetworkNamespace {
    /// Mounts the namespace below `/var/run/netns`, so that it has a name and outlives its owners.
    public func publish(as name: String) throws(SystemError) {
        let path = try path(ofName: name)
        if mkdir(namedNamespaces, 0o755) < 0, errno != EEXIST {
            try checked(-1, "make \(namedNamespaces)")
        }
        // As iproute2 does: what it would mount over this folder later would hide the names given before.
        try checked(clinux_share_mounts(namedNamespaces), "share \(namedNamespaces)")
        let place = try FileDescriptor(owning: checked(open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0), path))
        try place.close()
        do throws(SystemError) {
            try checked(clinux_mount_namespace(descriptor.number, path), "name the namespace \(name)")
        } catch {
            unlink(path)
            throw error
        }
    }

    /// Takes a name away; the namespace ends if nothing else holds it.
    public static func withdraw(_ name: String) throws(SystemError) {
        let path = try path(ofName: name)
        try checked(clinux_unmount(path), "take away the name \(name)")
        try checked(unlink(path), "remove \(path)")
    }
}

/// Sets a parameter of the calling thread's namespace.
func writeParameter(_ name: String, _ value: String) throws(SystemError) {
    let file = try FileDescriptor(path: "/proc/sys/net/\(name)", flags: O_WRONLY)
    let octets = Array(value.utf8)
    try checked(Int32(write(file.number, octets, octets.count)), "set \(name) to \(value)")
}

private let ownNamespace = "/proc/thread-self/ns/net"
private let namedNamespaces = "/var/run/netns"

private func path(ofName name: String) throws(SystemError) -> String {
    guard !name.isEmpty, !name.utf8.contains(UInt8(ascii: "/")), name != ".", name != ".." else {
        throw .refused("name a namespace \"\(name)\"", number: EINVAL, explanation: "a name is not a path")
    }
    return "\(namedNamespaces)/\(name)"
}

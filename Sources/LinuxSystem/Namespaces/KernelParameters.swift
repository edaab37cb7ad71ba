import Glibc

/// The kernel's parameters below `net`, such as `ipv4/ip_forward`, of the calling thread's namespace.
public enum KernelParameters {
    /// What a parameter is set to; nil where this kernel has none of that name.
    public static func value(of name: String) throws(SystemError) -> String? {
        let file: FileDescriptor
        do throws(SystemError) {
            file = try FileDescriptor(path: "/proc/sys/net/\(name)", flags: O_RDONLY)
        } catch {
            if error.number == ENOENT { return nil }
            throw error
        }
        var octets = [UInt8](repeating: 0, count: 4_096)
        let count = Int(try checked(Int32(read(file.number, &octets, octets.count)), "read \(name)"))
        let lines = octets.prefix(count).split(separator: UInt8(ascii: "\n"))
        return lines.first.map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Sets a parameter.
    public static func set(_ name: String, to value: String) throws(SystemError) {
        try writeParameter(name, value)
    }
}

import Glibc

/// An open file of this process, closed when its owner is gone.
public struct FileDescriptor: ~Copyable, Sendable {
    public let number: Int32

    /// Becomes the only owner of an open descriptor.
    public init(owning number: Int32) {
        self.number = number
    }

    deinit { _ = Glibc.close(number) }

    /// Opens a file; children do not inherit it.
    public init(path: String, flags: Int32) throws(SystemError) {
        self.init(owning: try checked(open(path, flags | O_CLOEXEC), "open \(path)"))
    }

    /// Opens a file to write behind what it has, and makes it where there is none.
    public static func appending(to path: String) throws(SystemError) -> FileDescriptor {
        let number = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
        return FileDescriptor(owning: try checked(number, "open \(path)"))
    }

    /// A second descriptor of the same open file.
    ///
    /// Its number is at least `least`.
    public static func duplicate(of number: Int32, from least: Int32 = 0) throws(SystemError) -> FileDescriptor {
        FileDescriptor(owning: try checked(fcntl(number, F_DUPFD_CLOEXEC, least), "duplicate a descriptor"))
    }

    /// Closes the file, and says if that failed.
    public consuming func close() throws(SystemError) {
        let number = number
        discard self
        try checked(Glibc.close(number), "close")
    }
}

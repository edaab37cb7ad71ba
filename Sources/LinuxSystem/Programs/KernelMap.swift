import CBPF
import Glibc

/// A map in the kernel, shared with the programs that use it.
///
/// Keys and values are octets in the sizes that the map declares; a value of a map with one for each CPU is as many
/// slots of `valueStride` octets as there are possible CPUs, in the order of their numbers.
public struct KernelMap: ~Copyable {
    public let name: String
    public let keySize: Int
    /// The size of one value, as the program sees it.
    public let valueSize: Int
    public let maximumEntries: Int
    public let hasValueForEachCPU: Bool
    let descriptor: FileDescriptor
    let kind: bpf_map_type

    init(_ descriptor: consuming FileDescriptor, name: String) throws(SystemError) {
        var information = bpf_map_info()
        var size = UInt32(MemoryLayout<bpf_map_info>.size)
        try checked(bpf_obj_get_info_by_fd(descriptor.number, &information, &size), "look at the map \(name)")
        self.descriptor = descriptor
        self.name = name
        keySize = Int(information.key_size)
        valueSize = Int(information.value_size)
        maximumEntries = Int(information.max_entries)
        kind = bpf_map_type(information.type)
        hasValueForEachCPU = [
            BPF_MAP_TYPE_PERCPU_HASH, BPF_MAP_TYPE_PERCPU_ARRAY, BPF_MAP_TYPE_LRU_PERCPU_HASH,
        ].contains(kind)
    }

    /// Opens a map that was pinned.
    public init(pinnedAt path: String) throws(SystemError) {
        let number = try checked(bpf_obj_get(path), "open the map pinned at \(path)")
        try self.init(FileDescriptor(owning: number), name: path)
    }

    /// How many CPUs the machine may have; maps with a value for each have so many.
    public static func possibleCPUs() throws(SystemError) -> Int {
        Int(try explained({ libbpf_num_possible_cpus() }, fails: { $0 < 0 }, "count the CPUs"))
    }

    /// The distance from one CPU's value to the next: the value's size, rounded up to eight octets.
    public var valueStride: Int { hasValueForEachCPU ? (valueSize + 7) & ~7 : valueSize }

    /// The octets of what is read from and written to one key: all CPUs' values, or the one.
    public var entrySize: Int {
        get throws(SystemError) { hasValueForEachCPU ? valueStride * (try Self.possibleCPUs()) : valueSize }
    }

    /// What an update asks of the entry that is there, or not.
    public enum Condition: UInt64, Sendable {
        case any, absent, present
    }

    /// Writes one entry.
    ///
    /// Where a value is an interface's number, as in a map of devices, the calling thread must be in its namespace.
    public func update(_ key: RawSpan, to value: RawSpan, if condition: Condition = .any) throws(SystemError) {
        try check(key)
        try checkEntry(value.byteCount)
        let result = key.withUnsafeBytes { key in
            value.withUnsafeBytes { value in
                bpf_map_update_elem(descriptor.number, key.baseAddress, value.baseAddress, condition.rawValue)
            }
        }
        try checked(result, "update \(name)")
    }

    /// Reads one entry; false when there is none.
    public func read(_ key: RawSpan, into value: inout MutableRawSpan) throws(SystemError) -> Bool {
        try check(key)
        try checkEntry(value.byteCount)
        let result = key.withUnsafeBytes { key in
            value.withUnsafeMutableBytes { value in
                bpf_map_lookup_elem(descriptor.number, key.baseAddress, value.baseAddress)
            }
        }
        return try wasFound(result, "read \(name)")
    }

    /// Removes one entry; false when there was none.
    @discardableResult
    public func remove(_ key: RawSpan) throws(SystemError) -> Bool {
        try check(key)
        let result = key.withUnsafeBytes { bpf_map_delete_elem(descriptor.number, $0.baseAddress) }
        return try wasFound(result, "remove from \(name)")
    }

    /// Finds the key behind another, or the first; false behind the last.
    ///
    /// A key that has gone is followed by the first one, so a walk over a map that changes may see entries twice.
    public func nextKey(after key: RawSpan?, into next: inout MutableRawSpan) throws(SystemError) -> Bool {
        guard next.byteCount == keySize else {
            throw .wrongSize(of: "a key of \(name)", expected: keySize, given: next.byteCount)
        }
        let descriptor = descriptor.number
        var result: Int32
        if let key {
            try check(key)
            result = key.withUnsafeBytes { key in
                next.withUnsafeMutableBytes { bpf_map_get_next_key(descriptor, key.baseAddress, $0.baseAddress) }
            }
        } else {
            result = next.withUnsafeMutableBytes { bpf_map_get_next_key(descriptor, nil, $0.baseAddress) }
        }
        return try wasFound(result, "walk \(name)")
    }

    /// Keeps the map in the BPF file system when all its owners are gone.
    public func pin(at path: String) throws(SystemError) {
        try checked(bpf_obj_pin(descriptor.number, path), "pin \(name) at \(path)")
    }

    private func wasFound(_ result: Int32, _ call: @autoclosure () -> String) throws(SystemError) -> Bool {
        if result < 0, errno == ENOENT { return false }
        try checked(result, call())
        return true
    }

    private func check(_ key: RawSpan) throws(SystemError) {
        guard key.byteCount == keySize else {
            throw .wrongSize(of: "a key of \(name)", expected: keySize, given: key.byteCount)
        }
    }

    private func checkEntry(_ count: Int) throws(SystemError) {
        let size = try entrySize
        guard count == size else { throw .wrongSize(of: "a value of \(name)", expected: size, given: count) }
    }
}

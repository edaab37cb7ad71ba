import CBPF
import Glibc

// Compiled programs and their maps, from the octets of an ELF object to the kernel, by libbpf.
//
// `ObjectFile` is an object that was opened and can still be changed: sizes of maps, values of constants, which
// programs to load. `load()` consumes it and gives the `LoadedObject`, which can only be used; what was possible
// before is not possible after, and neither compiles. Programs and maps are handles of their own and outlive the
// object.

/// An object of programs and maps before the kernel has it.
public struct ObjectFile: ~Copyable {
    private let object: OpaquePointer

    /// Reads an object; `name` begins the names of its data sections in the kernel.
    public init(_ octets: RawSpan, name: String) throws(SystemError) {
        // The library reads structures where they lie, so they have to lie where the compiler would put them.
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, octets.byteCount), alignment: 16)
        defer { copy.deallocate() }
        octets.withUnsafeBytes { copy.copyMemory(from: $0) }
        let object = try explained(
            {
                name.withCString { name in
                    var options = bpf_object_open_opts()
                    options.sz = MemoryLayout<bpf_object_open_opts>.size
                    options.object_name = name
                    return bpf_object__open_mem(copy.baseAddress, octets.byteCount, &options)
                }
            }, fails: { $0 == nil }, "open the object \(name)")
        guard let object else { throw .refused("open the object \(name)", number: EINVAL, explanation: "") }
        self.object = object
    }

    deinit { bpf_object__close(object) }

    public var programNames: [String] { names(of: object, next: bpf_object__next_program, name: bpf_program__name) }

    public var mapNames: [String] { names(of: object, next: bpf_object__next_map, name: bpf_map__name) }

    /// Has only these programs loaded, so that the kernel need not have what others would want.
    public mutating func keepOnly(programs kept: [String]) throws(SystemError) {
        for name in kept { _ = try self.program(name) }
        for name in programNames {
            try checked(
                bpf_program__set_autoload(try self.program(name), kept.contains(name)), "choose the program \(name)")
        }
    }

    /// Gives a map room for so many entries.
    public mutating func setMaximumEntries(_ count: UInt32, of name: String) throws(SystemError) {
        guard let map = bpf_object__find_map_by_name(object, name) else {
            throw .absent("map \(name)", among: mapNames)
        }
        try checked(bpf_map__set_max_entries(map, count), "make room for \(count) entries in \(name)")
    }

    /// Gives a global variable its first value, and a constant its only one.
    ///
    /// What lies in `.rodata` is frozen when the object is loaded, so the verifier drops the code that it rules out.
    public mutating func setVariable(_ name: String, to octets: RawSpan) throws(SystemError) {
        for section in [".rodata", ".data", ".bss"] {
            var size = 0
            let offset = cbpf_variable_offset(object, section, name, &size)
            guard offset >= 0, let map = bpf_object__find_map_by_name(object, section) else { continue }
            guard size == octets.byteCount else {
                throw .wrongSize(of: "the variable \(name)", expected: size, given: octets.byteCount)
            }
            var sectionSize = 0
            guard let values = UnsafeMutableRawPointer(mutating: bpf_map__initial_value(map, &sectionSize)),
                Int(offset) + size <= sectionSize
            else {
                throw .refused("set the variable \(name)", number: EINVAL, explanation: "it lies outside \(section)")
            }
            octets.withUnsafeBytes { octets in
                UnsafeMutableRawBufferPointer(start: values + Int(offset), count: size).copyMemory(from: octets)
            }
            return
        }
        throw .absent("variable \(name)", among: [])
    }

    /// Gives a global variable its first value, in the machine's order.
    public mutating func setVariable(_ name: String, to value: some FixedWidthInteger & BitwiseCopyable)
        throws(SystemError)
    {
        let values = [value]
        try setVariable(name, to: values.span.bytes)
    }

    /// Hands the maps and programs to the kernel; when the verifier refuses one, the error has its whole log.
    public consuming func load() throws(SystemError) -> LoadedObject {
        let object = object
        discard self
        do throws(SystemError) {
            _ = try explained({ bpf_object__load(object) }, fails: { $0 < 0 }, "load the object")
        } catch {
            bpf_object__close(object)
            throw error
        }
        return LoadedObject(owning: object)
    }

    private func program(_ name: String) throws(SystemError) -> OpaquePointer {
        guard let program = bpf_object__find_program_by_name(object, name) else {
            throw .absent("program \(name)", among: programNames)
        }
        return program
    }
}

/// An object that the kernel has: programs that can be run and attached, maps that can be read and written.
public struct LoadedObject: ~Copyable {
    private let object: OpaquePointer

    fileprivate init(owning object: OpaquePointer) {
        self.object = object
    }

    deinit { bpf_object__close(object) }

    public var programNames: [String] { names(of: object, next: bpf_object__next_program, name: bpf_program__name) }

    public var mapNames: [String] { names(of: object, next: bpf_object__next_map, name: bpf_map__name) }

    /// The program of that function's name.
    public func program(_ name: String) throws(SystemError) -> KernelProgram {
        guard let program = bpf_object__find_program_by_name(object, name), bpf_program__fd(program) >= 0 else {
            throw .absent("program \(name)", among: programNames)
        }
        return try KernelProgram(FileDescriptor.duplicate(of: bpf_program__fd(program)), name: name)
    }

    /// The map of that variable's name.
    public func map(_ name: String) throws(SystemError) -> KernelMap {
        guard let map = bpf_object__find_map_by_name(object, name), bpf_map__fd(map) >= 0 else {
            throw .absent("map \(name)", among: mapNames)
        }
        return try KernelMap(FileDescriptor.duplicate(of: bpf_map__fd(map)), name: name)
    }
}

/// The names of an object's parts, in its order.
private func names(
    of object: OpaquePointer, next: (OpaquePointer?, OpaquePointer?) -> OpaquePointer?,
    name: (OpaquePointer?) -> UnsafePointer<CChar>?
) -> [String] {
    var names: [String] = []
    var current = next(object, nil)
    while let part = current {
        if let name = name(part) { names.append(String(cString: name)) }
        current = next(object, part)
    }
    return names
}

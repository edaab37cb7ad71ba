public import Dataplane

/// The project's own program in the kernel, with its maps, not yet on any port.
///
/// Ports are given to it by `XDPAttachment`; what it does is told by a `DataplaneControl` over ``maps(in:)``.
public struct KernelDataplane: ~Copyable {
    public let object: LoadedObject
    public let program: KernelProgram

    /// Hands the program to the kernel; `sizes` lowers how many entries maps have room for, and with them the memory.
    public init(
        switches: DataplaneSwitches = DataplaneSwitches(), sizes: [(map: DataplaneMap, entries: UInt32)] = []
    ) throws(SystemError) {
        let octets = DataplaneProgram.octets
        let constants = switches.octets
        var file = try ObjectFile(octets.span.bytes, name: "patronus")
        try file.setVariable(DataplaneSwitches.variable, to: constants.span.bytes)
        for (map, entries) in sizes { try file.setMaximumEntries(entries, of: map.rawValue) }
        let object = try file.load()
        let program = try object.program(DataplaneProgram.entryPoint)
        self.program = program
        self.object = object
    }

    /// Its maps, for a `DataplaneControl`; the ports that it is told of are those of `namespace`.
    public func maps(in namespace: consuming NetworkNamespace) throws(SystemError) -> KernelDataplaneMaps {
        try KernelDataplaneMaps(object, namespace)
    }
}

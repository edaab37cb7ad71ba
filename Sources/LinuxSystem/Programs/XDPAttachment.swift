import CBPF
import Glibc

// A program on an interface, by bpf_link.
//
// The link is a descriptor: when its last owner is gone, by `detach()`, at the end of the process or because it was
// killed, the kernel takes the program off the interface. Only `pin(at:)` makes it stay. The mode is asked for by flag,
// native unless the caller allows the other, and then read back from the interface over netlink.

/// A program attached to an interface, for as long as this value lives.
public struct XDPAttachment: ~Copyable {
    public let interface: InterfaceIndex
    /// How the kernel says that the program is attached.
    public let mode: XDPMode
    /// Why the mode is not native, where it is not.
    public let reasonForGeneric: SystemError?
    private let link: FileDescriptor

    /// The modes that a caller will have.
    public enum AllowedModes: Sendable {
        case nativeOnly
        /// Generic too, when the driver refuses native.
        case genericIfRefused
        /// Generic and nothing else, to compare.
        case genericOnly
    }

    /// Attaches a program to an interface of `namespace` that runs none.
    public init(
        _ program: borrowing KernelProgram, to interface: InterfaceIndex, in namespace: borrowing NetworkNamespace,
        allowing modes: AllowedModes = .nativeOnly
    ) throws(SystemError) {
        let made = try namespace.perform { () throws(SystemError) in try Self.attach(program, interface, modes) }
        self.interface = interface
        mode = made.mode
        reasonForGeneric = made.reason
        link = made.link
    }

    private struct Made: ~Copyable {
        let link: FileDescriptor
        let mode: XDPMode
        let reason: SystemError?
    }

    /// Attaches within the calling thread's namespace, and reads back what came of it.
    private static func attach(
        _ program: borrowing KernelProgram, _ interface: InterfaceIndex, _ modes: AllowedModes
    ) throws(SystemError) -> Made {
        var reason: SystemError?
        let link: FileDescriptor
        switch modes {
        case .nativeOnly: link = try Self.link(program, interface, .native)
        case .genericOnly:
            link = try Self.link(program, interface, .generic)
            reason = .refused("attach natively to \(interface)", number: 0, explanation: "generic mode was asked for")
        case .genericIfRefused:
            do throws(SystemError) {
                link = try Self.link(program, interface, .native)
            } catch {
                guard let number = error.number, !Self.hasNothingToDoWithMode(number) else { throw error }
                link = try Self.link(program, interface, .generic)
                reason = error
            }
        }
        var routes = try RouteSocket()
        let state = try routes.existingLink(.index(interface))
        let asked: XDPMode = reason == nil ? .native : .generic
        guard let attached = state.program, attached.mode == asked, attached.identifier == program.identifier else {
            let found = state.program.map { "\($0.mode.rawValue) program \($0.identifier)" } ?? "no program"
            throw .notAsAsked(
                "XDP on \(state.name)", asked: "\(asked.rawValue) program \(program.identifier)", found: found)
        }
        return Made(link: link, mode: attached.mode, reason: reason)
    }

    private static func link(
        _ program: borrowing KernelProgram, _ interface: InterfaceIndex, _ mode: XDPMode
    ) throws(SystemError) -> FileDescriptor {
        var options = bpf_link_create_opts()
        options.sz = MemoryLayout<bpf_link_create_opts>.size
        options.flags = UInt32(mode == .native ? XDP_FLAGS_DRV_MODE : XDP_FLAGS_SKB_MODE)
        let result = bpf_link_create(program.descriptor.number, Int32(interface.number), BPF_XDP, &options)
        do throws(SystemError) {
            return FileDescriptor(
                owning: try checked(result, "attach \(program.name) to \(interface) in \(mode.rawValue) mode"))
        } catch {
            throw explanations[error.number ?? 0].map { error.explained($0) } ?? error
        }
    }

    /// What the drivers mean by the numbers that they answer with.
    private static let explanations: [Int32: String] = [
        EOPNOTSUPP: "the driver has no native XDP",
        ERANGE: "the MTU, here or at the other end, is larger than this driver takes for a program without fragments",
        EBUSY: "another program is attached",
        EEXIST: "a program is attached in another mode",
    ]

    /// Whether an error says that nothing could be attached, whatever the mode.
    private static func hasNothingToDoWithMode(_ number: Int32) -> Bool {
        [EBUSY, EEXIST, ENODEV, EPERM, EACCES, EBADF, ENOMEM].contains(number)
    }

    /// Puts another program in the place of the one that runs; no packet sees neither.
    public func replace(by program: borrowing KernelProgram) throws(SystemError) {
        try checked(bpf_link_update(link.number, program.descriptor.number, nil), "replace by \(program.name)")
        let found = try information.prog_id
        guard found == program.identifier else {
            throw .notAsAsked("XDP on \(interface)", asked: "program \(program.identifier)", found: "program \(found)")
        }
    }

    /// The kernel's number of the program that runs.
    public var programIdentifier: UInt32 {
        get throws(SystemError) { try information.prog_id }
    }

    /// Whether there still is an interface to be attached to.
    public var isInEffect: Bool {
        get throws(SystemError) { try information.xdp.ifindex != 0 }
    }

    private var information: bpf_link_info {
        get throws(SystemError) {
            var information = bpf_link_info()
            var size = UInt32(MemoryLayout<bpf_link_info>.size)
            try checked(bpf_obj_get_info_by_fd(link.number, &information, &size), "look at the link to \(interface)")
            return information
        }
    }

    /// Keeps the program attached when this value is gone, until `unpin(_:)`.
    public func pin(at path: String) throws(SystemError) {
        try checked(bpf_obj_pin(link.number, path), "pin the link to \(interface) at \(path)")
    }

    /// Ends what `pin(at:)` made last.
    public static func unpin(_ path: String) throws(SystemError) {
        try checked(unlink(path), "unpin \(path)")
    }

    /// Takes the program off the interface, now.
    public consuming func detach() {}
}

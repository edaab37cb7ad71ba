import Basics
import Glibc
import LinuxHost
import LinuxSystem
import Node

extension RealNode {
    func hostConfiguration(_ clock: MonotonicClock) -> HostConfiguration {
        let ports = plan.ports.map { port in
            HostPort(
                port.interface ?? port.name, role: port.role, addresses: port.addresses.map(\.address),
                gateways: port.gateways, reachable: port.reachable)
        }
        var configuration = HostConfiguration(
            ports: ports, overlay: plan.overlay, usesDataplane: plan.usesDataplane, clock: clock,
            random: SeededRandom(seed: UInt64.random(in: 0...UInt64.max), stream: "dataplane \(plan.node)"))
        configuration.allowsGenericDataplane = options.allowsGeneric
        return configuration
    }

    /// What goes with the overlay interface needs no journal.
    func configureOverlay() throws(SystemError) {
        for parameter in RealParameters.wanted(forOverlay: plan.overlay.name, forwardsIPv6: plan.forwardsIPv6) {
            guard let value = try KernelParameters.value(of: parameter.name), value != parameter.value else { continue }
            try KernelParameters.set(parameter.name, to: parameter.value)
        }
    }

    /// The ports as they were attached; a mode that is not native is spoken of.
    func portStates(_ host: borrowing MachineHost<Node>) -> [RealState.Port] {
        let modes = host.dataplaneModes
        return plan.ports.enumerated().map { number, port in
            let mode = number < modes.count ? modes[number] : nil
            if let mode, let reason = mode.reasonForGeneric {
                say("warning: \(port.interface ?? "") runs XDP in \(mode.mode.rawValue) mode, which is slow: \(reason)")
            }
            return RealState.Port(name: port.name, interface: port.interface ?? "", xdp: mode?.mode.rawValue)
        }
    }

    func announce(_ ports: [RealState.Port]) {
        let words = ports.map { port in
            "\(port.name) on \(port.interface)" + (port.xdp.map { " (XDP \($0))" } ?? "")
        }
        say("this machine is node \(plan.node) of \(plan.topology): \(words.joined(separator: ", "))")
        if let time = options.confirmWithin {
            say("all is undone in \(time) unless it is confirmed with `patronus-sim node --confirm`")
        }
    }
}

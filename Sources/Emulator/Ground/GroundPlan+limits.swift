import Wire

extension GroundPlan {
    /// How many descriptors a lab's supervisor has open: two for each namespace, one for each TAP, some for all else.
    var neededDescriptors: Int { namespaces.count * 2 + links.count { $0.kind == .wire } * 2 + 128 }

    /// What this plan has more of than the kernel has room for, with what to do about it.
    public func warnings(under limits: KernelLimits) -> [String] {
        var warnings: [String] = []
        for (isIPv4, room, parameter) in [
            (true, limits.ipv4Neighbours, KernelLimits.ipv4NeighboursName),
            (false, limits.ipv6Neighbours, KernelLimits.ipv6NeighboursName),
        ] {
            let needed = neighbours(isIPv4: isIPv4)
            guard let room, needed > room else { continue }
            warnings.append(
                "up to \(needed) \(isIPv4 ? "IPv4" : "IPv6") neighbours at once, and the kernel keeps \(room), of all "
                    + "namespaces together: packets to the others are lost; "
                    + "run `\(KernelLimits.remedy(parameter, for: needed))`")
        }
        if neededDescriptors > limits.openFiles {
            warnings.append(
                "\(neededDescriptors) open files, and a process may have \(limits.openFiles); "
                    + "raise the limit (ulimit -n)")
        }
        return warnings
    }

    /// How many neighbours there may be: at each end of each link one, over IPv6 by its link's address too.
    private func neighbours(isIPv4: Bool) -> Int {
        let ports = namespaces.reduce(0) { sum, namespace in
            sum + namespace.ports.count { $0.addresses.contains { $0.address.isIPv4 == isIPv4 } }
        }
        return isIPv4 ? ports + namespaces.count { $0.overlay != nil } : 2 * ports
    }
}

public import LinuxSystem
public import Scenario

extension Ground {
    /// Takes the carrier from a veth's two ends, or gives it back.
    ///
    /// One end is set down, the other one sees nobody there: who is down is not a `patronus` node where one end is
    /// none. Setting an interface down costs it its routes, which it gets back when it comes up. The carrier of a wire
    /// is its TAPs' (`TapDevice.setCarrier`).
    public mutating func setCarrier(ofLink index: Int, isUp: Bool) throws(SystemError) {
        let link = plan.links[index]
        precondition(link.kind == .veth, "a wire's carrier is set by who holds its TAPs")
        let isFirst = isPatronus(link.second) && !isPatronus(link.first)
        let lowered = isFirst ? link.first : link.second
        let site = sites[lowered.namespace]
        let interface = site.interfaces[lowered.port]
        let namespace = plan.namespaces[lowered.namespace]
        var batch = NetlinkBatch()
        batch.changeLink(.index(interface), LinkChange(isUp: isUp))
        if isUp {
            for route in namespace.routes where route.port == lowered.port {
                batch.replaceRoute(kernelRoute(route, at: lowered.namespace))
            }
        }
        try site.routes.commit(batch)
        try announceCarriers(ofLink: index)
    }

    /// Has the kernel look at the carriers of a link's ends now, and tell whoever listens.
    ///
    /// By itself it may take a second over it: of events on the whole machine it looks at those of one second together,
    /// and a port that has just come up drops what it is given until then.
    /// To whoever asks for a link's state it says nothing that it has not told everybody (`linkwatch_sync_dev`).
    public mutating func announceCarriers(ofLink index: Int) throws(SystemError) {
        for end in [plan.links[index].first, plan.links[index].second] {
            _ = try sites[end.namespace].routes.link(.index(sites[end.namespace].interfaces[end.port]))
        }
    }

    private func isPatronus(_ end: GroundPlan.End) -> Bool { plan.namespaces[end.namespace].kind == .patronus }

    /// Sets the largest packet that leaves by an end of a link.
    public mutating func setMTU(ofLink index: Int, _ direction: LinkDirection, to mtu: UInt32) throws(SystemError) {
        let end = plan.links[index].source(direction)
        let site = sites[end.namespace]
        try site.routes.change { $0.changeLink(.index(site.interfaces[end.port]), LinkChange(mtu: mtu)) }
    }

    /// Gives a node's namespace the name `LAB.NODE` below /run/netns, which `ip netns` shows, until the lab is over.
    public func publish(node index: Int, journal: LabJournal) throws(GroundError) {
        try grounded { () throws(SystemError) in
            try journal.publish(sites[index].namespace, as: "\(lab).\(plan.namespaces[index].name)")
        }
    }
}

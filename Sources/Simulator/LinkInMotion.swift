import Basics
import Links
import Machine

/// One direction of a link in a running simulation: the model, and where it leads.
struct LinkInMotion {
    var link: Link
    /// The device and port that packets arrive at.
    let device: Int
    let port: PortID
    /// The link's index in the topology.
    let linkIndex: Int
    /// Whether this is the direction from the link's first end to its second.
    let isForward: Bool
    /// When the one event that the queue holds for this direction is due.
    var scheduledAt = Instant.never
    var isCaptured = false

    /// The order key of this direction's events: whom it concerns, then who caused it.
    let eventKey: UInt64

    init(_ link: Link, to device: Int, port: PortID, linkIndex: Int, isForward: Bool, direction: Int) {
        self.link = link
        self.device = device
        self.port = port
        self.linkIndex = linkIndex
        self.isForward = isForward
        eventKey = EventKey.arrival(at: device, direction: direction)
    }
}

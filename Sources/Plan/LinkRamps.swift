public import Basics
public import Links
public import Scenario

/// The ramps that are under way: scripted changes of links that take a while.
public struct LinkRamps: Sendable {
    /// The profile that a direction had when a ramp of its began, by the ramp's event.
    private var starts: [(event: Int, direction: Int, profile: LinkProfile)] = []

    public init() {}

    /// The profile of a direction once an event's changes have got that far; all that they do not speak of stays.
    public mutating func step(
        _ current: LinkProfile, ofDirection direction: Int, towards changes: LinkSettings, progress: Ratio, event: Int
    ) -> LinkProfile {
        let place = starts.firstIndex { $0.event == event && $0.direction == direction }
        let start = place.map { starts[$0].profile } ?? current
        if progress == .one {
            if let place { starts.remove(at: place) }
        } else if place == nil {
            starts.append((event, direction, start))
        }
        return current.taking(start.interpolated(to: start.applying(changes), progress: progress), where: changes)
    }
}

import Foundation

/// Asks again and again whether something has come true, for at most so many seconds.
public func eventually(
    within seconds: Double = 10, every interval: Double = 0.01, _ condition: () throws -> Bool
) rethrows -> Bool {
    let clock = ContinuousClock()
    let end = clock.now + .seconds(seconds)
    while clock.now < end {
        if try condition() { return true }
        Thread.sleep(forTimeInterval: interval)
    }
    return try condition()
}

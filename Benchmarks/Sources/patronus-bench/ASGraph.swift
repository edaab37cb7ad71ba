import Basics

/// Made-up ASes with providers, customers and peers, like those of the Internet in shape: a few at the top that are all
/// each other's peers, below them every AS has one to three providers, and those with many customers get more.
struct ASGraph {
    /// Of each AS, the providers, all of lower numbers.
    private(set) var providers: [[Int]]
    private(set) var customers: [[Int]]
    private(set) var peers: [[Int]]

    static let topCount = 10

    init(count: Int, seed: UInt64) {
        var random = SeededRandom(seed: seed, stream: "ases")
        providers = Array(repeating: [], count: count)
        customers = providers
        peers = providers
        for left in 0..<min(Self.topCount, count) {
            for right in left + 1..<max(left + 1, min(Self.topCount, count)) { join(left, right) }
        }
        // Each end of a link that there is stands for one chance to get the next customer.
        var chances = Array(0..<min(Self.topCount, count))
        for number in chances.count..<max(chances.count, count) {
            for _ in 0..<1 + random.below(3) {
                let provider = chances[Int(random.below(UInt64(chances.count)))]
                guard provider != number, !providers[number].contains(provider) else { continue }
                providers[number].append(provider)
                customers[provider].append(number)
                chances.append(provider)
            }
            chances.append(number)
            let other = Self.topCount + Int(random.below(UInt64(number)))
            if other < number, random.below(3) == 0, !providers[number].contains(other) { join(number, other) }
        }
    }

    var count: Int { providers.count }

    /// All pairs with a session, each once.
    var edges: [(Int, Int)] {
        (0..<count).flatMap { left in
            (customers[left] + peers[left].filter { $0 > left }).sorted().map { (left, $0) }
        }
    }

    private mutating func join(_ left: Int, _ right: Int) {
        peers[left].append(right)
        peers[right].append(left)
    }

    /// Of each AS, from whom it must have its route to `origin` and how long the path is; nil where there is none.
    ///
    /// Customers' routes before peers' before providers', then the shortest, then the lowest neighbour; peers and
    /// providers are told of customers alone (Gao and Rexford). Worked out without BGP.
    func routes(to origin: Int) -> [(from: Int, length: Int)?] {
        var best: [(from: Int, length: Int)?] = Array(repeating: nil, count: count)
        best[origin] = (origin, 0)
        // Up: a provider's number is below its customers', but a shorter way may come round by a longer chain.
        var level = [origin]
        var length = 0
        while !level.isEmpty {
            length += 1
            var next: [Int] = []
            for number in level {
                for provider in providers[number] {
                    if let known = best[provider] {
                        if known.length == length, number < known.from { best[provider] = (number, length) }
                    } else {
                        best[provider] = (number, length)
                        next.append(provider)
                    }
                }
            }
            level = next
        }
        let up = best
        for number in 0..<count where up[number] == nil {
            best[number] = Self.nearest(peers[number], up)
        }
        for number in 0..<count where best[number] == nil {
            best[number] = Self.nearest(providers[number], best)
        }
        return best
    }

    private static func nearest(
        _ neighbors: [Int], _ routes: [(from: Int, length: Int)?]
    ) -> (from: Int, length: Int)? {
        var nearest: (from: Int, length: Int)?
        for neighbor in neighbors {
            guard let route = routes[neighbor] else { continue }
            let length = route.length + 1
            if let known = nearest, (known.length, known.from) < (length, neighbor) { continue }
            nearest = (neighbor, length)
        }
        return nearest
    }
}

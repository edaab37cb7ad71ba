import Basics
import Machine
import Wire

/// The way of datagrams between two ports, without a rate: delay and loss in each direction.
struct Pipe {
    struct End: Equatable {
        var site: Int
        var port: Int
    }

    struct Way {
        var delay: Interval
        var loss = Ratio.zero
    }

    var ends: (End, End)
    /// From the first end to the second, and back.
    var ways: (forward: Way, backward: Way)

    init(_ first: End, _ second: End, delay: Interval) {
        ends = (first, second)
        ways = (Way(delay: delay), Way(delay: delay))
    }

    /// The way that starts at a site.
    func way(from site: Int) -> Way { ends.0.site == site ? ways.forward : ways.backward }

    func joins(_ first: Int, _ second: Int) -> Bool {
        (ends.0.site == first && ends.1.site == second) || (ends.0.site == second && ends.1.site == first)
    }

    /// Loses nothing or everything from now on, in both directions.
    mutating func cut(_ isCut: Bool = true) {
        ways.forward.loss = isCut ? .one : .zero
        ways.backward.loss = isCut ? .one : .zero
    }
}

/// An ideal byte stream between two sites: in order and whole, and held where there is no path.
final class Connection {
    enum Item {
        case opened
        case bytes([UInt8])
        case finished
        case reset
    }

    struct End {
        var connection: Connection
        /// 0 is who opened it.
        var side: Int
    }

    /// The sites, and what each calls its end; the one that answers has a name when it has been told.
    let sites: (Int, Int)
    var names: (StreamID, StreamID)
    let local: SocketAddress
    let remote: SocketAddress
    /// What is on its way to each end, by the instant at which it may arrive.
    var queues: [[(at: Instant, item: Item)]] = [[], []]
    /// Which ends have said that they will write no more.
    var hasFinished = [false, false]

    init(sites: (Int, Int), name: StreamID, answeringAs other: StreamID, local: SocketAddress, remote: SocketAddress) {
        self.sites = sites
        names = (name, other)
        self.local = local
        self.remote = remote
    }

    func site(_ side: Int) -> Int { side == 0 ? sites.0 : sites.1 }
    func name(_ side: Int) -> StreamID { side == 0 ? names.0 : names.1 }
}

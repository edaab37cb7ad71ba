import Foundation
import Glibc
import TestKit
import Testing

/// What several suites bring about in the two machines, and compare.
extension RealWorld {
    static let tunnels = ["branch:wan-a>hq:wan-a", "branch:wan-b>hq:wan-b"]

    /// Both nodes, with their tunnels up.
    func startBoth() throws -> (branch: RunningProgram, hq: RunningProgram) {
        let branch = try startNode(.branch)
        let hq = try startNode(.hq)
        let areUp = try eventually(every: 0.1) {
            try upTunnels(.branch) == Self.tunnels && upTunnels(.hq) == Self.tunnels
        }
        if !areUp {
            for program in [branch, hq] {
                program.send(SIGTERM)
                Issue.record("\(try program.outcome().errors)")
            }
        }
        try #require(areUp)
        return (branch, hq)
    }

    func expectSame(_ former: String, _ comment: String = "") throws {
        var present = ""
        let isSame = try eventually {
            present = try snapshot()
            return present == former
        }
        #expect(isSame, "\(comment) \(difference(former, present))")
    }

    private func difference(_ former: String, _ present: String) -> String {
        let (old, new) = (former.split(separator: "\n"), present.split(separator: "\n"))
        return new.difference(from: old).map { change in
            switch change {
            case .insert(_, let line, _): "+ \(line)"
            case .remove(_, let line, _): "- \(line)"
            }
        }.joined(separator: "\n")
    }
}

import ArgumentParser
import Basics
import Emulator
import Foundation
import Glibc
import LinuxSystem

extension NodeCommand {
    /// Asks the node that runs on this machine.
    func speakToNode() throws {
        let entry: RealStore.Entry
        do throws(RealError) {
            entry = try RealStore.standard.living(name)
        } catch {
            throw Failure(error)
        }
        var state: RealState?
        do throws(SystemError) {
            let client = try RealClient(connectingTo: entry.controlPath)
            if down {
                try client.down()
                try Self.waitForEnd(of: entry)
            } else if confirm {
                _ = try client.ask(.confirm)
                Console.output("node \(entry.node) is confirmed\n")
            } else if case .state(let answer) = try client.ask(.inspect) {
                state = answer
            }
        } catch {
            throw Failure(.lacking, "patronus-sim: node \(entry.node) cannot be reached: \(error)")
        }
        if let state { Console.output(json ? try LabInspectCommand.document(state) : Self.text(state)) }
    }

    /// It hangs up first, and then gives everything back.
    private static func waitForEnd(of entry: RealStore.Entry) throws(SystemError) {
        while entry.isAlive { usleep(10_000) }
        guard !FileManager.default.fileExists(atPath: entry.journalPath) else {
            throw .refused(
                "end it", number: EBUSY, explanation: "not all could be given back; `patronus-sim gc` tries again")
        }
        Console.output("node \(entry.node) has ended; all is as it was\n")
    }

    private static func text(_ state: RealState) -> String {
        var text = LabInspectCommand.text(state.node)
        for port in state.ports {
            text += "  \(port.name) on \(port.interface)" + (port.xdp.map { ", XDP \($0)" } ?? "") + "\n"
        }
        if let seconds = state.secondsToConfirm {
            text += "  \(Amount.fixed(seconds, decimals: 0)) s are left to confirm it\n"
        }
        return text
    }
}

/// Which interface is to be which port: `wan-a=eth1`.
struct PortChoice: ExpressibleByArgument {
    let assignment: PortAssignment

    init?(argument: String) {
        let words = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard words.count == 2, !words[0].isEmpty, !words[1].isEmpty else { return nil }
        assignment = PortAssignment(port: String(words[0]), interface: String(words[1]))
    }
}

/// A time as files and the command line have it: `60s`.
struct ConfirmationTime: ExpressibleByArgument {
    let interval: Interval
    let text: String

    init?(argument: String) {
        guard let interval = try? Interval(parsing: argument), interval > .zero else { return nil }
        self.interval = interval
        text = argument
    }
}

extension Failure {
    init(_ error: RealError) {
        self.init(error.isOfCommand ? .badInput : .lacking, "patronus-sim: \(error)")
    }
}

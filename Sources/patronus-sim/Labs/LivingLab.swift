import Emulator
import LinuxSystem

/// A lab that runs, found by its name or because it is the only one.
struct LivingLab {
    let state: LabState

    init(_ option: LabOption) throws(Failure) {
        let living = LabStore.standard.labs().filter(\.isAlive)
        let names = living.map(\.lab.text).joined(separator: ", ")
        if let name = option.name {
            guard let state = living.first(where: { $0.lab.text == name }) else {
                let known = living.isEmpty ? "no lab is up" : "there is \(names)"
                throw Failure(.badInput, "patronus-sim: there is no lab \"\(name)\"; \(known)")
            }
            self.state = state
            return
        }
        guard let only = living.first else {
            throw Failure(.badInput, "patronus-sim: no lab is up; make one with `patronus-sim lab up TOPOLOGY`")
        }
        guard living.count == 1 else {
            throw Failure(.badInput, "patronus-sim: several labs are up (\(names)); name one with --lab")
        }
        state = only
    }

    static func controlPath(of folder: String) -> String { "\(folder)/control" }

    /// What the lab answers; what it refuses is the user's to change.
    func ask(_ order: LabOrder) throws(Failure) -> LabAnswer {
        let answer: LabAnswer
        do throws(SystemError) {
            answer = try LabClient(connectingTo: Self.controlPath(of: state.folder)).ask(order)
        } catch {
            throw Failure(.lacking, "patronus-sim: lab \(state.lab) cannot be reached: \(error)")
        }
        if case .refused(let reason) = answer { throw Failure(.badInput, "patronus-sim: \(reason)") }
        return answer
    }

    /// The namespace of a node.
    func namespace(of node: String) throws(Failure) -> NetworkNamespace {
        guard state.nodes.contains(node) else {
            let known = state.nodes.joined(separator: ", ")
            throw Failure(.badInput, "patronus-sim: there is no node \"\(node)\"; there are \(known)")
        }
        do throws(GroundError) {
            return try state.namespace(ofNode: node)
        } catch {
            throw Failure(.lacking, "patronus-sim: \(error)")
        }
    }
}

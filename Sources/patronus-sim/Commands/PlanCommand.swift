import ArgumentParser
import Emulator
import Plan

/// `patronus-sim plan`.
struct PlanCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan", abstract: "Lists what a lab of a topology or scenario would create, and creates nothing.")

    @Argument(help: ArgumentHelp("The topology or scenario.", valueName: "file"))
    var file: String

    func run() throws {
        let runnable = try RunnableTopology.orScenario(file)
        do throws(GroundError) {
            let plan = try GroundPlan(
                runnable.scenario, RunPlan(runnable.scenario, replays: runnable.replays))
            Console.output(plan.describe().map { $0 + "\n" }.joined())
        } catch {
            throw Failure(.ground(error))
        }
    }
}

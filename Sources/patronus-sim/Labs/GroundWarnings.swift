import Emulator
import LinuxSystem
import Plan
import Scenario

/// What a lab has more of than this machine has room for, as standard error shows it.
enum GroundWarnings {
    /// The warnings, a line each; none where there can be no such lab anyway, of which others tell.
    static func text(_ runnable: RunnableScenario, isKept: Bool) -> String {
        let scenario = runnable.scenario
        guard let limits = try? KernelLimits.current(),
            let plan = try? GroundPlan(scenario, RunPlan(scenario, replays: runnable.replays), isKept: isKept)
        else { return "" }
        return plan.warnings(under: limits).map { "patronus-sim: warning: the lab needs \($0)\n" }.joined()
    }
}

import ArgumentParser
import Emulator

/// `patronus-sim lab down`.
struct LabDownCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "down", abstract: "Ends a lab; nothing of it stays.")

    @OptionGroup var lab: LabOption

    func run() throws {
        let living = try LivingLab(lab)
        _ = try living.ask(.down)
        Console.output("lab \(living.state.lab) is down\n")
    }
}

import ArgumentParser
import Emulator

/// `patronus-sim lab link`.
struct LabLinkCommand: ParsableCommand {
    /// What is to become of the link.
    enum Verb: String, ExpressibleByArgument {
        case set
        case up
        case down
    }

    static let configuration = CommandConfiguration(
        commandName: "link", abstract: "Changes a link of a lab that runs.",
        usage: "patronus-sim lab link NAME set KEY=VALUE... | up | down [--direction both|forward|reverse]",
        discussion: """
            The keys and their units are those of topology files; what is not named stays as it is.

            EXAMPLES
              patronus-sim lab link branch:wan-a--isp-a set delay=80ms loss=5%
              patronus-sim lab link branch:wan-a--isp-a down
            """)

    @Argument(help: ArgumentHelp("The link.", valueName: "name"))
    var link: String

    @Argument(help: ArgumentHelp("What to do with it.", valueName: "set|up|down"))
    var verb: Verb

    @Argument(help: ArgumentHelp("What to set.", valueName: "key=value"))
    var settings: [String] = []

    @Option(help: "Which way: both, forward or reverse.")
    var direction = "both"

    @OptionGroup var lab: LabOption

    mutating func validate() throws {
        guard verb == .set else { return }
        guard !settings.isEmpty else { throw ValidationError("Nothing is to be set: write KEY=VALUE") }
        for setting in settings where !setting.dropFirst().contains("=") {
            throw ValidationError("\"\(setting)\" is not of the form KEY=VALUE")
        }
    }

    func run() throws {
        let living = try LivingLab(lab)
        switch verb {
        case .up, .down: _ = try living.ask(.setCarrier(link: link, isUp: verb == .up))
        case .set:
            var words: [String: String] = [:]
            for setting in settings {
                let parts = setting.split(separator: "=", maxSplits: 1)
                words[String(parts[0])] = parts.count > 1 ? String(parts[1]) : ""
            }
            _ = try living.ask(.setLink(name: link, settings: words, direction: direction))
        }
    }
}

import ArgumentParser

/// `patronus-sim lab`.
struct LabCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab",
        abstract: "Keeps a topology alive in network namespaces, to look at and to change.",
        discussion: """
            A lab outlives the command that made it, and ends with `lab down` or with its supervisor. Where \
            there is one lab alone, no command needs its name.

            EXAMPLES
              patronus-sim lab up topologies/dual-isp-branch.json
              patronus-sim lab inspect branch
              patronus-sim lab exec laptop -- ping -c 3 10.1.0.10
              patronus-sim lab link branch:wan-a--isp-a set delay=80ms loss=5%
              patronus-sim lab capture branch:wan-a--isp-a | wireshark -k -i -
              patronus-sim lab down
            """,
        subcommands: [
            LabUpCommand.self, LabDownCommand.self, LabListCommand.self, LabInspectCommand.self, LabExecCommand.self,
            LabLinkCommand.self, LabSessionCommand.self, LabCaptureCommand.self, LabGraphCommand.self,
            LabSupervisorCommand.self, LabEnterCommand.self,
        ])
}

/// The lab that a command is about.
struct LabOption: ParsableArguments {
    @Option(name: .customLong("lab"), help: ArgumentHelp("The lab, where there are several.", valueName: "name"))
    var name: String?
}

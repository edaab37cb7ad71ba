import ArgumentParser
import Emulator
import LinuxSystem
import Results

/// `patronus-sim lab capture`.
struct LabCaptureCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capture", abstract: "Writes a link's packets to standard output, as a pcap, until interrupted.",
        discussion: """
            EXAMPLES
              patronus-sim lab capture branch:wan-a--isp-a | wireshark -k -i -
              patronus-sim lab capture branch:wan-a--isp-a --count 100 > branch.pcap
            """)

    @Argument(help: ArgumentHelp("The link.", valueName: "link"))
    var link: String

    @Option(help: ArgumentHelp("How many packets to write.", valueName: "n"))
    var count: Int?

    @OptionGroup var lab: LabOption

    func run() throws {
        Interruption.install()
        let living = try LivingLab(lab)
        guard case .place(let place) = try living.ask(.place(link: link)) else {
            throw Failure(.defect, "patronus-sim: lab \(living.state.lab) answered something else")
        }
        let namespace = try living.namespace(of: place.node)
        do throws(SystemError) {
            try namespace.enter()
        } catch {
            throw Failure(.lacking, "patronus-sim: \(error)")
        }
        do throws(ResultsError) {
            var capture = try LiveCapture(of: place.interface)
            try capture.copy(toDescriptor: 1, atMost: count ?? .max) { Interruption.isPending }
        } catch {
            throw Failure(.lacking, "patronus-sim: \(error)")
        }
    }
}

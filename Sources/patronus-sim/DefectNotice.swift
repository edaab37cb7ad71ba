import Glibc

/// Turns a trap, which only a mistake of ours can cause, into the exit status that says so.
enum DefectNotice {
    private static let text: StaticString = "patronus-sim: this is a defect of the program; please report it\n"

    /// Leaves alone what the language's own crash reporter has taken.
    static func install() {
        for signal in [SIGILL, SIGTRAP] {
            var present = sigaction()
            guard sigaction(signal, nil, &present) == 0,
                unsafeBitCast(present.__sigaction_handler.sa_handler, to: Int.self) == 0
            else { continue }
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { _ in
                _ = write(STDERR_FILENO, DefectNotice.text.utf8Start, DefectNotice.text.utf8CodeUnitCount)
                _exit(5)
            }
            sigaction(signal, &action, nil)
        }
    }
}

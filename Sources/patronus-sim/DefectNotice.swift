import Glibc

/// Turns a trap, which only a mistake of ours can cause, into the exit status that says so.
enum DefectNotice {
    /// What stood there before, by signal: the language's own crash reporter; written once, before anything runs.
    private nonisolated(unsafe) static var reporter: sigaction?

    private static let text: StaticString = "patronus-sim: this is a defect of the program; please report it\n"

    /// Catches traps from here on; where the crash reporter is there, it speaks first.
    static func install() {
        for signal in [SIGILL, SIGTRAP] {
            var present = sigaction()
            guard sigaction(signal, nil, &present) == 0 else { continue }
            if present.sa_flags & SA_SIGINFO != 0 { reporter = present }
            var action = sigaction()
            action.sa_flags = SA_SIGINFO | SA_ONSTACK
            action.__sigaction_handler.sa_sigaction = { number, information, context in
                if let reporter = DefectNotice.reporter {
                    reporter.__sigaction_handler.sa_sigaction(number, information, context)
                }
                _ = write(STDERR_FILENO, DefectNotice.text.utf8Start, DefectNotice.text.utf8CodeUnitCount)
                _exit(5)
            }
            sigaction(signal, &action, nil)
        }
    }
}

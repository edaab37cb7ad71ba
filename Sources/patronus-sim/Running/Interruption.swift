import Glibc
import Synchronization

/// A signal that asks the program to end, noticed between two steps of its work.
enum Interruption {
    /// The signal's number; 0 is none.
    private static let pending = Atomic<Int32>(0)

    /// Catches SIGINT and SIGTERM from here on.
    ///
    /// Also where whoever started the program has them ignored, as shells do for background
    /// jobs, or blocked, as the threads of a thread pool do.
    static func install() {
        // A signal's handler must not be the first to touch the flag.
        pending.store(0, ordering: .relaxed)
        var caught = sigset_t()
        sigemptyset(&caught)
        for signal in [SIGINT, SIGTERM] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                Interruption.pending.store(number, ordering: .relaxed)
            }
            sigaction(signal, &action, nil)
            sigaddset(&caught, signal)
        }
        sigprocmask(SIG_UNBLOCK, &caught, nil)
    }

    /// Whether a signal has come.
    static var isPending: Bool { pending.load(ordering: .relaxed) != 0 }

    /// Throws where a signal has come.
    static func check() throws(Failure) {
        let signal = pending.load(ordering: .relaxed)
        guard signal != 0 else { return }
        let word = signal == SIGINT ? "interrupted" : "terminated"
        throw Failure(.interrupted(signal), "patronus-sim: \(word); nothing was kept")
    }
}

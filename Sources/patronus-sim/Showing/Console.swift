import Foundation
import Glibc

/// The two standard streams.
enum Console {
    static func output(_ text: String) { write(text, to: STDOUT_FILENO) }

    static func error(_ text: String) { write(text, to: STDERR_FILENO) }

    static var outputIsTerminal: Bool { isatty(STDOUT_FILENO) == 1 && !isDumb }

    static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 && !isDumb }

    /// How many columns the terminal behind standard error has.
    static var columns: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// The value of a variable of the environment; nil where it is unset or empty.
    static func environment(_ name: String) -> String? {
        guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else { return nil }
        return value
    }

    private static var isDumb: Bool { environment("TERM") == "dumb" }

    private static func write(_ text: String, to descriptor: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else {
                if count < 0, errno == EINTR { continue }
                return
            }
            rest = rest.dropFirst(count)
        }
    }
}

/// Colours for a terminal; none where the stream is no terminal or the user wants none (`NO_COLOR`).
struct Palette: Sendable {
    let isColored: Bool

    init(isTerminal: Bool) {
        isColored = isTerminal && Console.environment("NO_COLOR") == nil
    }

    func good(_ text: String) -> String { paint(text, "32") }

    func bad(_ text: String) -> String { paint(text, "1;31") }

    func faint(_ text: String) -> String { paint(text, "2") }

    private func paint(_ text: String, _ code: String) -> String {
        isColored ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
    }
}

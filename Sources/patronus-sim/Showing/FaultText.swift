import ScenarioFiles

/// Faults and warnings as standard error shows them, one each line.
enum FaultText {
    static func faults(_ faults: [Fault]) -> String {
        faults.map { "\($0.description)\n" + annotation("error", $0) }.joined()
    }

    static func warnings(_ warnings: [Fault]) -> String {
        warnings.map { warning in
            "\(warning.file):\(warning.line):\(warning.column): warning: \(warning.path): \(warning.message)\n"
                + annotation("warning", warning)
        }.joined()
    }

    private static func annotation(_ level: String, _ fault: Fault) -> String {
        BuildAnnotation.line(
            level, "\(fault.path): \(fault.message)", file: fault.file, line: fault.line, column: fault.column)
    }
}

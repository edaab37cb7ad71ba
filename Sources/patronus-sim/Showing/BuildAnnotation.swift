/// What GitHub's runners show beside the file that it is about; empty anywhere else.
enum BuildAnnotation {
    static func line(
        _ level: String, _ message: String, file: String, line: Int? = nil, column: Int? = nil
    ) -> String {
        guard Console.environment("GITHUB_ACTIONS") == "true" else { return "" }
        var properties = "file=\(escaped(file, "%\r\n:,"))"
        if let line { properties += ",line=\(line)" }
        if let column { properties += ",col=\(column)" }
        return "::\(level) \(properties)::\(escaped(message, "%\r\n"))\n"
    }

    /// The characters of `special` as their octet in hexadecimal, as in a URL.
    private static func escaped(_ text: String, _ special: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            if special.unicodeScalars.contains(scalar) {
                let digits = String(scalar.value, radix: 16, uppercase: true)
                result += "%" + (digits.count < 2 ? "0" : "") + digits
            } else {
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}

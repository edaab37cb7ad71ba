/// A pattern over the numbers of an AS path, in the writing that routers use.
///
/// `^` and `$` tie it to the ends, a number stands for itself, `.` for any one number
/// and `.*` for any run of them; `_` or a space separates. It works on whole numbers,
/// never on digits: `65` does not match 65001.
public struct ASPathPattern: Equatable, Sendable {
    private enum Element: Equatable {
        case number(UInt32)
        case anyNumber
        case anyRun
    }

    private var elements: [Element] = []
    private let text: String

    /// Reads a pattern; nil where it is not of the form above.
    public init?(_ text: String) {
        self.text = text
        var rest = text[...]
        let isAnchoredAtStart = rest.first == "^"
        if isAnchoredAtStart { rest = rest.dropFirst() }
        let isAnchoredAtEnd = rest.last == "$"
        if isAnchoredAtEnd { rest = rest.dropLast() }
        if !isAnchoredAtStart { elements.append(.anyRun) }
        while let character = rest.first {
            if character == "_" || character == " " {
                rest = rest.dropFirst()
            } else if character == "." {
                rest = rest.dropFirst()
                if rest.first == "*" {
                    rest = rest.dropFirst()
                    elements.append(.anyRun)
                } else {
                    elements.append(.anyNumber)
                }
            } else {
                let digits = rest.prefix { $0 >= "0" && $0 <= "9" }
                guard let number = UInt32(digits) else { return nil }
                elements.append(.number(number))
                rest = rest.dropFirst(digits.count)
            }
        }
        if !isAnchoredAtEnd { elements.append(.anyRun) }
    }

    /// Whether the numbers of `path`, those of sets included, fit the pattern.
    public func matches(_ path: ASPath) -> Bool {
        let numbers = path.numbers
        var element = 0
        var number = 0
        // Where to go on when what follows the last run does not fit: the run takes one number more.
        var retry: (element: Int, number: Int)?
        while number < numbers.count {
            if element < elements.count, elements[element] == .anyRun {
                retry = (element, number)
                element += 1
            } else if element < elements.count, Self.fits(elements[element], numbers[number]) {
                element += 1
                number += 1
            } else if let last = retry {
                retry = (last.element, last.number + 1)
                element = last.element + 1
                number = last.number + 1
            } else {
                return false
            }
        }
        return elements[element...].allSatisfy { $0 == .anyRun }
    }

    private static func fits(_ element: Element, _ number: UInt32) -> Bool {
        switch element {
        case .number(let wanted): wanted == number
        case .anyNumber: true
        case .anyRun: false
        }
    }
}

extension ASPathPattern: CustomStringConvertible {
    public var description: String { text }
}

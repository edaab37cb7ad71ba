/// From a few hundred numbers, set once, to places: two rows in order of the numbers.
///
/// Slower than an ``IndexTable`` that lies in the cache, faster than one of many that do not: fifty numbers fill
/// four lines and not thirty.
public struct SortedIndex: Sendable {
    private var numbers: ContiguousArray<UInt32> = []
    private var places: ContiguousArray<UInt32> = []

    public init() {}

    public var count: Int { numbers.count }

    /// The place of a number; nil where it has none.
    public subscript(number: UInt32) -> Int? {
        let position = position(of: number)
        guard position < numbers.count, numbers[position] == number else { return nil }
        return Int(places[position])
    }

    /// Gives a number a place, instead of the one that it had.
    public mutating func insert(_ number: UInt32, place: Int) {
        let position = position(of: number)
        if position < numbers.count, numbers[position] == number {
            places[position] = UInt32(place)
        } else {
            numbers.insert(number, at: position)
            places.insert(UInt32(place), at: position)
        }
    }

    /// Where the number stands, or would stand.
    private func position(of number: UInt32) -> Int {
        var low = 0
        var count = numbers.count
        while count > 0 {
            let half = count / 2
            let isBehind = numbers[low &+ half] < number
            low = isBehind ? low &+ half &+ 1 : low
            count = isBehind ? count &- half &- 1 : half
        }
        return low
    }
}

/// A path-compressed binary trie for longest-prefix match over keys of one width.
///
/// Nodes lie in one array and refer to each other by index. A node's prefix is
/// stored whole, so a look-up takes one comparison a level, and levels grow with the
/// logarithm of the number of prefixes, not with their length.
public struct PrefixTrie<Key: FixedWidthInteger & UnsignedInteger & Sendable, Value: Sendable>: Sendable {
    @usableFromInline
    struct Node: Sendable {
        @usableFromInline var key: Key
        @usableFromInline var length: UInt8
        @usableFromInline var value: Value?
        /// The children for a next bit of 0 and 1; 0 is none, as the root is nobody's child.
        @usableFromInline var children: (UInt32, UInt32) = (0, 0)

        @inlinable
        init(key: Key, length: UInt8, value: Value?) {
            self.key = key
            self.length = length
            self.value = value
        }
    }

    @usableFromInline var nodes: ContiguousArray<Node>
    @usableFromInline var free: ContiguousArray<UInt32> = []
    @usableFromInline var storedCount = 0

    @inlinable
    public var count: Int { storedCount }

    @inlinable
    public init() {
        nodes = [Node(key: 0, length: 0, value: nil)]
    }

    /// Sets the value of a prefix and returns the one that it had.
    @inlinable
    @discardableResult
    public mutating func insert(_ key: Key, length: Int, value: Value) -> Value? {
        precondition(length >= 0 && length <= Key.bitWidth)
        let key = Self.masked(key, length)
        var index = 0
        while true {
            if nodes[index].length == length {
                let previous = nodes[index].value
                nodes[index].value = value
                if previous == nil { storedCount += 1 }
                return previous
            }
            let bit = Self.bit(key, Int(nodes[index].length))
            let next = child(of: index, bit)
            guard next != 0 else {
                setChild(of: index, bit, to: makeNode(key, length, value))
                storedCount += 1
                return nil
            }
            let shared = Self.sharedLength(key, nodes[next].key, limit: min(length, Int(nodes[next].length)))
            if shared == Int(nodes[next].length) {
                index = next
                continue
            }
            split(index, bit, next, shared, key, length, value)
            storedCount += 1
            return nil
        }
    }

    /// Removes a prefix and returns the value that it had.
    @inlinable
    @discardableResult
    public mutating func remove(_ key: Key, length: Int) -> Value? {
        let key = Self.masked(key, length)
        var path: [(index: Int, bit: Int)] = []
        var index = 0
        while nodes[index].length < length {
            let bit = Self.bit(key, Int(nodes[index].length))
            let next = child(of: index, bit)
            guard next != 0, Self.matches(key, nodes[next]) || nodes[next].length >= length else { return nil }
            path.append((index, bit))
            index = next
        }
        guard nodes[index].length == length, nodes[index].key == key, let value = nodes[index].value else { return nil }
        nodes[index].value = nil
        storedCount -= 1
        prune(index, path)
        return value
    }

    /// The value of the longest prefix that contains `key`.
    @inlinable
    public borrowing func longestMatch(_ key: Key) -> Value? {
        guard let index = longestMatchIndex(key) else { return nil }
        return nodes[index].value
    }

    /// The longest prefix that contains `key`, with its length and value.
    @inlinable
    public borrowing func longestMatchingPrefix(_ key: Key) -> (key: Key, length: Int, value: Value)? {
        guard let index = longestMatchIndex(key), let value = nodes[index].value else { return nil }
        return (nodes[index].key, Int(nodes[index].length), value)
    }

    /// The value of exactly this prefix.
    @inlinable
    public borrowing func exactMatch(_ key: Key, length: Int) -> Value? {
        let key = Self.masked(key, length)
        var index = 0
        while true {
            let node = nodes[index]
            if Int(node.length) == length { return node.key == key ? node.value : nil }
            guard Int(node.length) < length, Self.matches(key, node) else { return nil }
            let next = child(of: index, Self.bit(key, Int(node.length)))
            guard next != 0 else { return nil }
            index = next
        }
    }

    /// All prefixes in order of key, shorter before longer.
    @inlinable
    public borrowing func forEach(_ body: (_ key: Key, _ length: Int, _ value: Value) -> Void) {
        var stack = [0]
        while let index = stack.popLast() {
            let node = nodes[index]
            if let value = node.value { body(node.key, Int(node.length), value) }
            if node.children.1 != 0 { stack.append(Int(node.children.1)) }
            if node.children.0 != 0 { stack.append(Int(node.children.0)) }
        }
    }

    @inlinable
    borrowing func longestMatchIndex(_ key: Key) -> Int? {
        nodes.withUnsafeBufferPointer { nodes in
            var index = 0
            var best: Int?
            while true {
                let length = unsafe Int(nodes[index].length)
                guard unsafe Self.sharesPrefix(key, nodes[index].key, length) else { return best }
                if unsafe nodes[index].value != nil { best = index }
                guard length < Key.bitWidth else { return best }
                let next = unsafe Self.bit(key, length) == 0 ? nodes[index].children.0 : nodes[index].children.1
                guard next != 0 else { return best }
                index = Int(next)
            }
        }
    }

    @inlinable
    mutating func makeNode(_ key: Key, _ length: Int, _ value: Value?) -> Int {
        let node = Node(key: key, length: UInt8(length), value: value)
        if let slot = free.popLast() {
            nodes[Int(slot)] = node
            return Int(slot)
        }
        nodes.append(node)
        return nodes.count - 1
    }

    /// Puts a node for the shared part between `parent` and `child`, and the new prefix on or below it.
    @inlinable
    mutating func split(
        _ parent: Int, _ bit: Int, _ child: Int, _ shared: Int, _ key: Key, _ length: Int, _ value: Value
    ) {
        let middle = makeNode(Self.masked(key, shared), shared, shared == length ? value : nil)
        setChild(of: parent, bit, to: middle)
        setChild(of: middle, Self.bit(nodes[child].key, shared), to: child)
        if shared != length {
            setChild(of: middle, Self.bit(key, shared), to: makeNode(key, length, value))
        }
    }

    /// Takes away nodes that carry no value and no fork, from `index` upwards.
    @inlinable
    mutating func prune(_ index: Int, _ path: [(index: Int, bit: Int)]) {
        var index = index
        var path = path
        while index != 0, nodes[index].value == nil, let (parent, bit) = path.popLast() {
            let (zero, one) = nodes[index].children
            if zero != 0, one != 0 { return }
            setChild(of: parent, bit, to: Int(zero != 0 ? zero : one))
            free.append(UInt32(index))
            guard zero == 0, one == 0 else { return }
            index = parent
        }
    }

    @inlinable
    borrowing func child(of index: Int, _ bit: Int) -> Int {
        Int(bit == 0 ? nodes[index].children.0 : nodes[index].children.1)
    }

    @inlinable
    mutating func setChild(of index: Int, _ bit: Int, to child: Int) {
        if bit == 0 {
            nodes[index].children.0 = UInt32(child)
        } else {
            nodes[index].children.1 = UInt32(child)
        }
    }

    @inlinable
    @inline(__always)
    static func bit(_ key: Key, _ position: Int) -> Int {
        Int(truncatingIfNeeded: (key >> Key(Key.bitWidth &- 1 &- position)) & 1)
    }

    @inlinable
    @inline(__always)
    static func masked(_ key: Key, _ length: Int) -> Key {
        length == 0 ? 0 : key & (Key.max << Key(Key.bitWidth - length))
    }

    @inlinable
    @inline(__always)
    static func sharesPrefix(_ left: Key, _ right: Key, _ length: Int) -> Bool {
        length == 0 || (left ^ right) >> Key(Key.bitWidth &- length) == 0
    }

    @inlinable
    @inline(__always)
    static func matches(_ key: Key, _ node: Node) -> Bool {
        sharesPrefix(key, node.key, Int(node.length))
    }

    @inlinable
    static func sharedLength(_ left: Key, _ right: Key, limit: Int) -> Int {
        min((left ^ right).leadingZeroBitCount, limit)
    }
}

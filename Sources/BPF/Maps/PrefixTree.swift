/// Prefixes of raw octets, of which a look-up finds the longest that fits: a trie without one-way branches.
///
/// A key is its length in bits as a little-endian word, then the octets. A node that only joins two
/// others has no slot; it goes when one of the two does.
struct PrefixTree: ~Copyable {
    private struct Node {
        /// Zero for none: the root is never a child.
        var left: UInt32 = 0
        var right: UInt32 = 0
        var length: UInt32
        /// A slot and one, or zero for a node that only joins.
        var slot: UInt32

        subscript(_ bit: Bool) -> UInt32 {
            get { bit ? right : left }
            set { if bit { right = newValue } else { left = newValue } }
        }
    }

    private let octetCount: Int
    private let nodes: UnsafeMutablePointer<Node>
    private let keys: UnsafeMutableRawPointer
    /// Node 0 stands above the root, which is its left child.
    private var fresh = 1
    /// Nodes that were given back, linked by `left`.
    private var free: UInt32 = 0

    init(keySize: Int, capacity: Int) {
        octetCount = max(0, keySize - 4)
        nodes = .allocate(capacity: 2 * capacity + 2)
        keys = .allocate(byteCount: max(1, (2 * capacity + 2) * octetCount), alignment: 8)
        nodes[0] = Node(length: 0, slot: 0)
    }

    deinit {
        nodes.deallocate()
        keys.deallocate()
    }

    var longestPrefix: Int { 8 * octetCount }

    /// The length that a key states.
    @inline(__always)
    static func length(of key: UnsafeRawPointer) -> Int {
        Int(key.loadUnaligned(as: UInt32.self))
    }

    /// The slot of the longest prefix that fits a key and is no longer than it.
    func longestMatch(_ key: UnsafeRawPointer) -> Int? {
        let length = Self.length(of: key)
        guard length <= longestPrefix else { return nil }
        let octets = key + 4
        var found: UInt32 = 0
        var node = Int(nodes[0].left)
        while node != 0 {
            let here = nodes[node]
            guard here.length <= length, agrees(octets, node, bits: Int(here.length)) else { break }
            if here.slot != 0 { found = here.slot }
            guard here.length < length else { break }
            node = Int(here[bit(octets, Int(here.length))])
        }
        return found == 0 ? nil : Int(found) - 1
    }

    /// The slot of exactly that prefix.
    func find(_ key: UnsafeRawPointer) -> Int? {
        let length = Self.length(of: key)
        guard length <= longestPrefix else { return nil }
        let node = descend(key + 4, length).node
        guard node != 0, nodes[node].length == length, nodes[node].slot != 0,
            agrees(key + 4, node, bits: length)
        else { return nil }
        return Int(nodes[node].slot) - 1
    }

    /// Gives a slot to a prefix that has none and is not too long.
    mutating func insert(_ key: UnsafeRawPointer, slot: Int) {
        let (length, octets) = (Self.length(of: key), key + 4)
        let (parent, node) = descend(octets, length)
        let side = parent == 0 ? false : bit(octets, Int(nodes[parent].length))
        guard node != 0 else {
            nodes[parent][side] = UInt32(make(octets, length, slot: slot + 1))
            return
        }
        let shared = sharedBits(octets, node, limit: min(length, Int(nodes[node].length)))
        if shared == length, Int(nodes[node].length) == length {
            nodes[node].slot = UInt32(slot + 1)
            (keys + node * octetCount).copyMemory(from: octets, byteCount: octetCount)
            return
        }
        let new = make(octets, length, slot: slot + 1)
        let nodeSide = bit(UnsafeRawPointer(keys + node * octetCount), shared)
        if shared == length {
            nodes[new][nodeSide] = UInt32(node)
            nodes[parent][side] = UInt32(new)
        } else {
            let join = make(octets, shared, slot: 0)
            nodes[join][nodeSide] = UInt32(node)
            nodes[join][!nodeSide] = UInt32(new)
            nodes[parent][side] = UInt32(join)
        }
    }

    /// Takes out exactly that prefix, which is there.
    mutating func remove(_ key: UnsafeRawPointer) {
        let (length, octets) = (Self.length(of: key), key + 4)
        var grandparent = 0
        var parent = 0
        var node = Int(nodes[0].left)
        while node != 0, nodes[node].length < length {
            (grandparent, parent) = (parent, node)
            node = Int(nodes[node][bit(octets, Int(nodes[node].length))])
        }
        guard node != 0 else { return }
        nodes[node].slot = 0
        guard nodes[node].left == 0 || nodes[node].right == 0 else { return }
        replace(node, below: parent)
        // A node that joined this one to another has nothing left to join.
        guard parent != 0, nodes[parent].slot == 0, nodes[parent].left == 0 || nodes[parent].right == 0 else { return }
        replace(parent, below: grandparent)
    }

    /// Puts a node's only child, or nothing, in its place.
    private mutating func replace(_ node: Int, below parent: Int) {
        let child = nodes[node].left == 0 ? nodes[node].right : nodes[node].left
        let isRight = parent != 0 && nodes[parent].right == UInt32(node)
        nodes[parent][isRight] = child
        nodes[node].left = free
        free = UInt32(node)
    }

    private mutating func make(_ octets: UnsafeRawPointer, _ length: Int, slot: Int) -> Int {
        let node: Int
        if free != 0 {
            node = Int(free)
            free = nodes[node].left
        } else {
            node = fresh
            fresh += 1
        }
        nodes[node] = Node(length: UInt32(length), slot: UInt32(slot))
        (keys + node * octetCount).copyMemory(from: octets, byteCount: octetCount)
        return node
    }

    /// Where the way towards a prefix ends: at the first node that differs from it or is no shorter.
    private func descend(_ octets: UnsafeRawPointer, _ length: Int) -> (parent: Int, node: Int) {
        var parent = 0
        var node = Int(nodes[0].left)
        while node != 0 {
            let here = Int(nodes[node].length)
            guard here < length, agrees(octets, node, bits: here) else { break }
            parent = node
            node = Int(nodes[node][bit(octets, here)])
        }
        return (parent, node)
    }

    @inline(__always)
    private func bit(_ octets: UnsafeRawPointer, _ index: Int) -> Bool {
        octets.load(fromByteOffset: index >> 3, as: UInt8.self) & (0x80 >> UInt8(index & 7)) != 0
    }

    @inline(__always)
    private func agrees(_ octets: UnsafeRawPointer, _ node: Int, bits: Int) -> Bool {
        sharedBits(octets, node, limit: bits) == bits
    }

    /// How many bits a prefix and a node have in common, of at most `limit`.
    @inline(__always)
    private func sharedBits(_ octets: UnsafeRawPointer, _ node: Int, limit: Int) -> Int {
        let other = UnsafeRawPointer(keys + node * octetCount)
        var offset = 0
        while 8 &* offset < limit {
            if offset &+ 4 <= octetCount {
                let difference =
                    octets.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                    ^ other.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
                let shared = 8 &* offset &+ difference.bigEndian.leadingZeroBitCount
                if difference != 0 { return min(limit, shared) }
                offset &+= 4
            } else {
                let difference =
                    octets.load(fromByteOffset: offset, as: UInt8.self)
                    ^ other.load(fromByteOffset: offset, as: UInt8.self)
                if difference != 0 { return min(limit, 8 &* offset &+ difference.leadingZeroBitCount) }
                offset &+= 1
            }
        }
        return limit
    }
}

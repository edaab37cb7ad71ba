import Glibc
import LinuxSystem
import Testing

@Suite(.enabled(if: Kernel.canCompile, "\(Kernel.compilerReason)"))
struct MapTests {
    private func map(_ name: String, entries: UInt32? = nil) throws -> KernelMap {
        var file = try TestObject.open()
        try file.keepOnly(programs: ["answer"])
        if let entries { try file.setMaximumEntries(entries, of: name) }
        return try file.load().map(name)
    }

    private func read(_ map: borrowing KernelMap, _ key: UInt32) throws -> UInt64? {
        var value: [UInt64] = [0]
        var span = value.mutableSpan
        var octets = span.mutableBytes
        return try map.read([key].span.bytes, into: &octets) ? value[0] : nil
    }

    @Test func `an entry is written, read and removed`() throws {
        let map = try map("flows", entries: 8)
        let absent = try read(map, 7)
        #expect(absent == nil)
        try map.update([UInt32(7)].span.bytes, to: [UInt64(70)].span.bytes)
        let written = try read(map, 7)
        #expect(written == 70)
        let (removed, again) = (try map.remove([UInt32(7)].span.bytes), try map.remove([UInt32(7)].span.bytes))
        #expect(removed && !again)
    }

    @Test func `an update may ask for an entry to be there, or not to be`() throws {
        let map = try map("flows", entries: 8)
        func number(_ key: UInt32, _ condition: KernelMap.Condition) -> Int32 {
            do throws(SystemError) {
                try map.update([key].span.bytes, to: [UInt64(1)].span.bytes, if: condition)
                return 0
            } catch { return error.number ?? -1 }
        }
        let answers = [number(1, .present), number(1, .absent), number(1, .absent), number(1, .present)]
        #expect(answers == [ENOENT, 0, EEXIST, 0])
    }

    @Test func `octets of the wrong size never reach the kernel`() throws {
        let map = try map("flows")
        #expect(throws: SystemError.wrongSize(of: "a key of flows", expected: 4, given: 8)) {
            try map.update([UInt64(1)].span.bytes, to: [UInt64(1)].span.bytes)
        }
        #expect(throws: SystemError.wrongSize(of: "a value of flows", expected: 8, given: 4)) {
            try map.update([UInt32(1)].span.bytes, to: [UInt32(1)].span.bytes)
        }
    }

    @Test(arguments: [0, 1, 1_000, 5_000]) func `a walk by batches sees every entry once`(count: Int) throws {
        let map = try map("flows", entries: 8_192)
        for key in 0..<UInt32(count) { try map.update([key].span.bytes, to: [UInt64(key) * 3].span.bytes) }
        var found: [UInt32: UInt64] = [:]
        var times = 0
        try map.forEachEntry { key, value in
            times += 1
            found[key.unsafeLoadUnaligned(as: UInt32.self)] = value.unsafeLoadUnaligned(as: UInt64.self)
        }
        #expect(times == count)
        #expect(found.allSatisfy { $1 == UInt64($0) * 3 } && found.count == count)
    }

    @Test func `a walk by keys ends behind the last`() throws {
        let map = try map("flows", entries: 16)
        for key: UInt32 in 0..<10 { try map.update([key].span.bytes, to: [UInt64(key)].span.bytes) }
        var keys: [UInt32] = []
        var next: [UInt32] = [0]
        while true {
            let previous = next
            var span = next.mutableSpan
            var octets = span.mutableBytes
            let isFirst = keys.isEmpty
            guard try map.nextKey(after: isFirst ? nil : previous.span.bytes, into: &octets) else { break }
            keys.append(next[0])
        }
        #expect(keys.sorted() == Array(0..<10))
    }

    @Test(arguments: ["slots", "counters"]) func `a map with a value for each CPU keeps them apart`(
        name: String
    ) throws {
        let map = try map(name)
        let cpus = try KernelMap.possibleCPUs()
        let size = try map.entrySize
        #expect(map.hasValueForEachCPU && map.valueSize == 12 && map.valueStride == 16)
        #expect(size == 16 * cpus)
        let value = (0..<UInt32(cpus)).flatMap { (cpu: UInt32) -> [UInt32] in [cpu, cpu + 100, cpu + 200, 0] }
        try map.update([UInt32(1)].span.bytes, to: value.span.bytes)
        var found = [UInt32](repeating: 9, count: 4 * cpus)
        var span = found.mutableSpan
        var octets = span.mutableBytes
        let isThere = try map.read([UInt32(1)].span.bytes, into: &octets)
        #expect(isThere && found == value)
        var walked: [UInt32] = []
        try map.forEachEntry { key, value in
            guard key.unsafeLoadUnaligned(as: UInt32.self) == 1 else { return }
            walked = (0..<4 * cpus).map { value.unsafeLoadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self) }
        }
        #expect(walked == value)
    }

    @Test func `prefixes are walked too, whichever way the kernel offers`() throws {
        let map = try map("prefixes")
        for number: UInt8 in 0..<20 {
            let key: [UInt8] = [24, 0, 0, 0, 10, 0, number, 0]
            try map.update(key.span.bytes, to: [UInt32(number)].span.bytes)
        }
        var found: [UInt32] = []
        try map.forEachEntry { _, value in found.append(value.unsafeLoadUnaligned(as: UInt32.self)) }
        #expect(found.sorted() == Array(0..<20))
    }
}

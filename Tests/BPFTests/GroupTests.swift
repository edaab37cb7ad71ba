import BPF
import Basics
import Testing

/// Slots that are run in one step: where they are entered, where they fault, and how they are counted.
@Suite struct GroupTests {
    private static let array = MapDefinition(name: "array", kind: .array, keySize: 4, valueSize: 8, maxEntries: 2)

    /// `r2 = r10; r2 += -4; r1 = map; call 1`, behind a key on the stack.
    private static func lookUp(_ key: Int32, at offset: Int32 = -4) -> [UInt8] {
        Assembly.store32(10, -4, key) + Assembly.move(2, from: 10) + Assembly.add(2, offset) + Assembly.map(1, 0)
            + Assembly.call(1)
    }

    @Test func `a fault is that of the instruction that did it`() throws {
        // An octet written nowhere, behind a register that is set.
        let store = Assembly.slot(0xB4, 3, immediate: 5) + Assembly.slot(0x73, 4, 3) + Assembly.exit
        #expect(try value(of: store).fault == XDPFault(.badAddress, instruction: 1))
        #expect(try value(of: store).instructions == 2)
        // An octet read nowhere, and a jump on it.
        let load =
            Assembly.slot(0xB4, 3, immediate: 0) + Assembly.slot(0x71, 4, 3) + Assembly.slot(0x16, 4, offset: 0)
            + Assembly.exit
        #expect(try value(of: load).fault == XDPFault(.badAddress, instruction: 1))
        // A key that reaches out of the stack.
        let key = Self.lookUp(0, at: 3_584 - 3) + Assembly.exit
        #expect(try value(of: key, maps: [Self.array]).fault == XDPFault(.badAddress, instruction: 5))
    }

    @Test func `a look-up counts as its instructions and leaves its arguments`() throws {
        let found = try value(of: Self.lookUp(1) + Assembly.exit, maps: [Self.array])
        #expect(found.value != 0 && found.instructions == 6 && found.fault == nil)
        let absent = try value(of: Self.lookUp(2) + Assembly.exit, maps: [Self.array])
        #expect(absent.value == 0 && absent.instructions == 6)
        let key = Self.lookUp(1) + Assembly.slot(0x61, 0, 2) + Assembly.exit
        #expect(try value(of: key, maps: [Self.array]).value == 1)
        // A caller's key, from a function with a stack of its own.
        let called =
            Assembly.store32(10, -4, 7) + Assembly.callFunction(1) + Assembly.exit + Self.lookUp(1) + Assembly.exit
        #expect(try value(of: called, maps: [Self.array]).value == found.value)
    }

    @Test(arguments: 0...8) func `a budget ends at the instruction for which nothing is left`(_ budget: Int) throws {
        let code = Self.lookUp(1) + Assembly.move(3, from: 0) + Assembly.add(3, 4) + Assembly.exit
        let result = try value(of: code, maps: [Self.array], budget: budget)
        // The map takes two slots.
        let slots = [0, 1, 2, 3, 5, 6, 7, 8]
        let fault = budget < 8 ? XDPFault(.budgetExhausted, instruction: slots[budget]) : nil
        #expect(result.fault == fault && result.instructions == min(budget, 8))
    }

    @Test func `a loop is counted to the instruction`() throws {
        // Three instructions before, three in each round, one behind.
        let code =
            Assembly.move(0, 0) + Assembly.move(1, 1_000) + Assembly.move(2, 3) + Assembly.slot(0x0F, 0, 2)
            + Assembly.add(1, -1) + Assembly.slot(0x55, 1, offset: -3) + Assembly.exit
        let whole = try value(of: code)
        #expect(whole.value == 3_000 && whole.instructions == 3_004 && whole.fault == nil)
        for budget in [3_003, 3_002, 3_001, 3_000, 1_500, 9, 8, 7] {
            let part = try value(of: code, budget: budget)
            let slot = budget < 3 ? budget : budget == 3_003 ? 6 : 3 + budget % 3
            #expect(part.fault == XDPFault(.budgetExhausted, instruction: slot))
            #expect(part.instructions == budget)
        }
    }

    @Test func `a jump may lead into the middle of a group`() throws {
        // r3 = 7, and either both `r0 = r3; r0 += 100` or the sum alone.
        func code(jumping: Bool) -> [UInt8] {
            Assembly.move(0, 1) + Assembly.move(3, 7) + Assembly.slot(jumping ? 0x15 : 0x55, 3, offset: 1, immediate: 7)
                + Assembly.move(0, from: 3) + Assembly.add(0, 100) + Assembly.exit
        }
        #expect(try value(of: code(jumping: true)).value == 101)
        #expect(try value(of: code(jumping: true)).instructions == 5)
        #expect(try value(of: code(jumping: false)).value == 107)
        #expect(try value(of: code(jumping: false)).instructions == 6)
    }
}

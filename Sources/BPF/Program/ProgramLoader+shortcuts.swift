// Chooses the shortcuts of a program whose slots and jumps are in order.
extension Instruction {
    /// The shortcut for the first of some slots, which are the last of a program.
    ///
    /// `last` is the register that the slot before has always written, if there is one.
    static func shortcut(for slots: ArraySlice<Instruction>, after last: UInt8?) -> Shortcut {
        guard let first = slots.first else { return .none }
        let next = slots.dropFirst()
        if isLookUp(slots) { return .lookUp }
        if let second = next.first, let group = first.group(with: second) { return group }
        let alone = first.shortcutAlone
        guard let last else { return alone }
        if first.source == last, let found = alone.bySource { return found }
        if first.destination == last, let found = alone.ofDestination { return found }
        return alone
    }

    /// The register whose value is what this slot wrote, as far as it is its destination.
    var writtenRegister: UInt8? {
        switch operation {
        case .unreachable, .load8, .load16, .load32, .load64, .loadSigned8, .loadSigned16, .loadSigned32: destination
        default: operation.rawValue <= Operation.nothing.rawValue ? destination : nil
        }
    }

    /// `r2 = r10; r2 += offset; r1 = map; call 1`, with the key inside of the frame.
    private static func isLookUp(_ slots: ArraySlice<Instruction>) -> Bool {
        guard slots.count >= 5 else { return false }
        let start = slots.startIndex
        let (move, add, map, call) = (slots[start], slots[start + 1], slots[start + 2], slots[start + 4])
        return move.operation == .mov64X && move.destination == 2 && move.source == 10
            && add.operation == .add64K && add.destination == 2 && map.operation == .loadImmediate64
            && map.destination == 1 && call.operation == .callHelper
            && call.immediate == Int64(Helper.mapLookup.rawValue)
    }

    private func group(with second: Instruction) -> Shortcut? {
        let isSame = destination == second.destination
        switch (operation, second.operation) {
        case (.mov64X, .add64K) where isSame: return .moveAdd64K
        case (.mov64X, .add64X) where isSame && second.source != destination: return .moveAdd64X
        case (.mov64X, .rsh64K) where isSame: return .moveShift64
        case (.mov32X, .rsh32K) where isSame: return .moveShift32
        case (.mov32X, .and32K) where isSame: return .moveMask32
        case (.lsh64K, .rsh64K) where isSame: return .extract64
        case (.mov32K, .jeq32K) where second.leadsAhead: return .setJeq32K
        case (.mov32K, .jne32K) where second.leadsAhead: return .setJne32K
        case (.mov32K, .jgt64X) where second.leadsAhead: return .setJgt64X
        case (.mov32K, .store32X) where second.source == destination && second.isInFrame(4): return .setFrameStore32
        case (.mov32K, .store8X) where second.source == destination: return .setStore8
        case (.load8, .jeq32K) where isSame && second.leadsAhead: return .loadJeq8
        case (.load8, .jne32K) where isSame && second.leadsAhead: return .loadJne8
        default: return nil
        }
    }

    private var leadsAhead: Bool { offset >= 0 }

    /// Whether a write of so many octets goes to the function's own stack for sure.
    private func isInFrame(_ count: Int32) -> Bool {
        destination == 10 && offset >= -Int32(CallFrame.stackByteCount) && offset <= -count
    }

    private func isReadFromFrame(_ count: Int32) -> Bool {
        source == 10 && offset >= -Int32(CallFrame.stackByteCount) && offset <= -count
    }

    private var shortcutAlone: Shortcut {
        switch operation {
        case .load8: isReadFromFrame(1) ? .frameLoad8 : .load8
        case .load16: .load16
        case .load32: isReadFromFrame(4) ? .frameLoad32 : .load32
        case .load64: isReadFromFrame(8) ? .frameLoad64 : .load64
        case .store8X: isInFrame(1) ? .frameStore8 : .store8
        case .store16X: isInFrame(2) ? .frameStore16 : .store16
        case .store32X: isInFrame(4) ? .frameStore32 : .store32
        case .store64X: isInFrame(8) ? .frameStore64 : .store64
        case .ja, .jeq32K, .jne32K, .jlt32K, .jgt32K, .jeq64K, .jne64K, .jgt64X, .jlt64X, .jne64X,
            .jgt32X, .jne32X:
            leadsAhead ? jumpAlone : .none
        case .callHelper: .call
        default: arithmeticAlone
        }
    }

    private var jumpAlone: Shortcut {
        switch operation {
        case .ja: .ja
        case .jeq32K: .jeq32K
        case .jne32K: .jne32K
        case .jlt32K: .jlt32K
        case .jgt32K: .jgt32K
        case .jeq64K: .jeq64K
        case .jne64K: .jne64K
        case .jgt64X: .jgt64X
        case .jlt64X: .jlt64X
        case .jne64X: .jne64X
        case .jgt32X: .jgt32X
        case .jne32X: .jne32X
        default: .none
        }
    }

    private var arithmeticAlone: Shortcut {
        switch operation {
        case .mov64K, .mov32K: .set
        case .loadImmediate64: .setWide
        case .mov64X: .move64
        case .mov32X: .move32
        case .add64K: .add64K
        case .add64X: .add64X
        case .sub64X: .sub64X
        case .and64K, .and32K: .and64K
        case .and64X: .and64X
        case .or64X: .or64X
        case .rsh64K: .rsh64K
        case .lsh64K: .lsh64K
        case .add32K: .add32K
        case .add32X: .add32X
        case .sub32X: .sub32X
        case .or32X: .or32X
        case .rsh32K: .rsh32K
        case .lsh32K: .lsh32K
        case .swap16: .swap16
        case .swap32: .swap32
        case .swap64: .swap64
        default: .none
        }
    }
}

extension Shortcut {
    /// The same where the source is what was written last.
    fileprivate var bySource: Shortcut? {
        switch self {
        case .add64X: .add64ByLast
        case .move64: .move64Last
        case .move32: .move32Last
        case .load8: .load8AtLast
        case .load32: .load32AtLast
        case .load64: .load64AtLast
        case .store8: .store8Last
        case .store16: .store16Last
        case .store32: .store32Last
        case .store64: .store64Last
        case .frameStore32: .frameStore32Last
        case .frameStore64: .frameStore64Last
        default: nil
        }
    }

    /// The same where the destination is what was written last.
    fileprivate var ofDestination: Shortcut? {
        switch self {
        case .add64K: .add64KOfLast
        case .add64X: .add64XOfLast
        case .and64K: .and64KOfLast
        case .rsh64K: .rsh64KOfLast
        case .rsh32K: .rsh32KOfLast
        case .add32K: .add32KOfLast
        case .or32X: .or32XOfLast
        case .jeq32K: .jeq32KOfLast
        case .jne32K: .jne32KOfLast
        case .jgt64X: .jgt64XOfLast
        default: nil
        }
    }
}

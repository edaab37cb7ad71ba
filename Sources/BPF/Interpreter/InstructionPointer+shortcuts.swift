// What the interpreter's loop does itself: shortcuts, most of which are a line.

extension Registers {
    /// The low half of a register; written, it clears the upper one.
    @inline(__always)
    subscript(low number: UInt8) -> UInt32 {
        get { UInt32(truncatingIfNeeded: self[Int(number)]) }
        nonmutating set { self[Int(number)] = UInt64(newValue) }
    }

    @inline(__always)
    subscript(number: UInt8) -> UInt64 {
        get { self[Int(number)] }
        nonmutating set { self[Int(number)] = newValue }
    }
}

extension InstructionPointer {
    @inline(__always) private var operand: UInt64 { UInt64(bitPattern: immediate) }
    @inline(__always) private var lowOperand: UInt32 { UInt32(truncatingIfNeeded: immediate) }

    /// Carries out what stands at a slot behind which `position` is; false where it must be done by the operation.
    @inline(__always)
    func runShortcut(
        _ r: Registers, _ memory: AddressSpace, _ frame: UnsafeMutableRawPointer, _ position: inout Position
    ) -> Bool {
        switch pointee.shortcut {
        case .set: r[destination] = operand
        case .setWide:
            r[destination] = operand
            position.skip(1)
        case .move64: r[destination] = r[source]
        case .move32: r[low: destination] = r[low: source]
        case .add64K: r[destination] &+= operand
        case .add64X: r[destination] &+= r[source]
        case .sub64X: r[destination] &-= r[source]
        case .and64K: r[destination] &= operand
        case .and64X: r[destination] &= r[source]
        case .or64X: r[destination] |= r[source]
        case .rsh64K: r[destination] &>>= operand
        case .lsh64K: r[destination] &<<= operand
        case .add32K: r[low: destination] &+= lowOperand
        case .add32X: r[low: destination] &+= r[low: source]
        case .sub32X: r[low: destination] &-= r[low: source]
        case .or32X: r[low: destination] |= r[low: source]
        case .rsh32K: r[low: destination] &>>= lowOperand
        case .lsh32K: r[low: destination] &<<= lowOperand
        case .swap16: r[destination] = UInt64(UInt16(truncatingIfNeeded: r[destination]).byteSwapped)
        case .swap32: r[low: destination] = r[low: destination].byteSwapped
        case .swap64: r[destination] = r[destination].byteSwapped
        case .ja: position.skip(Int(offset))
        case .jeq32K: position.jump(self, if: r[low: destination] == lowOperand)
        case .jne32K: position.jump(self, if: r[low: destination] != lowOperand)
        case .jlt32K: position.jump(self, if: r[low: destination] < lowOperand)
        case .jgt32K: position.jump(self, if: r[low: destination] > lowOperand)
        case .jeq64K: position.jump(self, if: r[destination] == operand)
        case .jne64K: position.jump(self, if: r[destination] != operand)
        case .jgt64X: position.jump(self, if: r[destination] > r[source])
        case .jlt64X: position.jump(self, if: r[destination] < r[source])
        case .jne64X: position.jump(self, if: r[destination] != r[source])
        case .load8, .load16, .load32, .load64, .store8, .store16, .store32, .store64:
            return runAccess(r, memory)
        case .frameLoad8, .frameLoad32, .frameLoad64, .frameStore8, .frameStore16, .frameStore32, .frameStore64:
            runFrameAccess(r, frame)
        case .moveAdd64K, .moveAdd64X, .moveShift64, .moveShift32, .moveMask32, .extract64, .setJeq32K, .setJne32K,
            .setJgt64X, .setFrameStore32, .setStore8, .loadJeq8, .loadJne8:
            return runGroup(r, memory, frame, &position)
        case .lookUp: return false
        case .none:
            return arithmetic64K(r) || arithmetic64X(r) || arithmetic32K(r) || arithmetic32X(r)
        }
        return true
    }

    @inline(__always)
    private func runAccess(_ r: Registers, _ memory: AddressSpace) -> Bool {
        switch pointee.shortcut {
        case .load8: memory.load(UInt8.self, at: address(r, of: source), into: r.at(destination))
        case .load16: memory.load(UInt16.self, at: address(r, of: source), into: r.at(destination))
        case .load32: memory.load(UInt32.self, at: address(r, of: source), into: r.at(destination))
        case .load64: memory.load(UInt64.self, at: address(r, of: source), into: r.at(destination))
        case .store8: memory.store(UInt8(truncatingIfNeeded: r[source]), at: address(r, of: destination))
        case .store16: memory.store(UInt16(truncatingIfNeeded: r[source]), at: address(r, of: destination))
        case .store32: memory.store(r[low: source], at: address(r, of: destination))
        case .store64: memory.store(r[source], at: address(r, of: destination))
        default: false
        }
    }

    /// The stack is known to be there.
    @inline(__always)
    private func runFrameAccess(_ r: Registers, _ frame: UnsafeMutableRawPointer) {
        var place: UnsafeMutableRawPointer { frame + Int(offset) }
        switch pointee.shortcut {
        case .frameLoad8: r[destination] = UInt64(place.load(as: UInt8.self))
        case .frameLoad32: r[destination] = UInt64(place.loadUnaligned(as: UInt32.self))
        case .frameLoad64: r[destination] = place.loadUnaligned(as: UInt64.self)
        case .frameStore8: place.storeBytes(of: UInt8(truncatingIfNeeded: r[source]), as: UInt8.self)
        case .frameStore16: place.storeBytes(of: UInt16(truncatingIfNeeded: r[source]), as: UInt16.self)
        case .frameStore32: place.storeBytes(of: r[low: source], as: UInt32.self)
        case .frameStore64: place.storeBytes(of: r[source], as: UInt64.self)
        default: break
        }
    }

    /// Two slots in one step; where the second is refused, the first will be done once more by itself.
    @inline(__always)
    private func runGroup(
        _ r: Registers, _ memory: AddressSpace, _ frame: UnsafeMutableRawPointer, _ position: inout Position
    ) -> Bool {
        let second = self + 1
        switch pointee.shortcut {
        case .moveAdd64K: r[destination] = r[source] &+ second.operand
        case .moveAdd64X: r[destination] = r[source] &+ r[second.source]
        case .moveShift64: r[destination] = r[source] &>> second.operand
        case .moveShift32: r[low: destination] = r[low: source] &>> second.lowOperand
        case .moveMask32: r[low: destination] = r[low: source] & second.lowOperand
        case .extract64: r[destination] = (r[destination] &<< operand) &>> second.operand
        case .setFrameStore32:
            r[destination] = operand
            (frame + Int(second.offset)).storeBytes(of: r[low: second.source], as: UInt32.self)
        case .setStore8:
            r[destination] = operand
            let octet = UInt8(truncatingIfNeeded: r[second.source])
            guard memory.store(octet, at: second.address(r, of: second.destination)) else { return false }
        case .loadJeq8:
            return runLoad8(r, memory, &position, then: r[low: second.destination] == second.lowOperand)
        case .loadJne8:
            return runLoad8(r, memory, &position, then: r[low: second.destination] != second.lowOperand)
        case .setJeq32K: runSet(r, &position, then: r[low: second.destination] == second.lowOperand)
        case .setJne32K: runSet(r, &position, then: r[low: second.destination] != second.lowOperand)
        case .setJgt64X: runSet(r, &position, then: r[second.destination] > r[second.source])
        default: return false
        }
        position.next += 1
        return true
    }

    @inline(__always)
    private func runSet(_ r: Registers, _ position: inout Position, then condition: @autoclosure () -> Bool) {
        r[destination] = operand
        position.jump(self + 1, if: condition())
    }

    @inline(__always)
    private func runLoad8(
        _ r: Registers, _ memory: AddressSpace, _ position: inout Position, then condition: @autoclosure () -> Bool
    ) -> Bool {
        guard memory.load(UInt8.self, at: address(r, of: source), into: r.at(destination)) else { return false }
        position.next += 1
        position.jump(self + 1, if: condition())
        return true
    }
}

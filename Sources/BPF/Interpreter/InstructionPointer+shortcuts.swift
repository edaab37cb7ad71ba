// What the interpreter's loop does itself: shortcuts, most of which are a line.

extension Registers {
    /// The low half of a register.
    @inline(__always)
    subscript(low number: UInt8) -> UInt32 { UInt32(truncatingIfNeeded: self[Int(number)]) }

    @inline(__always)
    subscript(number: UInt8) -> UInt64 {
        get { self[Int(number)] }
        nonmutating set { self[Int(number)] = newValue }
    }
}

extension InstructionPointer {
    @inline(__always) private var operand: UInt64 { UInt64(bitPattern: immediate) }
    @inline(__always) private var lowOperand: UInt32 { UInt32(truncatingIfNeeded: immediate) }

    /// Carries out what stands at a slot behind which the position is; false where it must be done by the operation.
    @inline(__always)
    func runShortcut(_ shortcut: Shortcut, _ run: inout Run) -> Bool {
        var r: Registers { run.r }
        switch shortcut {
        case .set: run.put(operand, destination)
        case .setWide:
            run.put(operand, destination)
            run.position.skip(1)
        case .move64: run.put(r[source], destination)
        case .move32: run.put(r[low: source], destination)
        case .add64K: run.put(r[destination] &+ operand, destination)
        case .add64X: run.put(r[destination] &+ r[source], destination)
        case .sub64X: run.put(r[destination] &- r[source], destination)
        case .and64K: run.put(r[destination] & operand, destination)
        case .and64X: run.put(r[destination] & r[source], destination)
        case .or64X: run.put(r[destination] | r[source], destination)
        case .rsh64K: run.put(r[destination] &>> operand, destination)
        case .lsh64K: run.put(r[destination] &<< operand, destination)
        case .add32K: run.put(r[low: destination] &+ lowOperand, destination)
        case .add32X: run.put(r[low: destination] &+ r[low: source], destination)
        case .sub32X: run.put(r[low: destination] &- r[low: source], destination)
        case .or32X: run.put(r[low: destination] | r[low: source], destination)
        case .rsh32K: run.put(r[low: destination] &>> lowOperand, destination)
        case .lsh32K: run.put(r[low: destination] &<< lowOperand, destination)
        case .swap16: run.put(UInt64(UInt16(truncatingIfNeeded: r[destination]).byteSwapped), destination)
        case .swap32: run.put(r[low: destination].byteSwapped, destination)
        case .swap64: run.put(r[destination].byteSwapped, destination)
        case .add64KOfLast, .add64XOfLast, .add64ByLast, .and64KOfLast, .rsh64KOfLast, .rsh32KOfLast, .add32KOfLast,
            .or32XOfLast, .move64Last, .move32Last:
            runOnLast(shortcut, &run)
        case .ja, .jeq32K, .jne32K, .jlt32K, .jgt32K, .jeq64K, .jne64K, .jgt64X, .jlt64X, .jne64X, .jgt32X,
            .jne32X, .jeq32KOfLast, .jne32KOfLast, .jgt64XOfLast:
            runJump(shortcut, &run)
        case .load8, .load16, .load32, .load64, .store8, .store16, .store32, .store64, .load8AtLast, .load32AtLast,
            .load64AtLast, .store8Last, .store16Last, .store32Last, .store64Last:
            return runAccess(shortcut, &run)
        case .frameLoad8, .frameLoad32, .frameLoad64, .frameStore8, .frameStore16, .frameStore32, .frameStore64,
            .frameStore32Last, .frameStore64Last:
            runFrameAccess(shortcut, &run)
        case .moveAdd64K, .moveAdd64X, .moveShift64, .moveShift32, .moveMask32, .extract64, .setJeq32K, .setJne32K,
            .setJgt64X, .setFrameStore32, .setStore8, .loadJeq8, .loadJne8:
            return runGroup(shortcut, &run)
        case .lookUp, .call: return false
        case .none:
            guard arithmetic64K(r) || arithmetic64X(r) || arithmetic32K(r) || arithmetic32X(r) else { return false }
            run.last = r[destination]
        }
        return true
    }

    @inline(__always)
    private func runOnLast(_ shortcut: Shortcut, _ run: inout Run) {
        var r: Registers { run.r }
        var last: UInt64 { run.last }
        var low: UInt32 { UInt32(truncatingIfNeeded: run.last) }
        switch shortcut {
        case .add64KOfLast: run.put(last &+ operand, destination)
        case .add64XOfLast: run.put(last &+ r[source], destination)
        case .add64ByLast: run.put(r[destination] &+ last, destination)
        case .and64KOfLast: run.put(last & operand, destination)
        case .rsh64KOfLast: run.put(last &>> operand, destination)
        case .rsh32KOfLast: run.put(low &>> lowOperand, destination)
        case .add32KOfLast: run.put(low &+ lowOperand, destination)
        case .or32XOfLast: run.put(low | r[low: source], destination)
        case .move64Last: run.put(last, destination)
        case .move32Last: run.put(low, destination)
        default: break
        }
    }

    @inline(__always)
    private func runJump(_ shortcut: Shortcut, _ run: inout Run) {
        var r: Registers { run.r }
        switch shortcut {
        case .ja: run.position.skip(Int(offset))
        case .jeq32K: run.position.jump(self, if: r[low: destination] == lowOperand)
        case .jne32K: run.position.jump(self, if: r[low: destination] != lowOperand)
        case .jlt32K: run.position.jump(self, if: r[low: destination] < lowOperand)
        case .jgt32K: run.position.jump(self, if: r[low: destination] > lowOperand)
        case .jeq64K: run.position.jump(self, if: r[destination] == operand)
        case .jne64K: run.position.jump(self, if: r[destination] != operand)
        case .jgt64X: run.position.jump(self, if: r[destination] > r[source])
        case .jlt64X: run.position.jump(self, if: r[destination] < r[source])
        case .jne64X: run.position.jump(self, if: r[destination] != r[source])
        case .jgt32X: run.position.jump(self, if: r[low: destination] > r[low: source])
        case .jne32X: run.position.jump(self, if: r[low: destination] != r[low: source])
        case .jeq32KOfLast: run.position.jump(self, if: UInt32(truncatingIfNeeded: run.last) == lowOperand)
        case .jne32KOfLast: run.position.jump(self, if: UInt32(truncatingIfNeeded: run.last) != lowOperand)
        case .jgt64XOfLast: run.position.jump(self, if: run.last > r[source])
        default: break
        }
    }

    @inline(__always)
    private func runAccess(_ shortcut: Shortcut, _ run: inout Run) -> Bool {
        var r: Registers { run.r }
        var memory: AddressSpace { run.memory }
        var place: UInt64 { address(r, of: destination) }
        var placeAtLast: UInt64 { run.last &+ UInt64(bitPattern: Int64(offset)) }
        switch shortcut {
        case .load8: return run.load(UInt8.self, at: address(r, of: source), into: destination)
        case .load16: return run.load(UInt16.self, at: address(r, of: source), into: destination)
        case .load32: return run.load(UInt32.self, at: address(r, of: source), into: destination)
        case .load64: return run.load(UInt64.self, at: address(r, of: source), into: destination)
        case .load8AtLast: return run.load(UInt8.self, at: placeAtLast, into: destination)
        case .load32AtLast: return run.load(UInt32.self, at: placeAtLast, into: destination)
        case .load64AtLast: return run.load(UInt64.self, at: placeAtLast, into: destination)
        case .store8: return memory.store(UInt8(truncatingIfNeeded: r[source]), at: place)
        case .store16: return memory.store(UInt16(truncatingIfNeeded: r[source]), at: place)
        case .store32: return memory.store(r[low: source], at: place)
        case .store64: return memory.store(r[source], at: place)
        case .store8Last: return memory.store(UInt8(truncatingIfNeeded: run.last), at: place)
        case .store16Last: return memory.store(UInt16(truncatingIfNeeded: run.last), at: place)
        case .store32Last: return memory.store(UInt32(truncatingIfNeeded: run.last), at: place)
        case .store64Last: return memory.store(run.last, at: place)
        default: return false
        }
    }

    @inline(__always)
    private func runFrameAccess(_ shortcut: Shortcut, _ run: inout Run) {
        var r: Registers { run.r }
        switch shortcut {
        case .frameLoad8: run.put(UInt64(run.load(UInt8.self, fromFrameAt: offset)), destination)
        case .frameLoad32: run.put(run.load(UInt32.self, fromFrameAt: offset), destination)
        case .frameLoad64: run.put(run.load(UInt64.self, fromFrameAt: offset), destination)
        case .frameStore8: run.store(UInt8(truncatingIfNeeded: r[source]), inFrameAt: offset)
        case .frameStore16: run.store(UInt16(truncatingIfNeeded: r[source]), inFrameAt: offset)
        case .frameStore32: run.store(r[low: source], inFrameAt: offset)
        case .frameStore64: run.store(r[source], inFrameAt: offset)
        case .frameStore32Last: run.store(UInt32(truncatingIfNeeded: run.last), inFrameAt: offset)
        case .frameStore64Last: run.store(run.last, inFrameAt: offset)
        default: break
        }
    }

    /// Two slots in one step; where the second is refused, the first will be done once more by itself.
    @inline(__always)
    private func runGroup(_ shortcut: Shortcut, _ run: inout Run) -> Bool {
        var r: Registers { run.r }
        var second: InstructionPointer { self + 1 }
        switch shortcut {
        case .moveAdd64K: run.put(r[source] &+ second.operand, destination)
        case .moveAdd64X: run.put(r[source] &+ r[second.source], destination)
        case .moveShift64: run.put(r[source] &>> second.operand, destination)
        case .moveShift32: run.put(r[low: source] &>> second.lowOperand, destination)
        case .moveMask32: run.put(r[low: source] & second.lowOperand, destination)
        case .extract64: run.put((r[destination] &<< operand) &>> second.operand, destination)
        case .setFrameStore32:
            run.put(operand, destination)
            run.store(lowOperand, inFrameAt: second.offset)
        case .setStore8:
            run.put(operand, destination)
            let octet = UInt8(truncatingIfNeeded: immediate)
            guard run.memory.store(octet, at: second.address(r, of: second.destination)) else { return false }
        case .loadJeq8, .loadJne8: return runLoad8(shortcut, &run)
        case .setJeq32K:
            run.put(operand, destination)
            run.position.jump(over: 1, second, if: r[low: second.destination] == second.lowOperand)
            return true
        case .setJne32K:
            run.put(operand, destination)
            run.position.jump(over: 1, second, if: r[low: second.destination] != second.lowOperand)
            return true
        case .setJgt64X:
            run.put(operand, destination)
            run.position.jump(over: 1, second, if: r[second.destination] > r[second.source])
            return true
        default: return false
        }
        run.position.next += 1
        return true
    }

    @inline(__always)
    private func runLoad8(_ shortcut: Shortcut, _ run: inout Run) -> Bool {
        var second: InstructionPointer { self + 1 }
        var place: UInt64 { address(run.r, of: source) }
        switch shortcut {
        case .loadJeq8:
            guard run.load(UInt8.self, at: place, into: destination) else { return false }
            run.position.jump(over: 1, second, if: UInt32(truncatingIfNeeded: run.last) == second.lowOperand)
        default:
            guard run.load(UInt8.self, at: place, into: destination) else { return false }
            run.position.jump(over: 1, second, if: UInt32(truncatingIfNeeded: run.last) != second.lowOperand)
        }
        return true
    }
}

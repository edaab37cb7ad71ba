import Attacks
import Basics
import Plan
import Scenario
import Telemetry
import Wire

/// A scripted attack in a running simulation: what writes its packets, and where they leave.
struct AttackInMotion {
    let event: Int
    /// The attacker's host.
    let device: Int
    let target: IPAddress
    let key: FlowKey
    let tag: UInt32
    var generator: FloodGenerator
}

extension Simulation {
    mutating func buildAttacks() {
        for attack in AttackPlan.all(of: scenario, seed: seed) {
            attacks.append(
                AttackInMotion(
                    event: attack.event, device: attack.device, target: attack.target, key: attack.key,
                    tag: network.ledger.openAttack(attack.key), generator: attack.generator))
        }
    }

    mutating func beginAttack(ofEvent event: Int) {
        guard let number = attacks.firstIndex(where: { $0.event == event }) else { return }
        network.ledger.attackBegins()
        armAttack(number)
    }

    mutating func endAttack(ofEvent event: Int) {
        guard attacks.contains(where: { $0.event == event }) else { return }
        network.ledger.attackEnds()
    }

    /// Puts what an attack has due on its way, as a raw socket does: the route is the kernel's, the source is not.
    mutating func sendPackets(ofAttack number: Int, _ event: QueuedEvent) {
        let device = attacks[number].device
        let (target, tag) = (attacks[number].target, attacks[number].tag)
        while let range = attacks[number].generator.next(at: network.now, into: &network.scratch) {
            let packet = network.rawFrame(range, to: target, tag: tag)
            note(event, device, content: network.pool.digest(of: packet))
            if let hop = devices[device].kernel.nextHop(to: target) {
                devices[device].kernel.output(packet, to: target, by: hop, &network)
            } else {
                network.drop(packet, .noRoute)
            }
        }
        // A neighbour that has to be asked wants to be looked after.
        if devices[device].kernel.hasNewTimer { devices[device].settle(&network) }
        armAttack(number)
    }

    private mutating func armAttack(_ number: Int) {
        guard let due = attacks[number].generator.nextDeadline else { return }
        let key = EventKey.attack(from: attacks[number].device, number: number)
        network.queue.schedule(QueuedEvent(at: max(due, network.now), key: key))
    }

    func attackAccounts() -> [AttackAccount] {
        attacks.enumerated().map { number, attack in
            AttackAccount(
                event: attack.event, key: attack.key, reachedNodes: network.ledger.reachedNodes[number])
        }
    }
}

extension Network {
    /// A frame, whose Ethernet header is still to be written, around an IP packet that ends the scratch arena.
    fileprivate mutating func rawFrame(_ range: ByteRange, to target: IPAddress, tag: UInt32) -> PacketID {
        let packet = pool.allocate(byteCount: Kernel.ipOffset + Int(range.count), tag: tag)
        scratch.copy(range, to: packet, at: Kernel.ipOffset, in: &pool)
        scratch.removeAll()
        pool.patch(target.isIPv4 ? EtherType.ipv4 : EtherType.ipv6, at: 12, of: packet)
        ledger.sent(tag)
        return packet
    }
}

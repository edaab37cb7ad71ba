import Basics
import Glibc
import LinuxSystem
import TestKit
import Testing
import Wire

@Suite(.enabled(if: Kernel.isWilling, "\(Kernel.reason)"))
struct TapTests {
    private static let address = MACAddress(locallyAdministered: 7)

    /// A namespace in which nothing is sent that no test asked for.
    private static func quietNamespace() throws(SystemError) -> NetworkNamespace {
        let namespace = try NetworkNamespace()
        for name in ["all", "default"] { try namespace.setParameter("ipv6/conf/\(name)/disable_ipv6", to: "1") }
        return namespace
    }

    /// A broadcast frame that no protocol claims.
    private static func frame(_ byteCount: Int) -> [UInt8] {
        [UInt8](repeating: 0xFF, count: 6) + [2, 0, 0, 0, 0, 1, 0x88, 0xB5]
            + [UInt8](repeating: 0x5A, count: byteCount - 14)
    }

    private static func put(_ octets: [UInt8], into descriptor: borrowing FileDescriptor) -> Int {
        write(descriptor.number, octets, octets.count)
    }

    @Test func `a TAP has the name, address, MTU and mark that were asked for`() throws {
        let namespace = try Self.quietNamespace()
        let tap = try TapDevice(
            named: "wan-a", in: namespace, address: Self.address, mtu: 1_550, alias: "patronus test")
        var routes = try RouteSocket(in: namespace)
        let link = try routes.existingLink(.named("wan-a"))
        let (index, name) = (tap.interface, tap.name)
        #expect(link.index == index && name == "wan-a" && link.kind == "tun")
        #expect(link.address == Self.address && link.mtu == 1_550 && link.alias == "patronus test" && !link.isUp)
    }

    @Test func `a TAP is gone when its owner is`() throws {
        let namespace = try Self.quietNamespace()
        var routes = try RouteSocket(in: namespace)
        do {
            let tap = try TapDevice(named: "eth0", in: namespace)
            let present = try routes.link(.index(tap.interface))
            #expect(present != nil)
        }
        let left = try routes.link(.named("eth0"))
        #expect(left == nil)
    }

    @Test func `a name that is taken is refused, and so is one too long`() throws {
        let namespace = try Self.quietNamespace()
        let first = try TapDevice(named: "eth0", in: namespace)
        for (name, number) in [("eth0", EBUSY), ("lo", EBUSY), ("a-name-of-16-oct", ENAMETOOLONG)] {
            var thrown: SystemError?
            do throws(SystemError) {
                _ = try TapDevice(named: name, in: namespace)
            } catch {
                thrown = error
            }
            #expect(thrown?.number == number, "\(name)")
        }
        extendLifetime(first)
    }

    @Test(arguments: [64, 1_514, 3_000])
    func `a program runs natively on what is written, and what it drops never reaches the kernel`(size: Int) throws {
        let namespace = try Self.quietNamespace()
        let tap = try TapDevice(named: "eth0", in: namespace, mtu: 3_000)
        var routes = try RouteSocket(in: namespace)
        try routes.change { $0.changeLink(.index(tap.interface), LinkChange(isUp: true)) }
        do {
            let attachment = try XDPAttachment(.answering(.drop), to: tap.interface, in: namespace)
            let mode = attachment.mode
            #expect(mode == .native)
            let written = (0..<50).map { _ in Self.put(Self.frame(size), into: tap.descriptor) }
            #expect(written == [Int](repeating: size, count: 50))
            let counters = try routes.existingLink(.index(tap.interface)).counters
            #expect(counters.receivedPackets == 0 || counters.receiveDrops >= 50)
        }
        let before = try routes.existingLink(.index(tap.interface)).counters.receivedPackets
        for _ in 0..<50 { _ = Self.put(Self.frame(size), into: tap.descriptor) }
        let after = try routes.existingLink(.index(tap.interface)).counters.receivedPackets
        #expect(after - before == 50)
    }

    @Test func `a program that sends back is read from the descriptor`() throws {
        let namespace = try Self.quietNamespace()
        let tap = try TapDevice(named: "eth0", in: namespace)
        var routes = try RouteSocket(in: namespace)
        try routes.change { $0.changeLink(.index(tap.interface), LinkChange(isUp: true)) }
        let attachment = try XDPAttachment(.answering(.transmit), to: tap.interface, in: namespace)
        let frame = Self.frame(1_514)
        _ = Self.put(frame, into: tap.descriptor)
        var buffer = [UInt8](repeating: 0, count: 2_048)
        let count = read(tap.descriptor.number, &buffer, buffer.count)
        #expect(count == 1_514 && Array(buffer.prefix(max(0, count))) == frame)
        let again = read(tap.descriptor.number, &buffer, buffer.count)
        let number = errno
        #expect(again == -1 && number == EAGAIN)
        attachment.detach()
    }

    @Test func `the kernel sees the carrier come and go`() throws {
        let namespace = try Self.quietNamespace()
        let tap = try TapDevice(named: "eth0", in: namespace)
        var routes = try RouteSocket(in: namespace)
        let interface = tap.interface
        try routes.change { $0.changeLink(.index(interface), LinkChange(isUp: true)) }
        for isUp in [true, false, true] {
            try tap.setCarrier(isUp)
            let isSeen = try eventually { try routes.existingLink(.index(interface)).hasCarrier == isUp }
            #expect(isSeen, "\(isUp)")
        }
    }

    @Test func `what a host sends to a TUN is one IP packet a read, and what is written arrives`() throws {
        let namespace = try Self.quietNamespace()
        let tun = try TunDevice(named: "patronus0", in: namespace, mtu: 1_400, alias: "patronus test")
        var routes = try RouteSocket(in: namespace)
        let address = InterfaceAddress(.v4(IPv4Address(10, 0, 0, 1)), prefixLength: 24, on: tun.interface)
        let interface = tun.interface
        try routes.change {
            $0.changeLink(.index(interface), LinkChange(isUp: true))
            $0.addAddress(address)
        }
        let link = try routes.existingLink(.index(interface))
        #expect(link.mtu == 1_400 && link.alias == "patronus test" && link.address == nil)
        let socket = try DatagramSocket(in: namespace, port: 5_000)
        let isSent = socket.send([1, 2, 3, 4], to: IPv4Address(10, 0, 0, 2), port: 5_000)
        #expect(isSent)
        var packet = [UInt8](repeating: 0, count: 2_048)
        let count = read(tun.descriptor.number, &packet, packet.count)
        #expect(count == 32 && packet[0] == 0x45 && packet[28..<32] == [1, 2, 3, 4])
        // With both addresses exchanged every checksum still holds.
        let (source, destination) = (Array(packet[12..<16]), Array(packet[16..<20]))
        packet.replaceSubrange(12..<20, with: destination + source)
        let written = write(tun.descriptor.number, packet, 32)
        let received = socket.receive()
        #expect(written == 32 && received == [1, 2, 3, 4])
    }
}

import Steering
import TestKit
import Testing
import Wire

@Suite struct ApplicationTableTests {
    private func application(
        _ protocolNumber: UInt8, _ sourcePort: UInt16, _ destinationPort: UInt16, dscp: UInt8 = 0
    ) -> Steering.Application {
        let flow = FiveTuple(
            protocolNumber: protocolNumber, from: SocketAddress(.v4(IPv4Address(10, 0, 0, 1)), port: sourcePort),
            to: SocketAddress(.v4(IPv4Address(10, 0, 0, 2)), port: destinationPort))
        return Steering.ApplicationTable.standard.application(of: PacketHead(flow: flow, dscp: dscp))
    }

    @Test func `flows are known by mark, then by the port of either end`() {
        let tcp = ProtocolNumber.tcp
        let udp = ProtocolNumber.udp
        #expect(application(udp, 40_000, 40_001, dscp: 46) == .voip)
        #expect(application(tcp, 40_000, 443, dscp: 46) == .voip)
        #expect(application(udp, 5_004, 40_000) == .voip)
        #expect(application(udp, 16_384, 32_767) == .voip)
        #expect(application(tcp, 16_384, 9_999) == .unknown)
        #expect(application(udp, 40_000, 53) == .dns)
        #expect(application(udp, 53, 20_000) == .dns)
        #expect(application(tcp, 22, 40_000) == .ssh)
        #expect(application(tcp, 40_000, 25) == .smtp)
        #expect(application(tcp, 40_000, 21) == .ftp)
        #expect(application(udp, 40_000, 443) == .quic)
        #expect(application(tcp, 40_000, 443) == .https)
        #expect(application(tcp, 40_000, 80) == .http)
        #expect(application(udp, 40_000, 80) == .unknown)
        #expect(application(ProtocolNumber.icmp, 53, 53) == .unknown)
    }

    @Test func `a policy for a behaviour takes in its protocols, not the other way round`() {
        for application: Steering.Application in [.http, .https, .quic, .web] {
            #expect(application.belongs(to: .web))
        }
        #expect(!Steering.Application.web.belongs(to: .https))
        #expect(!Steering.Application.ssh.belongs(to: .web))
        #expect(Steering.Application.ftp.belongs(to: .fileTransfer))
    }
}

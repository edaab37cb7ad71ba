import Wire

extension Steering {
    /// What a flow carries: a behaviour or, where the port tells more, a protocol.
    public enum Application: String, CaseIterable, Sendable, BitwiseCopyable {
        case unknown
        // Behaviours
        case web
        case video
        case voip
        case fileTransfer
        case gaming
        case vpn
        case p2p
        // Protocols
        case http
        case https
        case ssh
        case ftp
        case dns
        case smtp
        case quic
        case webrtc
        case torrent

        /// The behaviour that a protocol shows; for all others the application itself.
        public var behavior: Application {
            switch self {
            case .http, .https, .quic: .web
            case .ftp: .fileTransfer
            case .webrtc: .voip
            case .torrent: .p2p
            default: self
            }
        }

        /// Whether a policy for `wanted` is about this application: `web` takes in `https`.
        public func belongs(to wanted: Application) -> Bool {
            self == wanted || behavior == wanted
        }
    }

    /// Tells a flow's application from its first packet by DSCP and well-known ports; the first match holds.
    public struct ApplicationTable: Equatable, Sendable {
        /// An application known by its mark (RFC 2474).
        public struct Mark: Equatable, Sendable {
            public var dscp: UInt8
            public var application: Application

            public init(dscp: UInt8, application: Application) {
                self.dscp = dscp
                self.application = application
            }
        }

        /// An application known by the port of either end.
        public struct Service: Equatable, Sendable {
            /// Nil is TCP as well as UDP.
            public var protocolNumber: UInt8?
            public var ports: ClosedRange<UInt16>
            public var application: Application

            public init(_ ports: ClosedRange<UInt16>, _ protocolNumber: UInt8?, _ application: Application) {
                self.ports = ports
                self.protocolNumber = protocolNumber
                self.application = application
            }
        }

        /// Looked at before the services.
        public var marks: [Mark]
        public var services: [Service]

        public init(marks: [Mark], services: [Service]) {
            self.marks = marks
            self.services = services
        }

        /// The usual ports, and Expedited Forwarding for calls.
        public static var standard: ApplicationTable {
            let tcp = ProtocolNumber.tcp
            let udp = ProtocolNumber.udp
            return ApplicationTable(
                marks: [Mark(dscp: 46, application: .voip)],
                services: [
                    Service(53...53, nil, .dns), Service(22...22, tcp, .ssh), Service(25...25, tcp, .smtp),
                    Service(587...587, tcp, .smtp), Service(20...21, tcp, .ftp), Service(443...443, udp, .quic),
                    Service(80...80, tcp, .http), Service(443...443, tcp, .https), Service(5004...5005, udp, .voip),
                    Service(5060...5061, nil, .voip), Service(3478...3478, udp, .webrtc),
                    Service(500...500, udp, .vpn), Service(4500...4500, udp, .vpn), Service(1194...1194, nil, .vpn),
                    Service(51820...51820, udp, .vpn), Service(6881...6889, nil, .torrent),
                    // Wide, so last: the customary range of RTP.
                    Service(16384...32767, udp, .voip),
                ])
        }

        /// The application of a flow with this packet.
        public func application(of packet: PacketHead) -> Application {
            for mark in marks where mark.dscp == packet.dscp { return mark.application }
            let flow = packet.flow
            guard flow.protocolNumber == ProtocolNumber.tcp || flow.protocolNumber == ProtocolNumber.udp else {
                return .unknown
            }
            for service in services where (service.protocolNumber ?? flow.protocolNumber) == flow.protocolNumber {
                if service.ports.contains(flow.destinationPort) || service.ports.contains(flow.sourcePort) {
                    return service.application
                }
            }
            return .unknown
        }
    }
}

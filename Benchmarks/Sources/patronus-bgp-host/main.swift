import BGP
import Basics
import Glibc
import Wire

// A speaker for `Benchmarks/bgp/bird.py`, or by hand:
//   patronus-bgp-host AS IDENTIFIER LOCAL,PEER,PEER-AS,in|out ...
// Peers that are `in` tell and are told nothing, those that are `out` the other way round.

func complain(_ text: String) -> Never {
    let line = Array("patronus-bgp-host: \(text)\n".utf8)
    _ = write(2, line, line.count)
    exit(64)
}

let arguments = CommandLine.arguments.dropFirst()
guard let number = arguments.first.flatMap({ UInt32($0) }),
    let identifier = arguments.dropFirst().first.flatMap({ IPv4Address($0) })
else { complain("usage: patronus-bgp-host AS IDENTIFIER LOCAL,PEER,PEER-AS,in|out ...") }
var configuration = SpeakerConfiguration(autonomousSystem: number, routerID: identifier)
for argument in arguments.dropFirst(2) {
    let parts = argument.split(separator: ",").map(String.init)
    guard parts.count == 4, let local = IPAddress(parts[0]), let address = IPAddress(parts[1]),
        let peerNumber = UInt32(parts[2])
    else { complain("not a peer: \(argument)") }
    var peer = PeerConfiguration(address: address, autonomousSystem: peerNumber, localAddress: local)
    peer.isPassive = true
    if parts[3] == "in" { peer.exportPolicy = .denyAll } else { peer.importPolicy = .denyAll }
    configuration.peers.append(peer)
}
guard var host = SpeakerHost(configuration) else { complain("port 179 is not to be had") }
host.run()

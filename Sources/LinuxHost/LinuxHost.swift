// One machine, a node or an end host, on the kernel's clock and devices.
//
// The simulator drives the same machines in virtual time. Here an event is what epoll reports: a datagram on a socket
// of a WAN port, a packet on the TUN `patronus0`, a connection, a carrier, a timer; and an action is a system call.
//
// Way in: `MachineHost.run`, in the namespace of the calling thread. What waits is taken by the batch, the machine is
// handed each piece at the instant at which the kernel got it, and what it then asks for is carried out in order,
// datagrams by the batch and routes by the batch. Way out: the sink of telemetry, and the machine itself to be looked
// at. What the kernel has no room for is dropped and counted; nothing waits, and nothing a peer does ends the loop.

// One machine, a node or an end host, on the kernel's clock and devices.
//
// The simulator drives the same machines in virtual time. Here an event is what epoll reports: a datagram on a socket
// of a WAN port, a packet on the TUN `patronus0`, a connection, a carrier, a timer; and an action is a system call.

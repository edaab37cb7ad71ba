// The machines at the ends of flows.
//
// An ``EndHost`` is a machine of the same shape as a node: events in, actions out, a
// deadline. It joins the generators and meters of `Traffic` to the sockets and streams
// of whatever host drives it.
//
// Way in: ``EndHostConfiguration``, a list of ``FlowAssignment``; each is one end of one
// flow. Way out: ``EndHost/reports(at:)``; the two ends' reports join with
// ``FlowReport/merged(_:)``.
//
// A datagram is matched to its flow by the stamp that it carries, an incoming stream by
// its first octets, so that any number of flows may share a port.

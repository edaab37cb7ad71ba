// Labs: a topology as network namespaces of this kernel.
//
// A plan says what there will be: a namespace for each node, host and router, a veth or a wire for each link. The
// wire holds the far sides of TAP ports and runs the simulator's own link model against the monotonic clock.

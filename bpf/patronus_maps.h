// The maps of the XDP program: what its keys and values look like, who writes them, and how
// many there may be. The program and the Swift code that fills and reads the maps both
// include this header, so that their layouts cannot differ.
//
// Numbers are in the machine's own byte order unless a comment says "as on the wire".
// No structure has implicit padding: the kernel compares and shows every byte of a key.

#ifndef PATRONUS_MAPS_H
#define PATRONUS_MAPS_H

#include <stdint.h>

// ---------------------------------------------------------------------------------------
// Sizes. A loader may lower those of hash tables and tries before it creates the maps; the
// program bakes the others into its masks.

enum {
    PATRONUS_PORT_COUNT = 4096,
    PATRONUS_RULE_COUNT = 16384,
    PATRONUS_ROUTE_COUNT = 16384,
    PATRONUS_NEIGHBOUR_COUNT = 4096,
    PATRONUS_TUNNEL_COUNT = 1024,
    PATRONUS_FLOW_COUNT = 32768,
    PATRONUS_STEERING_COUNT = 65536,
    PATRONUS_SOURCE_BUCKET_COUNT = 16384,
    PATRONUS_DESTINATION_BUCKET_COUNT = 4096,
    PATRONUS_VERIFIED_COUNT = 8192,
    PATRONUS_KNOCK_COUNT = 262144,
    PATRONUS_SAMPLE_BYTES = 262144,
    PATRONUS_SAMPLE_OCTETS = 128,
    PATRONUS_SIZE_BINS = 8,
    PATRONUS_GAP_BINS = 16,
    PATRONUS_CLASS_COUNT = 8,
};

// ---------------------------------------------------------------------------------------
// Why a packet went where it went. Every packet counts under exactly one cause below
// PATRONUS_VERDICT_END, and the range that the cause is in is the verdict. What stands
// behind counts happenings beside it.

enum patronus_cause {
    // XDP_PASS: the kernel, and so the node, takes it.
    PATRONUS_PASS_NOT_IP = 0,
    PATRONUS_PASS_MALFORMED = 1,
    PATRONUS_PASS_MULTICAST = 2,
    PATRONUS_PASS_NEIGHBOUR_DISCOVERY = 3,
    PATRONUS_PASS_CONTROL = 4,
    PATRONUS_PASS_FRAGMENT = 5,
    PATRONUS_PASS_OPTIONS = 6,
    PATRONUS_PASS_NOT_ADDRESSED = 7,
    PATRONUS_PASS_NOT_FORWARDED = 8,
    PATRONUS_PASS_NO_ROUTE = 9,
    PATRONUS_PASS_NO_TUNNEL = 10,
    PATRONUS_PASS_NO_NEIGHBOUR = 11,
    PATRONUS_PASS_EXPIRED = 12,
    PATRONUS_PASS_TOO_LONG = 13,
    PATRONUS_PASS_CHECKSUM = 14,
    PATRONUS_PASS_SLOW_PATH = 15,
    PATRONUS_PASS_STEERED = 16,
    PATRONUS_PASS_DECAPSULATED = 17,
    // XDP_DROP.
    PATRONUS_DROP_FIRST = 24,
    PATRONUS_DROP_DENIED = 24,
    PATRONUS_DROP_SYN_SOURCE = 25,
    PATRONUS_DROP_SYN_DESTINATION = 26,
    PATRONUS_DROP_ICMP_SOURCE = 27,
    PATRONUS_DROP_ICMP_DESTINATION = 28,
    PATRONUS_DROP_UDP_SOURCE = 29,
    PATRONUS_DROP_UDP_DESTINATION = 30,
    PATRONUS_DROP_TCP_SOURCE = 31,
    PATRONUS_DROP_TCP_DESTINATION = 32,
    PATRONUS_DROP_OTHER_SOURCE = 33,
    PATRONUS_DROP_OTHER_DESTINATION = 34,
    PATRONUS_DROP_TUNNEL_DUPLICATE = 35,
    PATRONUS_DROP_TUNNEL_LATE = 36,
    PATRONUS_DROP_NO_ROOM = 37,
    PATRONUS_DROP_NO_PORT = 38,
    // XDP_REDIRECT.
    PATRONUS_REDIRECT_FIRST = 48,
    PATRONUS_REDIRECT_ENCAPSULATED = 48,
    PATRONUS_REDIRECT_DELIVERED = 49,
    PATRONUS_REDIRECT_FORWARDED = 50,
    PATRONUS_VERDICT_END = 52,
    // Happenings.
    PATRONUS_EVENT_FLOW_ADDED = 52,
    PATRONUS_EVENT_FLOW_REFUSED = 53,
    PATRONUS_EVENT_HANDSHAKE = 54,
    PATRONUS_EVENT_KNOCK = 55,
    PATRONUS_EVENT_PRESSURE = 56,
    PATRONUS_EVENT_SAMPLE_LOST = 57,
    PATRONUS_CAUSE_COUNT = 64,
};

// ---------------------------------------------------------------------------------------
// Constants that a loader may set before it loads the program (`.rodata`); the verifier then
// leaves out what is switched off.

struct patronus_constants {
    uint8_t firewall;
    uint8_t flood_guard;
    uint8_t flow_table;
    uint8_t forwarding;
    uint8_t sampling;
    // 0: the kernel's monotonic clock. 1: the configuration's time, for runs that must repeat.
    uint8_t virtual_clock;
    uint8_t reserved[2];
};

// ---------------------------------------------------------------------------------------
// .data.configuration: array of one. Written by the host, read by the program, which reaches it as a
// variable, without a look-up.

// A rate by the generic cell rate algorithm: a packet is due `increment` nanoseconds after
// the one before, and may come `tolerance` early. An increment of 0 is no limit.
struct patronus_limit {
    uint64_t increment;
    uint64_t tolerance;
};

// What the flood guard grants to a kind of traffic.
struct patronus_class_limits {
    // Packets (SYN, ICMP) or new flows (others) from one source.
    struct patronus_limit source;
    // New flows to one destination.
    struct patronus_limit destination;
    // Packets of flows that nobody has answered, to one destination, before it is under pressure.
    struct patronus_limit unanswered;
    // While it is: packets of such flows from one source, and to the destination altogether.
    struct patronus_limit pressed_source;
    struct patronus_limit pressed_destination;
};

enum patronus_class {
    PATRONUS_CLASS_SYN = 0,
    PATRONUS_CLASS_ICMP = 1,
    PATRONUS_CLASS_UDP = 2,
    PATRONUS_CLASS_TCP = 3,
    PATRONUS_CLASS_OTHER = 4,
};

struct patronus_configuration {
    // The instant that counts while `virtual_clock` is set.
    uint64_t time;
    // Mixed into every hash of the flood guard, so that nobody outside can aim at a bucket.
    uint64_t hash_seed;
    // Raised after every change of rules, steering, routes or tunnels: flows then look again. Never 0.
    uint32_t generation;
    // Raised after a steering entry was added: flows without one then look for one. Never 0.
    uint32_t steering_generation;
    // One in so many first packets of flows, and of drops, goes to the ring; 0 is none.
    uint32_t sample_flows;
    uint32_t sample_drops;
    // How many prefixes are on the lists: while it is 0 nobody looks for one.
    uint32_t rule_count;
    uint32_t reserved;
    // How long a source that completed a handshake is trusted.
    uint64_t verified_lifetime;
    // A SYN that comes again so long after it was dropped is a real client's.
    uint64_t knock_earliest;
    uint64_t knock_latest;
    struct patronus_limit knock;
    // Entries made in the flow table.
    struct patronus_limit new_flows;
    struct patronus_class_limits classes[PATRONUS_CLASS_COUNT];
};

// ---------------------------------------------------------------------------------------
// ports: array by the kernel's interface index. Written by the host. Zero: not a port of ours.

enum patronus_port_flags {
    // Packets that arrive here may be forwarded: encapsulated, or out of another port.
    PATRONUS_PORT_LAN = 1,
    // Tunnels end here.
    PATRONUS_PORT_WAN = 2,
    // Nothing that arrives here is policed.
    PATRONUS_PORT_TRUSTED = 4,
};

struct patronus_port {
    uint8_t address[6];
    uint8_t flags;
    uint8_t reserved;
};

// transmit_ports: devmap from port number to interface index (both uint32_t). Written by the host.

// ---------------------------------------------------------------------------------------
// counters: per-CPU array by cause. Written by the program; readers sum over the CPUs.

struct patronus_counter {
    uint64_t packets;
    uint64_t bytes;
};

// ---------------------------------------------------------------------------------------
// rules4, rules6: longest-prefix tries over source addresses. Written by the host. The
// longest prefix decides; where one prefix is on both lists, it is allowed.

struct patronus_prefix4 {
    uint32_t length;
    // As on the wire.
    uint8_t address[4];
};

struct patronus_prefix6 {
    uint32_t length;
    // As on the wire.
    uint8_t address[16];
};

enum patronus_rule_lists {
    PATRONUS_RULE_DENY = 1,
    PATRONUS_RULE_ALLOW = 2,
};

struct patronus_rule {
    uint32_t lists;
};

// ---------------------------------------------------------------------------------------
// routes4, routes6: longest-prefix tries over destination addresses. Written by the host.

enum patronus_route_kind {
    // To the kernel.
    PATRONUS_ROUTE_PASS = 1,
    // Into the tunnel of number `target`.
    PATRONUS_ROUTE_TUNNEL = 2,
    // Out of port `target`, to the destination itself.
    PATRONUS_ROUTE_PORT = 3,
    // Out of port `target`, to the gateway.
    PATRONUS_ROUTE_GATEWAY = 4,
};

struct patronus_route {
    uint32_t kind;
    uint32_t target;
    // As on the wire; an IPv4 address in the first four bytes, the others 0.
    uint64_t gateway[2];
};

// ---------------------------------------------------------------------------------------
// neighbours: hash from port and address to link-layer addresses. Written by the host.

struct patronus_neighbour_key {
    // As on the wire; an IPv4 address in the first four bytes, the others 0.
    uint64_t address[2];
    uint32_t port;
    // 4 or 6.
    uint32_t family;
};

struct patronus_neighbour {
    uint8_t destination[6];
    uint8_t source[6];
    // The longest IP packet that may leave to it.
    uint32_t mtu;
};

// ---------------------------------------------------------------------------------------
// steering: hash from five-tuple, as the packet has it, to a decision. Written by the host.
// flows:    LRU hash from five-tuple, lower endpoint first, to what is known of the flow.
//           Written by the program; the host reads and removes. Evicts the least recently used.

struct patronus_five_tuple {
    // As on the wire; an IPv4 address in the first four bytes, the others 0.
    uint64_t source[2];
    uint64_t destination[2];
    // As on the wire. Both are the identifier for an ICMP echo.
    uint16_t source_port;
    uint16_t destination_port;
    uint8_t protocol;
    // 4 or 6.
    uint8_t family;
    uint16_t reserved;
};

struct patronus_steering {
    // PATRONUS_ROUTE_PASS or PATRONUS_ROUTE_TUNNEL.
    uint32_t kind;
    // The tunnel's number.
    uint32_t target;
};

enum patronus_flow_state {
    // Packets in both directions, not counting resets.
    PATRONUS_FLOW_ANSWERED = 1,
    // A three-way handshake that was seen and is right, or a flow picked up and answered.
    PATRONUS_FLOW_PROVEN = 2,
    // The flow began with a SYN, whose sequence number is `opening`.
    PATRONUS_FLOW_SYN_SEEN = 4,
    // The SYN was answered by one of sequence number `answer`.
    PATRONUS_FLOW_SYN_ANSWERED = 8,
    // The opener is the higher endpoint.
    PATRONUS_FLOW_OPENED_BY_HIGHER = 16,
    // An echo request or reply, policed for as long as it lasts.
    PATRONUS_FLOW_ECHO = 32,
    // Ends that have sent anything but a reset.
    PATRONUS_FLOW_LOWER_SPOKE = 64,
    PATRONUS_FLOW_HIGHER_SPOKE = 128,
};

enum patronus_direction_marks {
    // A steering entry of the host decided.
    PATRONUS_MARK_STEERED = 1,
    // The source is on the allow list.
    PATRONUS_MARK_ALLOWED = 2,
    // The flow's packets in this direction come out of a tunnel.
    PATRONUS_MARK_TUNNELLED = 4,
};

// Packets of a flow in one direction; sizes are those of IP packets. Two lines of a cache.
struct patronus_direction {
    uint64_t packets;
    uint64_t bytes;
    // When the last one came; 0 before the first.
    uint64_t last;
    // What was decided.
    uint32_t target;
    uint8_t kind;
    uint8_t marks;
    // All that were set in any segment.
    uint8_t tcp_flags;
    uint8_t traffic_class;
    // Bin 0: below 128 bytes; bin n: 2^(6+n) and more; the last has all that is longer.
    uint32_t sizes[PATRONUS_SIZE_BINS];
    // Bin 0: within 2^14 ns of the one before; bin n: 2^(13+n) ns and more; the last all that is longer.
    uint32_t gaps[PATRONUS_GAP_BINS];
};

// In Linux an entry has 48 bytes of its own, then the key, then this. So an entry is six lines of a cache: two with
// all up to the directions, and two for each direction. A packet touches four of them.
struct patronus_flow {
    uint64_t first;
    uint32_t opening;
    uint32_t answer;
    uint32_t state;
    uint32_t reserved;
    // The configuration's generation when the directions' decisions were made; 0 before.
    uint32_t generations[2];
    // The configuration's steering generation when an entry for each was looked for, and not found; 0 before.
    uint32_t steering_generations[2];
    // From the lower endpoint, then from the higher one.
    struct patronus_direction directions[2];
};

// blank_flow: array of one, never written: what a new entry of `flows` starts as.

// ---------------------------------------------------------------------------------------
// The flood guard's memory, written by the program alone. All are arrays indexed by a hash:
// nothing is ever inserted, so that a flood of new addresses costs no more than any other.
//
// sources:       buckets by source (IPv6: its first 64 bits) and class.
// destinations:  buckets by destination and class.
// verified:      sources that completed a handshake.
// knocks:        SYNs that were dropped and would pass if they came again.
// guard:         array of one.

struct patronus_source_buckets {
    uint64_t opening;
    uint64_t pressed;
};

struct patronus_destination_buckets {
    uint64_t opening;
    uint64_t knock;
    uint64_t unanswered;
    uint64_t pressed;
};

struct patronus_note {
    uint32_t tag;
    // Milliseconds (2^20 ns); 0: the note is free.
    uint32_t time;
};

struct patronus_guard {
    uint64_t new_flows;
};

// ---------------------------------------------------------------------------------------
// tunnels: hash by tunnel number (uint32_t). Written by the host.

enum patronus_tunnel_flags {
    // The outer source port depends on the flow, so that the underlay and the receiver may
    // spread flows over paths and CPUs. Order between flows is lost: nothing is dropped as late.
    PATRONUS_TUNNEL_SPREAD = 1,
    // The peer takes UDP over IPv6 without a checksum (RFC 6935).
    PATRONUS_TUNNEL_NO_CHECKSUM = 2,
};

struct patronus_tunnel {
    // As on the wire; IPv4 addresses in the first four bytes, the others 0.
    uint64_t local[2];
    uint64_t remote[2];
    // The neighbour's key: its address, the port that the tunnel leaves by, and the family of all
    // three addresses.
    struct patronus_neighbour_key next_hop;
    // Where it lies in the two arrays below.
    uint32_t slot;
    // The longest outer IP packet that the path takes.
    uint16_t mtu;
    // As on the wire.
    uint16_t source_port;
    uint8_t flags;
    uint8_t hop_limit;
    uint8_t reserved[6];
    // What `neighbours` has for the next hop, which the host keeps the same; MTU 0 for nothing.
    struct patronus_neighbour neighbour;
};

// transmissions: array by slot. The host sets `sequence` and `start` to one random 32-bit
// number when it makes the tunnel; then the program writes.
struct patronus_transmission {
    // The next packet's sequence number is its lower half.
    uint64_t sequence;
    uint64_t start;
    uint64_t bytes;
    uint64_t last;
};

// receptions: array by slot. The host clears it when it makes the tunnel; then the program writes.
struct patronus_reception {
    // Each sequence number once.
    uint64_t received;
    uint64_t bytes;
    // Sequence numbers from the first to the highest, of all rows.
    uint64_t expected;
    uint64_t duplicates;
    // Behind the window of 64.
    uint64_t late;
    // Far from all others; delivered, and a second one starts a new row.
    uint64_t unrelated;
    // Bit n: the highest less n has arrived.
    uint64_t window;
    uint64_t last;
    // Arrival on this clock less departure on the sender's, in nanoseconds, less the base.
    int64_t transit_sum;
    // Least of the current period of 2^30 ns and of the one before.
    int64_t transit_minimum;
    int64_t former_minimum;
    // The sender's departure is known modulo 2^32 us; so is the base.
    uint32_t transit_base;
    uint32_t period;
    uint32_t highest;
    uint32_t candidate;
    // 1: the numbers above mean something. 2: so does the candidate.
    uint32_t state;
    uint32_t reserved;
};

// ---------------------------------------------------------------------------------------
// samples: ring buffer, from the program to the host.

struct patronus_sample {
    uint64_t time;
    // The interface index that the packet came by.
    uint32_t port;
    // A drop's cause, or PATRONUS_EVENT_FLOW_ADDED.
    uint32_t cause;
    // The frame as it arrived (out of a tunnel: as it came out), and how much of it follows.
    uint32_t frame_length;
    uint32_t octet_count;
    uint8_t octets[PATRONUS_SAMPLE_OCTETS];
};

// sampler: per-CPU array of one, written by the program.
struct patronus_sampler {
    uint32_t flows;
    uint32_t drops;
};

// ---------------------------------------------------------------------------------------

#define PATRONUS_SIZE_IS(type, size) _Static_assert(sizeof(struct type) == (size), #type)

PATRONUS_SIZE_IS(patronus_constants, 8);
PATRONUS_SIZE_IS(patronus_limit, 16);
PATRONUS_SIZE_IS(patronus_class_limits, 80);
PATRONUS_SIZE_IS(patronus_configuration, 736);
PATRONUS_SIZE_IS(patronus_port, 8);
PATRONUS_SIZE_IS(patronus_counter, 16);
PATRONUS_SIZE_IS(patronus_prefix4, 8);
PATRONUS_SIZE_IS(patronus_prefix6, 20);
PATRONUS_SIZE_IS(patronus_rule, 4);
PATRONUS_SIZE_IS(patronus_route, 24);
PATRONUS_SIZE_IS(patronus_neighbour_key, 24);
PATRONUS_SIZE_IS(patronus_neighbour, 16);
PATRONUS_SIZE_IS(patronus_five_tuple, 40);
PATRONUS_SIZE_IS(patronus_steering, 8);
PATRONUS_SIZE_IS(patronus_direction, 128);
PATRONUS_SIZE_IS(patronus_flow, 296);
PATRONUS_SIZE_IS(patronus_source_buckets, 16);
PATRONUS_SIZE_IS(patronus_destination_buckets, 32);
PATRONUS_SIZE_IS(patronus_note, 8);
PATRONUS_SIZE_IS(patronus_guard, 8);
PATRONUS_SIZE_IS(patronus_tunnel, 88);
PATRONUS_SIZE_IS(patronus_transmission, 32);
PATRONUS_SIZE_IS(patronus_reception, 112);
PATRONUS_SIZE_IS(patronus_sample, 152);
PATRONUS_SIZE_IS(patronus_sampler, 8);

#endif

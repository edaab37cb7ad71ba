// From a frame to what the rest of the program asks about a packet.

#ifndef PATRONUS_PARSE_H
#define PATRONUS_PARSE_H

#include "kernel.h"
#include "patronus_maps.h"

enum {
    ETHERNET_BYTES = 14,
    TAG_BYTES = 4,
    IPV4_BYTES = 20,
    IPV6_BYTES = 40,
    UDP_BYTES = 8,
    TCP_BYTES = 20,
    ICMP_BYTES = 8,
    ETHER_IPV4 = 0x0800,
    ETHER_IPV6 = 0x86DD,
    ETHER_TAG = 0x8100,
    ETHER_SERVICE_TAG = 0x88A8,
    PROTOCOL_ICMP = 1,
    PROTOCOL_TCP = 6,
    PROTOCOL_UDP = 17,
    PROTOCOL_ICMP6 = 58,
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_ACK = 0x10,
    // More extension headers than this are nobody's honest packet.
    EXTENSION_LIMIT = 6,
};

// Outcomes of a step after which the packet goes on; none of them is a cause.
enum {
    OPENED = 253,
    ACCEPTED = 254,
    PARSED = 255,
};

enum packet_traits {
    // It has a five-tuple: ports, or an echo's identifier.
    HAS_PORTS = 1,
    // IPv4 options or IPv6 extension headers.
    HAS_OPTIONS = 2,
    IS_FRAGMENT = 4,
    // An ICMP echo request or reply.
    IS_ECHO = 8,
    // A SYN without ACK.
    IS_OPENING = 16,
    // BGP, BFD or GENEVE, by which nodes and routers speak with each other.
    IS_CONTROL = 32,
    IS_GENEVE = 64,
    // A BFD packet that has not crossed a router (RFC 5881 §5), so cannot come from afar.
    IS_ADJACENT_BFD = 128,
};

// What is known of the packet. It lies in a map, where the verifier knows nothing about its
// values: whatever way the parsing took, what follows is verified once. So it holds no
// pointers, and who uses an offset checks it.
struct packet {
    // The five-tuple as the packet has it; the addresses are those of any packet. Then, where it
    // is looked up that way, with its ends exchanged.
    struct patronus_five_tuple tuple;
    struct patronus_five_tuple reverse;
    // As on the wire.
    uint32_t sequence;
    uint32_t acknowledgment;
    // The frame's first eight bytes.
    uint64_t ethernet;
    // The words of an IPv4 header without options, added up.
    uint64_t header_sum;
    // The IP packet, and its part before the transport header.
    uint32_t total_length;
    uint32_t header_length;
    uint32_t network_offset;
    uint8_t tcp_flags;
    // What the flood guard takes it for, but for a SYN.
    uint8_t class;
    uint8_t hop_limit;
    uint8_t traffic_class;
    // One or more of `packet_traits`.
    uint32_t traits;
    // 1 when the source is the higher endpoint.
    uint32_t side;
    // The frame as it came.
    uint64_t frame_length;
    // The port that it came by; zero where that is none of ours.
    struct patronus_port port;
    // When the packet is looked at.
    uint64_t now;
    // Whether it came out of a tunnel, of which the headers are still there while it does not lie
    // behind an Ethernet header; then its type, as it lies in memory.
    uint32_t is_decapsulated;
    uint32_t inner_type;
    // What was found about it apart.
    uint64_t cause;
    // Set before the packet is policed.
    uint64_t source_hash;
    uint64_t destination_hash;
};

// Where parsing is.
struct cursor {
    void *network;
    void *transport;
    void *end;
    uint32_t traits;
    uint32_t protocol;
    uint32_t family;
    uint8_t hop_limit;
};

// Where the verifier's knowledge of the packet's fields ends.
INLINE void forget(void) { asm volatile("" ::: "memory"); }

INLINE bool is_ipv4(const struct packet *packet) { return packet->tuple.family == 4; }

INLINE uint32_t traits_of_udp(uint32_t port, uint8_t hop_limit) {
    if (port == WIRE16(6081)) return HAS_PORTS | IS_CONTROL | IS_GENEVE;
    if (port == WIRE16(3784) || port == WIRE16(3785)) {
        return HAS_PORTS | IS_CONTROL | (hop_limit == 255 ? IS_ADJACENT_BFD : 0);
    }
    return port == WIRE16(4784) ? HAS_PORTS | IS_CONTROL : HAS_PORTS;
}

INLINE void set_ports(struct packet *packet, uint32_t both) { store32(&packet->tuple.source_port, both); }

// The TCP flags, 0 for others, and the class.
INLINE void set_kind(struct packet *packet, uint32_t flags, uint32_t class) {
    store16(&packet->tcp_flags, (uint16_t)(flags | class << 8));
}

// An echo's identifier stands for both ports.
INLINE void parse_echo(struct packet *packet, struct cursor *cursor) {
    uint32_t identifier = load16(cursor->transport + 4);
    set_ports(packet, identifier | identifier << 16);
    set_kind(packet, 0, PATRONUS_CLASS_ICMP);
    cursor->traits |= HAS_PORTS | IS_ECHO;
}

INLINE void parse_tcp(struct packet *packet, struct cursor *cursor) {
    void *transport = cursor->transport;
    uint32_t ports = load32(transport);
    uint32_t flags = load8(transport + 13);
    set_ports(packet, ports);
    packet->sequence = load32(transport + 4);
    packet->acknowledgment = load32(transport + 8);
    set_kind(packet, flags, PATRONUS_CLASS_TCP);
    uint32_t traits = HAS_PORTS;
    if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) traits = HAS_PORTS | IS_OPENING;
    if (ports >> 16 == WIRE16(179) || (ports & 0xFFFF) == WIRE16(179)) traits |= IS_CONTROL;
    cursor->traits |= traits;
}

// Finds ports, flags and identifiers.
INLINE int parse_transport(struct packet *packet, struct cursor *cursor) {
    void *transport = cursor->transport;
    void *end = cursor->end;
    uint32_t protocol = cursor->protocol;
    // Protocol, family, and the two bytes that are 0.
    store32(&packet->tuple.protocol, protocol | cursor->family << 8);
    packet->hop_limit = cursor->hop_limit;
    if (UNLIKELY(cursor->traits & IS_FRAGMENT)) {
        set_kind(packet, 0, PATRONUS_CLASS_OTHER);
    } else if (protocol == PROTOCOL_UDP) {
        if (transport + UDP_BYTES > end) return seldom(PATRONUS_PASS_MALFORMED);
        uint32_t ports = load32(transport);
        set_ports(packet, ports);
        set_kind(packet, 0, PATRONUS_CLASS_UDP);
        cursor->traits |= traits_of_udp(ports >> 16, cursor->hop_limit);
    } else if (protocol == PROTOCOL_TCP) {
        if (transport + TCP_BYTES > end) return seldom(PATRONUS_PASS_MALFORMED);
        parse_tcp(packet, cursor);
    } else {
        set_kind(packet, 0, PATRONUS_CLASS_OTHER);
        bool is_icmp6 = protocol == PROTOCOL_ICMP6 && cursor->family == 6;
        if (is_icmp6 || (protocol == PROTOCOL_ICMP && cursor->family == 4)) {
            if (transport + ICMP_BYTES > end) return seldom(PATRONUS_PASS_MALFORMED);
            uint8_t type = load8(transport);
            // Router and neighbour discovery and redirects (RFC 4861), and multicast listeners.
            if (is_icmp6 && type >= 130 && type <= 137) return seldom(PATRONUS_PASS_NEIGHBOUR_DISCOVERY);
            bool is_echo = is_icmp6 ? type == 128 || type == 129 : type == 8 || type == 0;
            if (is_echo) parse_echo(packet, cursor);
        }
    }
    packet->traits = cursor->traits;
    return PARSED;
}

INLINE int parse_ipv4(struct packet *packet, struct cursor *cursor) {
    void *network = cursor->network;
    if (network + IPV4_BYTES > cursor->end) return seldom(PATRONUS_PASS_MALFORMED);
    uint32_t first = load32(network);
    uint32_t second = load32(network + 4);
    uint32_t source = load32(network + 12);
    uint32_t destination = load32(network + 16);
    uint32_t total_length = swap16(first >> 16);
    packet->total_length = total_length;
    packet->traffic_class = load8(network + 1);
    packet->tuple.source[0] = source;
    packet->tuple.source[1] = 0;
    packet->tuple.destination[0] = destination;
    packet->tuple.destination[1] = 0;
    packet->header_sum = (uint64_t)first + second + load32(network + 8) + source + destination;
    cursor->hop_limit = load8(network + 8);
    cursor->protocol = load8(network + 9);
    cursor->family = 4;
    if (total_length > (uint64_t)(cursor->end - network)) return seldom(PATRONUS_PASS_MALFORMED);
    // What most packets are is known here to be 0 and 20, and costs nothing further on.
    bool is_fragment = (second & 0xFF3F0000) != 0;
    if (LIKELY((first & 0xFF) == 0x45 && !is_fragment)) {
        if (total_length < IPV4_BYTES) return seldom(PATRONUS_PASS_MALFORMED);
        // Class D and above: multicast, reserved, broadcast.
        if ((destination & 0xE0) == 0xE0) return seldom(PATRONUS_PASS_MULTICAST);
        cursor->traits = 0;
        cursor->transport = network + IPV4_BYTES;
        packet->header_length = IPV4_BYTES;
        return parse_transport(packet, cursor);
    }
    uint32_t header_length = (first & 15) * 4;
    if ((first & 0xF0) != 0x40 || header_length < IPV4_BYTES) return seldom(PATRONUS_PASS_MALFORMED);
    if (total_length < header_length) return seldom(PATRONUS_PASS_MALFORMED);
    if ((destination & 0xE0) == 0xE0) return seldom(PATRONUS_PASS_MULTICAST);
    cursor->traits = (header_length != IPV4_BYTES ? HAS_OPTIONS : 0) | (is_fragment ? IS_FRAGMENT : 0);
    cursor->transport = network + header_length;
    packet->header_length = header_length;
    return parse_transport(packet, cursor);
}

INLINE int parse_ipv6(struct packet *packet, struct cursor *cursor) {
    void *network = cursor->network;
    if (network + IPV6_BYTES > cursor->end) return seldom(PATRONUS_PASS_MALFORMED);
    uint32_t first = swap32(load32(network));
    if (first >> 28 != 6) return seldom(PATRONUS_PASS_MALFORMED);
    uint32_t total_length = IPV6_BYTES + swap16(load16(network + 4));
    uint64_t destination = load64(network + 24);
    packet->traffic_class = first >> 20;
    packet->total_length = total_length;
    packet->tuple.source[0] = load64(network + 8);
    packet->tuple.source[1] = load64(network + 16);
    packet->tuple.destination[0] = destination;
    packet->tuple.destination[1] = load64(network + 32);
    if (total_length > (uint64_t)(cursor->end - network)) return seldom(PATRONUS_PASS_MALFORMED);
    if ((destination & 0xFF) == 0xFF) return seldom(PATRONUS_PASS_MULTICAST);
    uint8_t next = load8(network + 6);
    cursor->hop_limit = load8(network + 7);
    cursor->family = 6;
    cursor->traits = 0;
    uint32_t length = IPV6_BYTES;
#pragma unroll
    for (int skipped = 0; skipped < EXTENSION_LIMIT; skipped++) {
        // Hop-by-hop, routing, fragment and destination options.
        if (next != 0 && next != 43 && next != 44 && next != 60) break;
        void *extension = network + length;
        if (extension + 8 > cursor->end) return seldom(PATRONUS_PASS_MALFORMED);
        uint32_t size = next == 44 ? 8 : (load8(extension + 1) + 1) * 8;
        if (next == 44) cursor->traits = IS_FRAGMENT;
        next = load8(extension);
        length += size;
        // The part behind a later fragment's header is no header.
        if (cursor->traits & IS_FRAGMENT) break;
    }
    packet->header_length = length;
    cursor->protocol = next;
    if (length != IPV6_BYTES) cursor->traits |= HAS_OPTIONS;
    cursor->transport = network + length;
    if (length > total_length) return seldom(PATRONUS_PASS_MALFORMED);
    return parse_transport(packet, cursor);
}

// Reads what begins at `network`, by its type: a cause to pass it to the kernel, or `PARSED`.
INLINE int parse_packet(struct packet *packet, void *network, void *end, uint32_t type) {
    struct cursor cursor = {.network = network, .end = end};
    if (type == WIRE16(ETHER_IPV4)) return parse_ipv4(packet, &cursor);
    if (type == WIRE16(ETHER_IPV6)) return parse_ipv6(packet, &cursor);
    return seldom(PATRONUS_PASS_NOT_IP);
}

// Reads the frame up to its transport header: a cause to pass it to the kernel, or `PARSED`.
INLINE int parse_frame(struct packet *packet, void *data, void *end) {
    if (data + ETHERNET_BYTES > end) return seldom(PATRONUS_PASS_MALFORMED);
    uint16_t type = load16(data + 12);
    uint32_t offset = ETHERNET_BYTES;
#pragma unroll
    for (int tag = 0; tag < 2; tag++) {
        if (LIKELY(type != WIRE16(ETHER_TAG) && type != WIRE16(ETHER_SERVICE_TAG))) break;
        if (data + offset + TAG_BYTES > end) return seldom(PATRONUS_PASS_MALFORMED);
        type = load16(data + offset + 2);
        offset += TAG_BYTES;
    }
    packet->ethernet = load64(data);
    packet->network_offset = offset;
    return parse_packet(packet, data + offset, end, type);
}

INLINE bool same_address(const uint64_t *left, const uint64_t *right) {
    return left[0] == right[0] && left[1] == right[1];
}

#endif

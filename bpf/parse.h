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

// What is known of the packet. It lies in a map, where the verifier knows nothing about its
// values: whatever way the parsing took, what follows is verified once. So it holds no
// pointers, and who uses an offset checks it.
struct packet {
    uint64_t source[2];
    uint64_t destination[2];
    uint32_t sequence;
    uint32_t acknowledgment;
    // The IP packet, and its part before the transport header.
    uint32_t total_length;
    uint32_t header_length;
    uint32_t network_offset;
    uint16_t source_port;
    uint16_t destination_port;
    uint8_t family;
    uint8_t protocol;
    uint8_t tcp_flags;
    uint8_t hop_limit;
    uint8_t traffic_class;
    // IPv4 options or IPv6 extension headers.
    uint8_t has_options;
    uint8_t is_fragment;
    // It has a five-tuple: ports, or an echo's identifier.
    uint8_t has_ports;
    // ICMP: an echo request or reply.
    uint8_t is_echo;
    // BGP, BFD or GENEVE, by which nodes and routers speak with each other.
    uint8_t is_control;
    uint8_t is_opening_segment;
    // What the flood guard takes it for, but for a SYN.
    uint8_t class;
    // Set before the packet is policed.
    uint64_t source_hash;
    uint64_t destination_hash;
};

// Where parsing is.
struct cursor {
    void *network;
    void *transport;
    void *end;
};

// Where the verifier's knowledge of the packet's fields ends.
INLINE void forget(void) { asm volatile("" ::: "memory"); }

// Finds ports, flags and identifiers.
INLINE int parse_transport(struct packet *packet, const struct cursor *cursor) {
    void *transport = cursor->transport;
    packet->has_ports = false;
    packet->is_echo = false;
    packet->is_control = false;
    packet->is_opening_segment = false;
    packet->class = PATRONUS_CLASS_OTHER;
    packet->tcp_flags = 0;
    packet->source_port = 0;
    packet->destination_port = 0;
    if (packet->is_fragment) return PARSED;
    if (packet->protocol == PROTOCOL_TCP) {
        if (transport + TCP_BYTES > cursor->end) return PATRONUS_PASS_MALFORMED;
        uint16_t source_port = load16(transport);
        uint16_t destination_port = load16(transport + 2);
        uint8_t flags = load8(transport + 13);
        packet->source_port = source_port;
        packet->destination_port = destination_port;
        packet->is_control = source_port == WIRE16(179) || destination_port == WIRE16(179);
        packet->sequence = swap32(load32(transport + 4));
        packet->acknowledgment = swap32(load32(transport + 8));
        packet->tcp_flags = flags;
        packet->is_opening_segment = (flags & (TCP_SYN | TCP_ACK)) == TCP_SYN;
        packet->class = PATRONUS_CLASS_TCP;
        packet->has_ports = true;
    } else if (packet->protocol == PROTOCOL_UDP) {
        if (transport + UDP_BYTES > cursor->end) return PATRONUS_PASS_MALFORMED;
        uint16_t port = load16(transport + 2);
        packet->source_port = load16(transport);
        packet->destination_port = port;
        packet->is_control = port == WIRE16(6081) || port == WIRE16(3784) || port == WIRE16(3785)
            || port == WIRE16(4784);
        packet->class = PATRONUS_CLASS_UDP;
        packet->has_ports = true;
    } else if (packet->protocol == PROTOCOL_ICMP && packet->family == 4) {
        if (transport + ICMP_BYTES > cursor->end) return PATRONUS_PASS_MALFORMED;
        packet->is_echo = load8(transport) == 8 || load8(transport) == 0;
    } else if (packet->protocol == PROTOCOL_ICMP6 && packet->family == 6) {
        if (transport + ICMP_BYTES > cursor->end) return PATRONUS_PASS_MALFORMED;
        uint8_t type = load8(transport);
        // Router and neighbour discovery and redirects (RFC 4861), and multicast listeners.
        if (type >= 130 && type <= 137) return PATRONUS_PASS_NEIGHBOUR_DISCOVERY;
        packet->is_echo = type == 128 || type == 129;
    }
    if (packet->is_echo) {
        packet->source_port = load16(transport + 4);
        packet->destination_port = packet->source_port;
        packet->class = PATRONUS_CLASS_ICMP;
        packet->has_ports = true;
    }
    return PARSED;
}

INLINE int parse_ipv4(struct packet *packet, struct cursor *cursor) {
    void *network = cursor->network;
    if (network + IPV4_BYTES > cursor->end) return PATRONUS_PASS_MALFORMED;
    uint8_t first = load8(network);
    uint32_t header_length = (first & 15) * 4;
    if (first >> 4 != 4 || header_length < IPV4_BYTES) return PATRONUS_PASS_MALFORMED;
    uint16_t fragment = load16(network + 6);
    packet->total_length = swap16(load16(network + 2));
    packet->header_length = header_length;
    packet->has_options = header_length != IPV4_BYTES;
    packet->traffic_class = load8(network + 1);
    packet->hop_limit = load8(network + 8);
    packet->protocol = load8(network + 9);
    packet->is_fragment = (fragment & WIRE16(0x3FFF)) != 0;
    packet->family = 4;
    packet->source[0] = load32(network + 12);
    packet->source[1] = 0;
    packet->destination[0] = load32(network + 16);
    packet->destination[1] = 0;
    cursor->transport = network + header_length;
    if (packet->total_length < header_length) return PATRONUS_PASS_MALFORMED;
    if (packet->total_length > (uint64_t)(cursor->end - network)) return PATRONUS_PASS_MALFORMED;
    // Class D and above: multicast, reserved, broadcast.
    if ((packet->destination[0] & 0xE0) == 0xE0) return PATRONUS_PASS_MULTICAST;
    return parse_transport(packet, cursor);
}

INLINE int parse_ipv6(struct packet *packet, struct cursor *cursor) {
    void *network = cursor->network;
    if (network + IPV6_BYTES > cursor->end) return PATRONUS_PASS_MALFORMED;
    uint32_t first = swap32(load32(network));
    if (first >> 28 != 6) return PATRONUS_PASS_MALFORMED;
    packet->traffic_class = first >> 20;
    packet->total_length = IPV6_BYTES + swap16(load16(network + 4));
    packet->hop_limit = load8(network + 7);
    packet->is_fragment = false;
    packet->family = 6;
    packet->source[0] = load64(network + 8);
    packet->source[1] = load64(network + 16);
    packet->destination[0] = load64(network + 24);
    packet->destination[1] = load64(network + 32);
    if (packet->total_length > (uint64_t)(cursor->end - network)) return PATRONUS_PASS_MALFORMED;
    if ((packet->destination[0] & 0xFF) == 0xFF) return PATRONUS_PASS_MULTICAST;
    uint8_t next = load8(network + 6);
    uint32_t length = IPV6_BYTES;
#pragma unroll
    for (int skipped = 0; skipped < EXTENSION_LIMIT; skipped++) {
        // Hop-by-hop, routing, fragment and destination options.
        if (next != 0 && next != 43 && next != 44 && next != 60) break;
        void *extension = network + length;
        if (extension + 8 > cursor->end) return PATRONUS_PASS_MALFORMED;
        uint32_t size = next == 44 ? 8 : (load8(extension + 1) + 1) * 8;
        if (next == 44) packet->is_fragment = true;
        next = load8(extension);
        length += size;
        // The part behind a later fragment's header is no header.
        if (packet->is_fragment) break;
    }
    packet->protocol = next;
    packet->header_length = length;
    packet->has_options = length != IPV6_BYTES;
    cursor->transport = network + length;
    if (length > packet->total_length) return PATRONUS_PASS_MALFORMED;
    return parse_transport(packet, cursor);
}

// Reads the frame up to its transport header: a cause to pass it to the kernel, or `PARSED`.
INLINE int parse_frame(struct packet *packet, void *data, void *end) {
    if (data + ETHERNET_BYTES > end) return PATRONUS_PASS_MALFORMED;
    uint16_t type = load16(data + 12);
    uint32_t offset = ETHERNET_BYTES;
#pragma unroll
    for (int tag = 0; tag < 2; tag++) {
        if (LIKELY(type != WIRE16(ETHER_TAG) && type != WIRE16(ETHER_SERVICE_TAG))) break;
        if (data + offset + TAG_BYTES > end) return PATRONUS_PASS_MALFORMED;
        type = load16(data + offset + 2);
        offset += TAG_BYTES;
    }
    struct cursor cursor = {.network = data + offset, .end = end};
    packet->network_offset = offset;
    if (type == WIRE16(ETHER_IPV4)) return parse_ipv4(packet, &cursor);
    if (type == WIRE16(ETHER_IPV6)) return parse_ipv6(packet, &cursor);
    return PATRONUS_PASS_NOT_IP;
}

INLINE bool same_address(const uint64_t *left, const uint64_t *right) {
    return left[0] == right[0] && left[1] == right[1];
}

#endif

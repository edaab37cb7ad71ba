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
    // What the flood guard takes it for, but for a SYN.
    uint8_t class;
    // One or more of `packet_traits`.
    uint16_t traits;
    // Set before the packet is policed.
    uint64_t source_hash;
    uint64_t destination_hash;
};

// Where parsing is.
struct cursor {
    void *network;
    void *transport;
    void *end;
    uint16_t traits;
    uint8_t protocol;
    uint8_t hop_limit;
};

// Where the verifier's knowledge of the packet's fields ends.
INLINE void forget(void) { asm volatile("" ::: "memory"); }

INLINE uint16_t traits_of_udp(uint16_t port, uint8_t hop_limit) {
    if (port == WIRE16(6081)) return HAS_PORTS | IS_CONTROL | IS_GENEVE;
    if (port == WIRE16(3784) || port == WIRE16(3785)) {
        return HAS_PORTS | IS_CONTROL | (hop_limit == 255 ? IS_ADJACENT_BFD : 0);
    }
    return port == WIRE16(4784) ? HAS_PORTS | IS_CONTROL : HAS_PORTS;
}

// An echo's identifier stands for both ports.
INLINE void parse_echo(struct packet *packet, struct cursor *cursor) {
    uint16_t identifier = load16(cursor->transport + 4);
    packet->source_port = identifier;
    packet->destination_port = identifier;
    packet->class = PATRONUS_CLASS_ICMP;
    cursor->traits |= HAS_PORTS | IS_ECHO;
}

// Finds ports, flags and identifiers.
INLINE int parse_transport(struct packet *packet, struct cursor *cursor) {
    void *transport = cursor->transport;
    void *end = cursor->end;
    uint8_t protocol = cursor->protocol;
    packet->protocol = protocol;
    packet->hop_limit = cursor->hop_limit;
    packet->tcp_flags = 0;
    packet->class = PATRONUS_CLASS_OTHER;
    if (cursor->traits & IS_FRAGMENT) {
        packet->traits = cursor->traits;
        return PARSED;
    }
    if (protocol == PROTOCOL_TCP) {
        if (transport + TCP_BYTES > end) return PATRONUS_PASS_MALFORMED;
        uint16_t source_port = load16(transport);
        uint16_t destination_port = load16(transport + 2);
        uint8_t flags = load8(transport + 13);
        packet->source_port = source_port;
        packet->destination_port = destination_port;
        packet->sequence = swap32(load32(transport + 4));
        packet->acknowledgment = swap32(load32(transport + 8));
        packet->tcp_flags = flags;
        packet->class = PATRONUS_CLASS_TCP;
        cursor->traits |= HAS_PORTS;
        if ((flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) cursor->traits |= IS_OPENING;
        if (source_port == WIRE16(179) || destination_port == WIRE16(179)) cursor->traits |= IS_CONTROL;
    } else if (protocol == PROTOCOL_UDP) {
        if (transport + UDP_BYTES > end) return PATRONUS_PASS_MALFORMED;
        uint16_t port = load16(transport + 2);
        packet->source_port = load16(transport);
        packet->destination_port = port;
        packet->class = PATRONUS_CLASS_UDP;
        cursor->traits |= traits_of_udp(port, cursor->hop_limit);
    } else if (protocol == PROTOCOL_ICMP && packet->family == 4) {
        if (transport + ICMP_BYTES > end) return PATRONUS_PASS_MALFORMED;
        uint8_t type = load8(transport);
        if (type == 8 || type == 0) parse_echo(packet, cursor);
    } else if (protocol == PROTOCOL_ICMP6 && packet->family == 6) {
        if (transport + ICMP_BYTES > end) return PATRONUS_PASS_MALFORMED;
        uint8_t type = load8(transport);
        // Router and neighbour discovery and redirects (RFC 4861), and multicast listeners.
        if (type >= 130 && type <= 137) return PATRONUS_PASS_NEIGHBOUR_DISCOVERY;
        if (type == 128 || type == 129) parse_echo(packet, cursor);
    }
    packet->traits = cursor->traits;
    return PARSED;
}

INLINE int parse_ipv4(struct packet *packet, struct cursor *cursor) {
    void *network = cursor->network;
    if (network + IPV4_BYTES > cursor->end) return PATRONUS_PASS_MALFORMED;
    uint8_t first = load8(network);
    uint32_t header_length = (first & 15) * 4;
    if (first >> 4 != 4 || header_length < IPV4_BYTES) return PATRONUS_PASS_MALFORMED;
    uint16_t fragment = load16(network + 6);
    uint32_t total_length = swap16(load16(network + 2));
    uint32_t destination = load32(network + 16);
    packet->total_length = total_length;
    packet->header_length = header_length;
    packet->traffic_class = load8(network + 1);
    packet->family = 4;
    packet->source[0] = load32(network + 12);
    packet->source[1] = 0;
    packet->destination[0] = destination;
    packet->destination[1] = 0;
    cursor->hop_limit = load8(network + 8);
    cursor->protocol = load8(network + 9);
    cursor->traits = 0;
    if (header_length != IPV4_BYTES) cursor->traits = HAS_OPTIONS;
    if (fragment & WIRE16(0x3FFF)) cursor->traits |= IS_FRAGMENT;
    cursor->transport = network + header_length;
    if (total_length < header_length) return PATRONUS_PASS_MALFORMED;
    if (total_length > (uint64_t)(cursor->end - network)) return PATRONUS_PASS_MALFORMED;
    // Class D and above: multicast, reserved, broadcast.
    if ((destination & 0xE0) == 0xE0) return PATRONUS_PASS_MULTICAST;
    return parse_transport(packet, cursor);
}

INLINE int parse_ipv6(struct packet *packet, struct cursor *cursor) {
    void *network = cursor->network;
    if (network + IPV6_BYTES > cursor->end) return PATRONUS_PASS_MALFORMED;
    uint32_t first = swap32(load32(network));
    if (first >> 28 != 6) return PATRONUS_PASS_MALFORMED;
    packet->traffic_class = first >> 20;
    packet->total_length = IPV6_BYTES + swap16(load16(network + 4));
    packet->family = 6;
    packet->source[0] = load64(network + 8);
    packet->source[1] = load64(network + 16);
    packet->destination[0] = load64(network + 24);
    packet->destination[1] = load64(network + 32);
    if (packet->total_length > (uint64_t)(cursor->end - network)) return PATRONUS_PASS_MALFORMED;
    if ((packet->destination[0] & 0xFF) == 0xFF) return PATRONUS_PASS_MULTICAST;
    uint8_t next = load8(network + 6);
    cursor->hop_limit = load8(network + 7);
    cursor->traits = 0;
    uint32_t length = IPV6_BYTES;
#pragma unroll
    for (int skipped = 0; skipped < EXTENSION_LIMIT; skipped++) {
        // Hop-by-hop, routing, fragment and destination options.
        if (next != 0 && next != 43 && next != 44 && next != 60) break;
        void *extension = network + length;
        if (extension + 8 > cursor->end) return PATRONUS_PASS_MALFORMED;
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

// Into a tunnel, or out of a port: everything is checked before the packet is touched, so
// that what is passed to the kernel is the packet as it came.

#ifndef PATRONUS_ENCAPSULATE_H
#define PATRONUS_ENCAPSULATE_H

#include "parse.h"
#include "tunnel.h"

enum {
    // As it lies in memory, in the second word of an IPv4 header.
    DO_NOT_FRAGMENT = 0x400000,
    DSCP_BITS = 0xFC,
    // An Ethernet header with two tags, or a tunnel's headers that are still there.
    NETWORK_OFFSET_LIMIT = 192,
    // Where a spread tunnel's source ports start (RFC 6335 §6).
    DYNAMIC_PORTS = 0xC000,
};

INLINE void write_ethernet(void *data, const struct patronus_neighbour *neighbour, uint16_t type) {
    store64(data, load64(neighbour));
    store32(data + 8, load32((const void *)neighbour + 8));
    store16(data + 12, type);
}

INLINE int send_to(uint32_t port, int cause) {
    // The port's place is empty: there is nothing left that could be passed on.
    return redirect_to(&transmit_ports, port, 0) == XDP_REDIRECT ? cause : PATRONUS_DROP_NO_PORT;
}

// Out of a port as it is, one hop further.
INLINE int deliver(
    struct xdp_md *context, const struct packet *packet, uint32_t port, const uint64_t *next_hop) {
    struct patronus_neighbour_key key;
    key.address[0] = next_hop[0];
    key.address[1] = next_hop[1];
    key.port = port;
    key.family = packet->tuple.family;
    struct patronus_neighbour *neighbour = map_lookup(&neighbours, &key);
    if (!neighbour) return seldom(PATRONUS_PASS_NO_NEIGHBOUR);
    if (packet->total_length > neighbour->mtu) return seldom(PATRONUS_PASS_TOO_LONG);
    int32_t tags = (int32_t)packet->network_offset - ETHERNET_BYTES;
    if (tags && adjust_head(context, tags)) return seldom(PATRONUS_DROP_NO_ROOM);
    void *data = frame_start(context);
    if (data + ETHERNET_BYTES + IPV4_BYTES > frame_end(context)) return seldom(PATRONUS_DROP_NO_ROOM);
    write_ethernet(data, neighbour, is_ipv4(packet) ? WIRE16(ETHER_IPV4) : WIRE16(ETHER_IPV6));
    decrement_hop_limit(data + ETHERNET_BYTES, packet->tuple.family);
    return send_to(port, packet->is_decapsulated ? PATRONUS_REDIRECT_DELIVERED : PATRONUS_REDIRECT_FORWARDED);
}

// The sum of an inner packet whose own checksums are right, without reading it: what they
// cover sums up to nothing. 0 where there is no such checksum; a sum of ours never is.
INLINE uint64_t sum_of_inner(const struct xdp_md *context, const struct packet *packet) {
    uint32_t offset = packet->network_offset;
    void *network = frame_start(context) + offset;
    if (offset > NETWORK_OFFSET_LIMIT || packet->traits & (IS_FRAGMENT | HAS_OPTIONS)) return 0;
    if (network + IPV4_BYTES + UDP_BYTES > frame_end(context)) return 0;
    uint32_t length = packet->total_length - packet->header_length;
    uint32_t addresses = swap16(fold(halves(packet->tuple.source[0]) + halves(packet->tuple.source[1])
        + halves(packet->tuple.destination[0]) + halves(packet->tuple.destination[1])));
    uint32_t pseudo = negative((uint64_t)addresses + packet->tuple.protocol + length);
    if (is_ipv4(packet)) {
        if (packet->tuple.protocol == PROTOCOL_ICMP) return 0xFFFF;
        bool has_checksum = packet->tuple.protocol == PROTOCOL_TCP
            || (packet->tuple.protocol == PROTOCOL_UDP && load16(network + IPV4_BYTES + 6) != 0);
        return has_checksum ? 0xFFFF + (uint64_t)pseudo : 0;
    }
    if (packet->tuple.protocol == PROTOCOL_UDP) {
        if (network + IPV6_BYTES + UDP_BYTES > frame_end(context)) return 0;
        if (load16(network + IPV6_BYTES + 6) == 0) return 0;
    } else if (packet->tuple.protocol != PROTOCOL_TCP && packet->tuple.protocol != PROTOCOL_ICMP6) {
        return 0;
    }
    uint64_t header = (uint64_t)swap32(load32(network)) + swap32(load32(network + 4));
    return header + addresses + pseudo;
}

INLINE uint16_t source_port_of(const struct patronus_tunnel *tunnel, const struct packet *packet) {
    if (LIKELY(!(tunnel->flags & PATRONUS_TUNNEL_SPREAD))) return tunnel->source_port;
    const struct patronus_five_tuple *tuple = &packet->tuple;
    uint64_t bits = tuple->source[0] ^ tuple->source[1] ^ tuple->protocol;
    bits ^= (tuple->destination[0] ^ tuple->destination[1]) * 3;
    if (packet->traits & HAS_PORTS) bits ^= (uint64_t)load32(&tuple->source_port) << 32;
    return swap16(DYNAMIC_PORTS | (uint16_t)(bits * 0x9E3779B97F4A7C15 >> 50));
}

// UDP and the tunnel's header, from `udp` on. `sum` is what the checksum over IPv6 still
// lacks of them: 0 where there is none.
INLINE void write_tunnel_header(
    void *udp, const struct patronus_tunnel *tunnel, const struct packet *packet, uint32_t number, uint32_t sequence,
    uint64_t now, uint64_t sum) {
    uint32_t inner_length = packet->total_length;
    uint32_t length = UDP_BYTES + TUNNEL_HEADER_BYTES + inner_length;
    uint32_t source_port = source_port_of(tunnel, packet);
    struct tunnel_header header;
    header.first = TUNNEL_FIRST | (is_ipv4(packet) ? WIRE16(ETHER_IPV4) : WIRE16(ETHER_IPV6)) << 16;
    header.number = swap32(number << 8);
    header.option = PATH_OPTION;
    header.sequence = swap32(sequence);
    header.timestamp = swap32((uint32_t)(now / 1000));
    header.flags = PATH_FLAG_FAST;
    header.flags |= (uint32_t)checksum_of(tunnel_sum(&header, inner_length)) << 16;
    uint32_t checksum = 0;
    if (sum) {
        // The tunnel's header and the inner packet's length sum up to nothing by its checksum.
        sum += (uint64_t)swap16(source_port) + TUNNEL_PORT + length + negative(inner_length);
        checksum = swap16(negative(sum));
    }
    store32(udp, source_port | (uint32_t)WIRE16(TUNNEL_PORT) << 16);
    store32(udp + 4, swap16(length) | checksum << 16);
    store32(udp + 8, header.first);
    store32(udp + 12, header.number);
    store32(udp + 16, header.option);
    store32(udp + 20, header.sequence);
    store32(udp + 24, header.timestamp);
    store32(udp + 28, header.flags);
}

INLINE int encapsulate_over_ipv4(
    struct xdp_md *context, const struct packet *packet, const struct patronus_tunnel *tunnel,
    const struct patronus_neighbour *neighbour, uint32_t number, uint32_t sequence, uint64_t now) {
    enum { HEADERS = ETHERNET_BYTES + IPV4_BYTES + UDP_BYTES + TUNNEL_HEADER_BYTES };
    if (adjust_head(context, (int32_t)packet->network_offset - HEADERS)) return seldom(PATRONUS_DROP_NO_ROOM);
    void *data = frame_start(context);
    if (data + HEADERS + IPV4_BYTES > frame_end(context)) return seldom(PATRONUS_DROP_NO_ROOM);
    write_ethernet(data, neighbour, WIRE16(ETHER_IPV4));
    void *outer = data + ETHERNET_BYTES;
    uint32_t length = HEADERS - ETHERNET_BYTES + packet->total_length;
    uint32_t first = 0x45 | (uint32_t)(packet->traffic_class & DSCP_BITS) << 8 | (uint32_t)swap16(length) << 16;
    uint32_t third = tunnel->hop_limit | PROTOCOL_UDP << 8;
    uint64_t local = tunnel->local[0];
    uint64_t remote = tunnel->remote[0];
    third |= (uint32_t)checksum_of((uint64_t)first + DO_NOT_FRAGMENT + third + local + remote) << 16;
    store32(outer, first);
    store32(outer + 4, DO_NOT_FRAGMENT);
    store32(outer + 8, third);
    store32(outer + 12, (uint32_t)local);
    store32(outer + 16, (uint32_t)remote);
    write_tunnel_header(outer + IPV4_BYTES, tunnel, packet, number, sequence, now, 0);
    decrement_hop_limit(data + HEADERS, packet->tuple.family);
    return PARSED;
}

INLINE int encapsulate_over_ipv6(
    struct xdp_md *context, const struct packet *packet, const struct patronus_tunnel *tunnel,
    const struct patronus_neighbour *neighbour, uint32_t number, uint32_t sequence, uint64_t now) {
    enum { HEADERS = ETHERNET_BYTES + IPV6_BYTES + UDP_BYTES + TUNNEL_HEADER_BYTES };
    uint32_t length = UDP_BYTES + TUNNEL_HEADER_BYTES + packet->total_length;
    uint64_t sum = 0;
    if (!(tunnel->flags & PATRONUS_TUNNEL_NO_CHECKSUM)) {
        sum = sum_of_inner(context, packet);
        if (!sum) return seldom(PATRONUS_PASS_CHECKSUM);
        // The hop limit will be one less; in IPv4 its header's checksum makes up for that.
        if (!is_ipv4(packet)) sum += negative(1);
        uint64_t addresses = halves(tunnel->local[0]) + halves(tunnel->local[1])
            + halves(tunnel->remote[0]) + halves(tunnel->remote[1]);
        sum += swap16(fold(addresses)) + PROTOCOL_UDP + length;
    }
    if (adjust_head(context, (int32_t)packet->network_offset - HEADERS)) return seldom(PATRONUS_DROP_NO_ROOM);
    void *data = frame_start(context);
    if (data + HEADERS + IPV4_BYTES > frame_end(context)) return seldom(PATRONUS_DROP_NO_ROOM);
    write_ethernet(data, neighbour, WIRE16(ETHER_IPV6));
    void *outer = data + ETHERNET_BYTES;
    store32(outer, swap32(0x60000000 | (uint32_t)(packet->traffic_class & DSCP_BITS) << 20));
    store32(outer + 4, swap32(length << 16 | PROTOCOL_UDP << 8 | tunnel->hop_limit));
    store64(outer + 8, tunnel->local[0]);
    store64(outer + 16, tunnel->local[1]);
    store64(outer + 24, tunnel->remote[0]);
    store64(outer + 32, tunnel->remote[1]);
    write_tunnel_header(outer + IPV6_BYTES, tunnel, packet, number, sequence, now, sum);
    decrement_hop_limit(data + HEADERS, packet->tuple.family);
    return PARSED;
}

INLINE int encapsulate(struct xdp_md *context, const struct packet *packet, uint32_t number) {
    uint64_t now = packet->now;
    struct patronus_tunnel *tunnel = map_lookup(&tunnels, &number);
    if (!tunnel) return seldom(PATRONUS_PASS_NO_TUNNEL);
    bool is_over_ipv4 = tunnel->next_hop.family == 4;
    uint32_t overhead = UDP_BYTES + TUNNEL_HEADER_BYTES + (is_over_ipv4 ? IPV4_BYTES : IPV6_BYTES);
    if (packet->total_length + overhead > tunnel->mtu) return seldom(PATRONUS_PASS_TOO_LONG);
    const struct patronus_neighbour *neighbour = &tunnel->neighbour;
    if (!neighbour->mtu) return seldom(PATRONUS_PASS_NO_NEIGHBOUR);
    struct patronus_transmission *transmission = map_lookup(&transmissions, &tunnel->slot);
    if (!transmission) return seldom(PATRONUS_PASS_NO_TUNNEL);
    if (!is_over_ipv4 && !(tunnel->flags & PATRONUS_TUNNEL_NO_CHECKSUM) && !sum_of_inner(context, packet)) {
        return seldom(PATRONUS_PASS_CHECKSUM);
    }
    uint32_t sequence = (uint32_t)__sync_fetch_and_add(&transmission->sequence, 1);
    transmission->bytes += packet->total_length;
    transmission->last = now;
    int outcome = is_over_ipv4
        ? encapsulate_over_ipv4(context, packet, tunnel, neighbour, number, sequence, now)
        : encapsulate_over_ipv6(context, packet, tunnel, neighbour, number, sequence, now);
    return outcome == PARSED ? send_to(tunnel->next_hop.port, PATRONUS_REDIRECT_ENCAPSULATED) : outcome;
}

#endif

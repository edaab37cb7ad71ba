// Datagrams of the fast path: known, accounted, and taken off.

#ifndef PATRONUS_DECAPSULATE_H
#define PATRONUS_DECAPSULATE_H

#include "parse.h"
#include "tunnel.h"

enum {
    // A jump of more is another row: at a million packets a second, one second of silence.
    ROW_LIMIT = 1 << 20,
    ROW_NEAR = 1024,
    WINDOW_SIZE = 64,
    // Two tags, and IPv4 options or a few extension headers.
    TUNNEL_OFFSET_LIMIT = 128,
    STATE_SYNCHRONIZED = 1,
    STATE_CANDIDATE = 2,
    // Periods of 2^30 ns.
    PERIOD_SHIFT = 30,
};

INLINE void start_row(struct patronus_reception *reception, uint32_t sequence) {
    reception->state = STATE_SYNCHRONIZED;
    reception->highest = sequence;
    reception->window = 1;
    reception->expected += 1;
}

// Notes a sequence number: a cause to drop the packet, or `PARSED`.
INLINE int note_sequence(struct patronus_reception *reception, uint32_t sequence) {
    if (UNLIKELY(!(reception->state & STATE_SYNCHRONIZED))) {
        start_row(reception, sequence);
        return PARSED;
    }
    uint32_t ahead = sequence - reception->highest;
    if (LIKELY(ahead - 1 < ROW_LIMIT)) {
        reception->window = ahead < WINDOW_SIZE ? reception->window << ahead | 1 : 1;
        reception->highest = sequence;
        reception->expected += ahead;
        return PARSED;
    }
    uint32_t behind = reception->highest - sequence;
    if (behind < WINDOW_SIZE) {
        uint64_t bit = 1ull << behind;
        if (reception->window & bit) {
            reception->duplicates += 1;
            return seldom(PATRONUS_DROP_TUNNEL_DUPLICATE);
        }
        reception->window |= bit;
        return PARSED;
    }
    if (behind < ROW_LIMIT) {
        reception->late += 1;
        return seldom(PATRONUS_DROP_TUNNEL_LATE);
    }
    // From elsewhere: believed when a second one follows it (after RFC 3550 appendix A.1).
    reception->unrelated += 1;
    bool follows = reception->state & STATE_CANDIDATE && sequence - reception->candidate - 1 < ROW_NEAR;
    reception->candidate = sequence;
    reception->state |= STATE_CANDIDATE;
    if (follows) start_row(reception, sequence);
    return PARSED;
}

// Notes how long the packet was under way, as far as two clocks can tell.
INLINE void note_transit(struct patronus_reception *reception, uint32_t timestamp, uint64_t now) {
    uint64_t microseconds = now / 1000;
    uint32_t elapsed = (uint32_t)microseconds - timestamp;
    if (reception->received == 0) {
        reception->transit_base = elapsed;
        reception->transit_minimum = INT64_MAX;
        reception->former_minimum = INT64_MAX;
    }
    int64_t transit = (int64_t)(int32_t)(elapsed - reception->transit_base) * 1000 + (int64_t)(now - microseconds * 1000);
    uint32_t period = (uint32_t)(now >> PERIOD_SHIFT);
    if (period != reception->period) {
        reception->former_minimum = period - reception->period == 1 ? reception->transit_minimum : INT64_MAX;
        reception->transit_minimum = INT64_MAX;
        reception->period = period;
    }
    if (transit < reception->transit_minimum) reception->transit_minimum = transit;
    reception->transit_sum += transit;
}

// What the fast path takes of a known tunnel: no control packet, one path option, the flag and no
// other, a checksum that is right and an inner packet that begins as one.
INLINE bool is_fast(const struct tunnel_header *header, const void *inner, uint32_t payload_length) {
    uint32_t type = header->first >> 16;
    if ((header->first & TUNNEL_FIRST_MASK) != TUNNEL_FIRST || header->option != PATH_OPTION) return false;
    uint32_t version = load8(inner) >> 4;
    if (!(version == 4 && type == WIRE16(ETHER_IPV4)) && !(version == 6 && type == WIRE16(ETHER_IPV6))) return false;
    return fold(tunnel_sum(header, payload_length)) == 0;
}

// Accounts for a datagram of the fast path and reads the packet in it, which begins at `inner`,
// `offset` bytes into the frame. `OPENED`, or the packet's cause.
INLINE int take_in(
    struct packet *packet, const struct patronus_tunnel *tunnel, const struct tunnel_header *header, void *inner,
    void *end, uint32_t offset, uint32_t payload_length) {
    struct patronus_reception *reception = map_lookup(&receptions, &tunnel->slot);
    if (!reception) return seldom(PATRONUS_PASS_SLOW_PATH);
    uint64_t now = instant();
    packet->now = now;
    int cause = note_sequence(reception, swap32(header->sequence));
    reception->last = now;
    // Where the underlay spreads flows their order means nothing, and two CPUs may be at the window.
    if (cause != PARSED && !(tunnel->flags & PATRONUS_TUNNEL_SPREAD)) return cause;
    note_transit(reception, swap32(header->timestamp), now);
    reception->received += 1;
    reception->bytes += payload_length;
    packet->is_decapsulated = 1;
    packet->inner_type = header->first & 0xFFFF0000;
    packet->network_offset = offset;
    return parse_packet(packet, inner, end, header->first >> 16) == PARSED ? OPENED : PATRONUS_PASS_DECAPSULATED;
}

// What most datagrams of tunnels are: IPv4 without options and tags, UDP to the tunnels' port.
// Nothing is known of the packet yet. `ACCEPTED`: it takes the long way.
INLINE int open_plain(const struct xdp_md *context, struct packet *packet) {
    enum { HEADERS = ETHERNET_BYTES + IPV4_BYTES + UDP_BYTES + TUNNEL_HEADER_BYTES };
    void *data = frame_start(context);
    void *end = frame_end(context);
    void *network = data + ETHERNET_BYTES;
    void *udp = network + IPV4_BYTES;
    if (data + HEADERS > end || load16(data + 12) != WIRE16(ETHER_IPV4)) return ACCEPTED;
    if (load8(network) != 0x45 || load8(network + 9) != PROTOCOL_UDP) return ACCEPTED;
    if (load16(udp + 2) != WIRE16(TUNNEL_PORT) || load16(network + 6) & WIRE16(0x3FFF)) return ACCEPTED;
    struct tunnel_header header;
    header.number = load32(udp + 12);
    uint32_t number = swap32(header.number) >> 8;
    struct patronus_tunnel *tunnel = map_lookup(&tunnels, &number);
    if (!tunnel || tunnel->next_hop.family != 4) return ACCEPTED;
    if (tunnel->remote[0] != load32(network + 12) || tunnel->local[0] != load32(network + 16)) return ACCEPTED;
    // From here on the datagram is the peer's, and what the fast path does not take is the node's: a probe at once.
    header.flags = load32(udp + 28);
    if ((header.flags & 0xFF) != PATH_FLAG_FAST) return PATRONUS_PASS_SLOW_PATH;
    uint64_t total_length = swap16(load16(network + 2));
    uint64_t length = swap16(load16(udp + 4));
    void *inner = data + HEADERS;
    if (inner + IPV4_BYTES > end || total_length > (uint64_t)(end - network) || length != total_length - IPV4_BYTES
        || length < UDP_BYTES + TUNNEL_HEADER_BYTES + IPV4_BYTES) {
        return PATRONUS_PASS_SLOW_PATH;
    }
    header.first = load32(udp + 8);
    header.option = load32(udp + 16);
    header.sequence = load32(udp + 20);
    header.timestamp = load32(udp + 24);
    uint32_t payload_length = length - UDP_BYTES - TUNNEL_HEADER_BYTES;
    if (!is_fast(&header, inner, payload_length)) return seldom(PATRONUS_PASS_SLOW_PATH);
    return take_in(packet, tunnel, &header, inner, end, HEADERS, payload_length);
}

// Any other datagram to the tunnels' port, parsed. `OPENED`: the packet is the inner one now.
// `ACCEPTED`: not of a tunnel of ours, a datagram like any other.
APART int open_any(struct xdp_md *context, struct packet *packet) {
    uint32_t offset = packet->network_offset + packet->header_length;
    void *udp = frame_start(context) + offset;
    void *end = frame_end(context);
    if (offset > TUNNEL_OFFSET_LIMIT || udp + UDP_BYTES + TUNNEL_HEADER_BYTES > end) return ACCEPTED;
    struct tunnel_header header;
    header.number = load32(udp + 12);
    uint32_t number = swap32(header.number) >> 8;
    struct patronus_tunnel *tunnel = map_lookup(&tunnels, &number);
    if (!tunnel || !same_address(tunnel->remote, packet->tuple.source)
        || !same_address(tunnel->local, packet->tuple.destination)) {
        return ACCEPTED;
    }
    uint32_t length = swap16(load16(udp + 4));
    void *inner = udp + UDP_BYTES + TUNNEL_HEADER_BYTES;
    header.flags = load32(udp + 28);
    if ((header.flags & 0xFF) != PATH_FLAG_FAST || inner + IPV4_BYTES > end
        || length != packet->total_length - packet->header_length
        || length < UDP_BYTES + TUNNEL_HEADER_BYTES + IPV4_BYTES) {
        return PATRONUS_PASS_SLOW_PATH;
    }
    header.first = load32(udp + 8);
    header.option = load32(udp + 16);
    header.sequence = load32(udp + 20);
    header.timestamp = load32(udp + 24);
    uint32_t payload_length = length - UDP_BYTES - TUNNEL_HEADER_BYTES;
    if (!is_fast(&header, inner, payload_length)) return seldom(PATRONUS_PASS_SLOW_PATH);
    offset += UDP_BYTES + TUNNEL_HEADER_BYTES;
    return take_in(packet, tunnel, &header, inner, end, offset, payload_length);
}

// Takes a tunnel's headers off, for whoever is to see the inner packet as one that came by the
// port: behind an Ethernet header from the same sender. False when there is no room.
INLINE bool strip(struct xdp_md *context, struct packet *packet) {
    uint32_t offset = packet->network_offset;
    void *data = frame_start(context);
    if (!packet->is_decapsulated || offset <= ETHERNET_BYTES || data + ETHERNET_BYTES > frame_end(context)) return true;
    uint64_t sender = load64(data + 6);
    if (adjust_head(context, (int32_t)offset - ETHERNET_BYTES)) return false;
    data = frame_start(context);
    if (data + ETHERNET_BYTES > frame_end(context)) return false;
    // The last two bytes of each word are written over by the next one.
    store64(data, load64(&packet->port));
    store32(data + 6, (uint32_t)sender);
    store32(data + 10, (uint32_t)(sender >> 32 & 0xFFFF) | packet->inner_type);
    packet->network_offset = ETHERNET_BYTES;
    return true;
}

#endif

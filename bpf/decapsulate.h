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
            return PATRONUS_DROP_TUNNEL_DUPLICATE;
        }
        reception->window |= bit;
        return PARSED;
    }
    if (behind < ROW_LIMIT) {
        reception->late += 1;
        return PATRONUS_DROP_TUNNEL_LATE;
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

// Takes a datagram to the tunnels' port. `OPENED`: the inner packet lies behind an Ethernet
// header. `ACCEPTED`: not of a tunnel of ours, a datagram like any other.
INLINE int decapsulate(
    struct xdp_md *context, const struct packet *packet, const struct patronus_port *port, uint64_t now) {
    uint32_t offset = packet->network_offset + packet->header_length;
    void *data = frame_start(context);
    void *end = frame_end(context);
    if (offset > TUNNEL_OFFSET_LIMIT || data + ETHERNET_BYTES > end) return ACCEPTED;
    void *udp = data + offset;
    void *header = udp + UDP_BYTES;
    void *inner = header + TUNNEL_HEADER_BYTES;
    if (inner + IPV4_BYTES > end) return ACCEPTED;
    uint64_t first = swap64(load64(header));
    uint32_t number = (uint32_t)(first >> 8) & 0xFFFFFF;
    struct patronus_tunnel *tunnel = map_lookup(&tunnels, &number);
    if (!tunnel || !same_address(tunnel->remote, packet->source) || !same_address(tunnel->local, packet->destination)) {
        return ACCEPTED;
    }
    // From here on the datagram is the peer's, and what the fast path does not take is the node's.
    uint64_t second = swap64(load64(header + 8));
    uint64_t third = swap64(load64(header + 16));
    uint32_t length = swap16(load16(udp + 4));
    if ((first >> 48 & ~(uint64_t)TUNNEL_RESERVED_BITS) != TUNNEL_FIRST || second >> 32 != PATH_OPTION
        || (uint8_t)(third >> 24) != PATH_FLAG_FAST || length != packet->total_length - packet->header_length
        || length < UDP_BYTES + TUNNEL_HEADER_BYTES + IPV4_BYTES) {
        return PATRONUS_PASS_SLOW_PATH;
    }
    uint32_t payload_length = length - UDP_BYTES - TUNNEL_HEADER_BYTES;
    uint16_t type = (uint16_t)(first >> 32);
    bool is_right_version = load8(inner) >> 4 == (type == ETHER_IPV6 ? 6 : 4);
    if (!is_right_version || (type != ETHER_IPV4 && type != ETHER_IPV6)
        || fold(tunnel_sum(first, second, third, payload_length)) != 0) {
        return PATRONUS_PASS_SLOW_PATH;
    }
    uint32_t slot = tunnel->slot;
    struct patronus_reception *reception = map_lookup(&receptions, &slot);
    if (!reception) return PATRONUS_PASS_SLOW_PATH;
    int cause = note_sequence(reception, (uint32_t)second);
    reception->last = now;
    // Where the underlay spreads flows their order means nothing, and two CPUs may be at the window.
    if (cause != PARSED && !(tunnel->flags & PATRONUS_TUNNEL_SPREAD)) return cause;
    note_transit(reception, (uint32_t)(third >> 32), now);
    reception->received += 1;
    reception->bytes += payload_length;

    uint64_t address = load64(port->address);
    uint64_t sender = load64(data + 6);
    uint32_t skipped = offset + UDP_BYTES + TUNNEL_HEADER_BYTES - ETHERNET_BYTES;
    if (adjust_head(context, (int32_t)skipped)) return PATRONUS_DROP_NO_ROOM;
    data = frame_start(context);
    if (data + ETHERNET_BYTES > frame_end(context)) return PATRONUS_DROP_NO_ROOM;
    store32(data, (uint32_t)address);
    store16(data + 4, (uint16_t)(address >> 32));
    store32(data + 6, (uint32_t)sender);
    store16(data + 10, (uint16_t)(sender >> 32));
    store16(data + 12, swap16(type));
    return OPENED;
}

#endif

// The flow table: one entry for both directions of a five-tuple.

#ifndef PATRONUS_FLOW_H
#define PATRONUS_FLOW_H

#include "bucket.h"
#include "maps.h"
#include "parse.h"

#define COUNT_GAP(bin) COUNT_AT(direction, __builtin_offsetof(struct patronus_direction, gaps) + 4 * (bin))
#define COUNT_SIZE(bin) COUNT_AT(direction, __builtin_offsetof(struct patronus_direction, sizes) + 4 * (bin))
#define COUNT_ONE_OF(count, limit, low, high) \
    if (LIKELY(value < (limit))) {            \
        count(low);                           \
    } else {                                  \
        count(high);                          \
    }

// Counts a gap in units of 8192 ns under the position of its highest bit.
INLINE void count_gap(struct patronus_direction *direction, uint64_t value) {
    if (value < 1 << 8) {
        if (value < 1 << 4) {
            if (value < 1 << 2) {
                COUNT_ONE_OF(COUNT_GAP, 1 << 1, 0, 1)
            } else {
                COUNT_ONE_OF(COUNT_GAP, 1 << 3, 2, 3)
            }
        } else if (value < 1 << 6) {
            COUNT_ONE_OF(COUNT_GAP, 1 << 5, 4, 5)
        } else {
            COUNT_ONE_OF(COUNT_GAP, 1 << 7, 6, 7)
        }
    } else if (value < 1 << 12) {
        if (value < 1 << 10) {
            COUNT_ONE_OF(COUNT_GAP, 1 << 9, 8, 9)
        } else {
            COUNT_ONE_OF(COUNT_GAP, 1 << 11, 10, 11)
        }
    } else if (value < 1 << 14) {
        COUNT_ONE_OF(COUNT_GAP, 1 << 13, 12, 13)
    } else {
        COUNT_ONE_OF(COUNT_GAP, 1 << 15, 14, 15)
    }
}

// Counts a length under the position of its highest bit, from 2^6 on.
INLINE void count_size(struct patronus_direction *direction, uint32_t value) {
    if (value < 1024) {
        if (value < 256) {
            COUNT_ONE_OF(COUNT_SIZE, 128, 0, 1)
        } else {
            COUNT_ONE_OF(COUNT_SIZE, 512, 2, 3)
        }
    } else if (value < 4096) {
        COUNT_ONE_OF(COUNT_SIZE, 2048, 4, 5)
    } else {
        COUNT_ONE_OF(COUNT_SIZE, 8192, 6, 7)
    }
}

// Whether the source is the higher endpoint: by address, then by port, as numbers on the wire.
INLINE bool is_from_higher(const struct patronus_five_tuple *tuple) {
    uint64_t source = tuple->source[0];
    uint64_t destination = tuple->destination[0];
    if (UNLIKELY(source == destination)) {
        source = tuple->source[1];
        destination = tuple->destination[1];
        if (source == destination) return swap16(tuple->source_port) > swap16(tuple->destination_port);
    }
    return swap64(source) > swap64(destination);
}

// The key of the packet's flow: its five-tuple, lower endpoint first.
INLINE const struct patronus_five_tuple *flow_key(struct packet *packet) {
    packet->side = 0;
    if (is_from_higher(&packet->tuple)) {
        packet->side = 1;
        packet->reverse.source[0] = packet->tuple.destination[0];
        packet->reverse.source[1] = packet->tuple.destination[1];
        packet->reverse.destination[0] = packet->tuple.source[0];
        packet->reverse.destination[1] = packet->tuple.source[1];
        uint32_t ports = load32(&packet->tuple.source_port);
        store32(&packet->reverse.source_port, ports >> 16 | ports << 16);
        store32(&packet->reverse.protocol, load32(&packet->tuple.protocol));
    }
    // The verifier is to look at what follows once, not for either end.
    forget();
    return &packet->tuple + (packet->side & 1);
}

INLINE struct patronus_direction *direction_of(struct patronus_flow *flow, const struct packet *packet) {
    return &flow->directions[packet->side & 1];
}

// Whether what was decided of the packet's direction still holds.
INLINE bool is_decided(const struct patronus_flow *flow, const struct packet *packet) {
    return flow->generations[packet->side & 1] == configuration.generation;
}

// Makes an entry, unless too many were made of late; then the packet goes on without one.
INLINE struct patronus_flow *add_flow(const struct patronus_five_tuple *key, const struct packet *packet) {
    struct patronus_guard *state = only_entry(&guard);
    void *blank = only_entry(&blank_flow);
    if (!state || !blank) return 0;
    if (!take(&state->new_flows, &configuration.new_flows, packet->now)) {
        count(PATRONUS_EVENT_FLOW_REFUSED, packet->total_length);
        return 0;
    }
    map_update(&flows, key, blank, UPDATE_ONLY_ABSENT);
    struct patronus_flow *flow = map_lookup(&flows, key);
    if (!flow) return 0;
    flow->first = packet->now;
    flow->state = packet->traits & IS_ECHO ? PATRONUS_FLOW_ECHO : 0;
    count(PATRONUS_EVENT_FLOW_ADDED, packet->total_length);
    return flow;
}

// Notes what a TCP segment says about the handshake. True when this segment completes it.
INLINE bool note_handshake(struct patronus_flow *flow, const struct packet *packet, bool trusts_sequence) {
    uint32_t state = flow->state;
    bool by_higher = (state & PATRONUS_FLOW_OPENED_BY_HIGHER) != 0;
    bool is_opener = (packet->side != 0) == by_higher;
    if (packet->traits & IS_OPENING) {
        // The port is used again, or the first SYN was not answered.
        uint32_t opening = swap32(packet->sequence);
        if (!(state & (PATRONUS_FLOW_SYN_SEEN | PATRONUS_FLOW_PROVEN)) || flow->opening != opening) {
            flow->opening = opening;
            state &= ~(PATRONUS_FLOW_SYN_ANSWERED | PATRONUS_FLOW_OPENED_BY_HIGHER);
            state |= PATRONUS_FLOW_SYN_SEEN | (packet->side ? PATRONUS_FLOW_OPENED_BY_HIGHER : 0);
            flow->state = state;
        }
        return false;
    }
    if (state & PATRONUS_FLOW_PROVEN || !(state & PATRONUS_FLOW_SYN_SEEN)) return false;
    if (!is_opener) {
        if ((packet->tcp_flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK)) return false;
        if (swap32(packet->acknowledgment) != flow->opening + 1) return false;
        flow->answer = swap32(packet->sequence);
        flow->state = state | PATRONUS_FLOW_SYN_ANSWERED;
        return false;
    }
    if (!(packet->tcp_flags & TCP_ACK) || packet->tcp_flags & (TCP_RST | TCP_SYN)) return false;
    // Whoever names the number of the answer has received it: the source is real. Where the
    // answer took a way that is not seen here, only who stands inside is believed.
    bool is_right = state & PATRONUS_FLOW_SYN_ANSWERED
        ? swap32(packet->acknowledgment) - flow->answer - 1 < 65536
        : trusts_sequence && swap32(packet->sequence) == flow->opening + 1;
    if (!is_right) return false;
    flow->state = state | PATRONUS_FLOW_PROVEN;
    return true;
}

// Notes that an end of the flow has spoken. A reset is no answer: a victim sends one for each
// segment of a flood.
INLINE void note_speaker(struct patronus_flow *flow, const struct packet *packet) {
    uint32_t state = flow->state;
    if (state & PATRONUS_FLOW_ANSWERED || packet->tcp_flags & TCP_RST) return;
    state |= packet->side ? PATRONUS_FLOW_HIGHER_SPOKE : PATRONUS_FLOW_LOWER_SPOKE;
    uint32_t both = PATRONUS_FLOW_HIGHER_SPOKE | PATRONUS_FLOW_LOWER_SPOKE;
    if ((state & both) == both) {
        state |= PATRONUS_FLOW_ANSWERED;
        // A flow that began with a SYN is proven by its handshake, an echo never, any other by an answer.
        if (!(state & (PATRONUS_FLOW_SYN_SEEN | PATRONUS_FLOW_ECHO))) state |= PATRONUS_FLOW_PROVEN;
    }
    flow->state = state;
}

// Counts a packet into its flow. Plain additions: a flow's packets meet on one CPU, and a
// count lost where they do not is worth less than a locked instruction for each packet.
INLINE void note_packet(struct patronus_direction *direction, const struct packet *packet) {
    uint64_t now = packet->now;
    uint64_t former = direction->last;
    direction->last = now;
    direction->bytes += packet->total_length;
    direction->tcp_flags |= packet->tcp_flags;
    direction->traffic_class = packet->traffic_class;
    direction->packets += 1;
    if (former && now >= former) count_gap(direction, (now - former) >> 13);
    count_size(direction, packet->total_length);
}

#endif

// The flow table: one entry for both directions of a five-tuple.

#ifndef PATRONUS_FLOW_H
#define PATRONUS_FLOW_H

#include "bucket.h"
#include "maps.h"
#include "parse.h"

// A packet's place in the flow table.
struct flow_place {
    struct patronus_flow *flow;
    // The packet's direction, within the flow.
    struct patronus_direction *direction;
    // 0 from the lower endpoint, 1 from the higher one.
    uint64_t side;
};

// The bin of a gap in units of 4096 ns: the position of its highest bit.
INLINE uint32_t gap_bin(uint64_t gap) {
    uint32_t bin = 0;
    if (gap >> PATRONUS_GAP_BINS) return PATRONUS_GAP_BINS - 1;
    if (gap >= 1 << 16) { gap >>= 16; bin += 16; }
    if (gap >= 1 << 8) { gap >>= 8; bin += 8; }
    if (gap >= 1 << 4) { gap >>= 4; bin += 4; }
    if (gap >= 1 << 2) { gap >>= 2; bin += 2; }
    return bin + (gap >= 2);
}

// The bin of a length: the position of its highest bit, from 2^6 on.
INLINE uint32_t size_bin(uint32_t length) {
    if (length < 1024) {
        if (length < 256) return length < 128 ? 0 : 1;
        return length < 512 ? 2 : 3;
    }
    if (length < 4096) return length < 2048 ? 4 : 5;
    return length < 8192 ? 6 : 7;
}

// Whether the source is the higher endpoint: by address, then by port, as numbers on the wire.
INLINE bool is_from_higher(const struct packet *packet) {
    if (packet->source[0] != packet->destination[0]) {
        return swap64(packet->source[0]) > swap64(packet->destination[0]);
    }
    if (packet->source[1] != packet->destination[1]) {
        return swap64(packet->source[1]) > swap64(packet->destination[1]);
    }
    return swap16(packet->source_port) > swap16(packet->destination_port);
}

INLINE void five_tuple(struct patronus_five_tuple *key, const struct packet *packet, bool reversed) {
    if (reversed) {
        key->source[0] = packet->destination[0];
        key->source[1] = packet->destination[1];
        key->destination[0] = packet->source[0];
        key->destination[1] = packet->source[1];
        key->source_port = packet->destination_port;
        key->destination_port = packet->source_port;
        // Else the compiler chooses field by field.
        forget();
    } else {
        key->source[0] = packet->source[0];
        key->source[1] = packet->source[1];
        key->destination[0] = packet->destination[0];
        key->destination[1] = packet->destination[1];
        key->source_port = packet->source_port;
        key->destination_port = packet->destination_port;
        forget();
    }
    key->protocol = packet->protocol;
    key->family = packet->family;
    key->reserved = 0;
}

INLINE void set_place(struct flow_place *place, struct patronus_flow *flow) {
    place->flow = flow;
    if (flow) place->direction = &flow->directions[place->side & 1];
}

// Makes an entry, unless too many were made of late; then the packet goes on without one.
INLINE struct patronus_flow *add_flow(
    const struct patronus_five_tuple *key, const struct packet *packet,
    const struct patronus_configuration *configuration, uint64_t now) {
    struct patronus_guard *state = only_entry(&guard);
    void *blank = only_entry(&blank_flow);
    if (!state || !blank) return 0;
    if (!take(&state->new_flows, &configuration->new_flows, now)) {
        count(PATRONUS_EVENT_FLOW_REFUSED, packet->total_length);
        return 0;
    }
    map_update(&flows, key, blank, UPDATE_ONLY_ABSENT);
    struct patronus_flow *flow = map_lookup(&flows, key);
    if (!flow) return 0;
    flow->first = now;
    flow->state = packet->traits & IS_ECHO ? PATRONUS_FLOW_ECHO : 0;
    count(PATRONUS_EVENT_FLOW_ADDED, packet->total_length);
    return flow;
}

// Notes what a TCP segment says about the handshake. True when this segment completes it.
INLINE bool note_handshake(
    const struct flow_place *place, const struct packet *packet, bool trusts_sequence) {
    struct patronus_flow *flow = place->flow;
    uint32_t state = flow->state;
    bool by_higher = (state & PATRONUS_FLOW_OPENED_BY_HIGHER) != 0;
    bool is_opener = (place->side != 0) == by_higher;
    if (packet->traits & IS_OPENING) {
        // The port is used again, or the first SYN was not answered.
        if (!(state & (PATRONUS_FLOW_SYN_SEEN | PATRONUS_FLOW_PROVEN)) || flow->opening != packet->sequence) {
            flow->opening = packet->sequence;
            state &= ~(PATRONUS_FLOW_SYN_ANSWERED | PATRONUS_FLOW_OPENED_BY_HIGHER);
            state |= PATRONUS_FLOW_SYN_SEEN | (place->side ? PATRONUS_FLOW_OPENED_BY_HIGHER : 0);
            flow->state = state;
        }
        return false;
    }
    if (state & PATRONUS_FLOW_PROVEN || !(state & PATRONUS_FLOW_SYN_SEEN)) return false;
    if (!is_opener) {
        if ((packet->tcp_flags & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK)) return false;
        if (packet->acknowledgment != flow->opening + 1) return false;
        flow->answer = packet->sequence;
        flow->state = state | PATRONUS_FLOW_SYN_ANSWERED;
        return false;
    }
    if (!(packet->tcp_flags & TCP_ACK) || packet->tcp_flags & (TCP_RST | TCP_SYN)) return false;
    // Whoever names the number of the answer has received it: the source is real. Where the
    // answer took a way that is not seen here, only who stands inside is believed.
    bool is_right = state & PATRONUS_FLOW_SYN_ANSWERED
        ? packet->acknowledgment - flow->answer - 1 < 65536
        : trusts_sequence && packet->sequence == flow->opening + 1;
    if (!is_right) return false;
    flow->state = state | PATRONUS_FLOW_PROVEN;
    return true;
}

// Notes that an end of the flow has spoken. A reset is no answer: a victim sends one for each
// segment of a flood.
INLINE void note_speaker(const struct flow_place *place, const struct packet *packet) {
    struct patronus_flow *flow = place->flow;
    uint32_t state = flow->state;
    if (state & PATRONUS_FLOW_ANSWERED || packet->tcp_flags & TCP_RST) return;
    state |= place->side ? PATRONUS_FLOW_HIGHER_SPOKE : PATRONUS_FLOW_LOWER_SPOKE;
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
INLINE void note_packet(const struct flow_place *place, const struct packet *packet, uint64_t now) {
    struct patronus_direction *direction = place->direction;
    uint64_t former = direction->last;
    direction->last = now;
    direction->bytes += packet->total_length;
    direction->tcp_flags |= packet->tcp_flags;
    direction->traffic_class = packet->traffic_class;
    if (direction->packets++ > 0 && now >= former) {
        uint64_t gap = (now - former) >> 12;
        uint32_t bin = gap_bin(gap);
        check_again(bin);
        if (bin < PATRONUS_GAP_BINS) direction->gaps[bin] += 1;
    }
    uint32_t bin = size_bin(packet->total_length);
    check_again(bin);
    if (bin >= PATRONUS_SIZE_BINS) return;
    direction->sizes[bin] += 1;
}

#endif

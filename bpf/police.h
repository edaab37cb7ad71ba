// Firewall and flood guard: what may come in. docs/dataplane.md says why it is so.

#ifndef PATRONUS_POLICE_H
#define PATRONUS_POLICE_H

#include "flow.h"
#include "bucket.h"
#include "maps.h"
#include "parse.h"

// Every bit of the result depends on every bit of what goes in.
INLINE uint64_t mix(uint64_t value) {
    value *= 0x9E3779B97F4A7C15;
    value ^= value >> 32;
    value *= 0xD6E8FEB86659FD93;
    return value ^ value >> 32;
}

// An owner of IPv6 addresses has at least 64 bits of them: all count as one source.
INLINE uint64_t hash_source(struct packet *packet) {
    uint64_t hash = mix(packet->tuple.source[0] ^ configuration.hash_seed);
    packet->source_hash = hash;
    return hash;
}

// Control traffic has buckets of its own: a flood at a node's other ports does not cut its sessions.
INLINE void hash_destination(struct packet *packet) {
    uint64_t bits = packet->tuple.destination[0] ^ configuration.hash_seed;
    if (!is_ipv4(packet)) bits ^= mix(packet->tuple.destination[1]);
    packet->destination_hash = mix(bits + (packet->traits & IS_CONTROL));
}

INLINE struct patronus_source_buckets *source_buckets(const struct packet *packet, uint32_t class) {
    uint32_t index = ((uint32_t)packet->source_hash + class * 0x9E3779B1) & (PATRONUS_SOURCE_BUCKET_COUNT - 1);
    return map_lookup(&sources, &index);
}

INLINE struct patronus_destination_buckets *destination_buckets(const struct packet *packet, uint32_t class) {
    uint32_t hash = (uint32_t)packet->destination_hash + class * 0x9E3779B1;
    uint32_t index = hash & (PATRONUS_DESTINATION_BUCKET_COUNT - 1);
    return map_lookup(&destinations, &index);
}

// Longest prefix first: which lists the source is on.
INLINE uint32_t lists_of_source(const struct packet *packet) {
    struct patronus_rule *rule;
    if (!configuration.rule_count) return 0;
    if (is_ipv4(packet)) {
        struct patronus_prefix4 key;
        key.length = 32;
        store32(key.address, (uint32_t)packet->tuple.source[0]);
        rule = map_lookup(&rules4, &key);
    } else {
        struct { uint32_t length, address[4]; } key;
        key.length = 128;
        key.address[0] = (uint32_t)packet->tuple.source[0];
        key.address[1] = (uint32_t)(packet->tuple.source[0] >> 32);
        key.address[2] = (uint32_t)packet->tuple.source[1];
        key.address[3] = (uint32_t)(packet->tuple.source[1] >> 32);
        rule = map_lookup(&rules6, &key);
    }
    return rule ? rule->lists : 0;
}

INLINE uint32_t milliseconds(uint64_t time) {
    uint32_t value = (uint32_t)(time >> 20);
    return value ? value : 1;
}

INLINE struct patronus_note *verified_note(uint64_t source) {
    uint32_t index = (uint32_t)source & (PATRONUS_VERIFIED_COUNT - 1);
    return map_lookup(&verified, &index);
}

// Whether the source completed a handshake of late.
INLINE bool is_verified(uint64_t source, uint64_t now) {
    struct patronus_note *note = verified_note(source);
    if (!note || note->time == 0 || note->tag != (uint32_t)(source >> 32)) return false;
    return milliseconds(now) - note->time <= (uint32_t)(configuration.verified_lifetime >> 20);
}

// A handshake is complete: its source is real, and the SYN's tokens come back, so that
// a crowd of real clients never uses a bucket up.
INLINE void reward_handshake(struct packet *packet) {
    uint64_t source = hash_source(packet);
    hash_destination(packet);
    struct patronus_note *note = verified_note(source);
    if (note) {
        note->tag = (uint32_t)(source >> 32);
        note->time = milliseconds(packet->now);
    }
    const struct patronus_class_limits *limits = &configuration.classes[PATRONUS_CLASS_SYN];
    struct patronus_source_buckets *by_source = source_buckets(packet, PATRONUS_CLASS_SYN);
    if (by_source) give_back(&by_source->opening, &limits->source);
    struct patronus_destination_buckets *by_destination = destination_buckets(packet, PATRONUS_CLASS_SYN);
    if (by_destination) give_back(&by_destination->opening, &limits->destination);
    count(PATRONUS_EVENT_HANDSHAKE, packet->total_length);
}

// A SYN for which there was no token passes when it comes again as a real client's would.
INLINE bool is_awaited(const struct packet *packet, uint64_t source, uint64_t now) {
    uint64_t ports = load32(&packet->tuple.source_port);
    uint64_t hash = mix(source ^ (ports << 32 | packet->sequence)) ^ packet->destination_hash;
    uint32_t index = (uint32_t)hash & (PATRONUS_KNOCK_COUNT - 1);
    struct patronus_note *note = map_lookup(&knocks, &index);
    if (!note) return false;
    uint32_t tag = (uint32_t)(hash >> 32);
    uint32_t passed = milliseconds(now) - note->time;
    bool is_same = note->time != 0 && note->tag == tag;
    if (is_same && passed >= (uint32_t)(configuration.knock_earliest >> 20)
        && passed <= (uint32_t)(configuration.knock_latest >> 20)) {
        note->time = 0;
        return true;
    }
    // A copy that comes too early does not put its time off.
    if (is_same && passed < (uint32_t)(configuration.knock_earliest >> 20)) return false;
    note->tag = tag;
    note->time = milliseconds(now);
    return false;
}

INLINE int police_opening_segment(struct packet *packet, uint64_t now) {
    const struct patronus_class_limits *limits = &configuration.classes[PATRONUS_CLASS_SYN];
    uint64_t source = hash_source(packet);
    struct patronus_source_buckets *by_source = source_buckets(packet, PATRONUS_CLASS_SYN);
    if (by_source && !take(&by_source->opening, &limits->source, now)) return PATRONUS_DROP_SYN_SOURCE;
    if (is_verified(source, now)) return ACCEPTED;
    hash_destination(packet);
    struct patronus_destination_buckets *by_destination = destination_buckets(packet, PATRONUS_CLASS_SYN);
    if (!by_destination || take(&by_destination->opening, &limits->destination, now)) return ACCEPTED;
    if (is_awaited(packet, source, now) && take(&by_destination->knock, &configuration.knock, now)) {
        count(PATRONUS_EVENT_KNOCK, packet->total_length);
        return ACCEPTED;
    }
    return PATRONUS_DROP_SYN_DESTINATION;
}

// Drops of a class: first the one for its source, then the one for its destination.
INLINE int drop_of(uint32_t class) { return PATRONUS_DROP_SYN_SOURCE + (int)class * 2; }

// A packet that would open a flow. What is refused weighs on its source: whoever floods with
// new flows may no longer send much in those that got in.
INLINE int police_opening(struct packet *packet, uint32_t class, uint64_t now) {
    const struct patronus_class_limits *limits = &configuration.classes[class];
    uint64_t source = packet->source_hash;
    struct patronus_source_buckets *by_source = source_buckets(packet, class);
    if (!by_source) return ACCEPTED;
    if (class != PATRONUS_CLASS_ICMP) {
        if (!take(&by_source->opening, &limits->source, now)) {
            is_above(&by_source->pressed, &limits->pressed_source, now);
            return drop_of(class);
        }
        if (is_verified(source, now)) return ACCEPTED;
    }
    struct patronus_destination_buckets *by_destination = destination_buckets(packet, class);
    if (by_destination && !take(&by_destination->opening, &limits->destination, now)) {
        is_above(&by_source->pressed, &limits->pressed_source, now);
        return drop_of(class) + 1;
    }
    return ACCEPTED;
}

// A packet of a flow that nobody has answered, or of no flow at all. While there are not too
// many for one destination they pass. When there are, the destination is under pressure, and
// each source may send only so much: that stops the few who send most and spares the others.
INLINE int police_unanswered(struct packet *packet, uint32_t class, uint64_t now) {
    const struct patronus_class_limits *limits = &configuration.classes[class];
    struct patronus_destination_buckets *by_destination = destination_buckets(packet, class);
    struct patronus_source_buckets *by_source = source_buckets(packet, class);
    if (!by_destination || !by_source) return ACCEPTED;
    if (!is_above(&by_destination->unanswered, &limits->unanswered, now)) {
        return is_empty(&by_source->pressed, &limits->pressed_source, now) ? drop_of(class) : ACCEPTED;
    }
    count(PATRONUS_EVENT_PRESSURE, packet->total_length);
    if (!take(&by_source->pressed, &limits->pressed_source, now)) return drop_of(class);
    if (!take(&by_destination->pressed, &limits->pressed_destination, now)) return drop_of(class) + 1;
    return ACCEPTED;
}

// Whether a packet that is not of a proven or steered flow may go on.
INLINE int police(struct packet *packet, const struct patronus_flow *flow, uint64_t now) {
    if (packet->traits & IS_OPENING) return police_opening_segment(packet, now);
    hash_source(packet);
    hash_destination(packet);
    uint32_t class = packet->class & (PATRONUS_CLASS_COUNT - 1);
    if (class == PATRONUS_CLASS_ICMP) {
        struct patronus_source_buckets *by_source = source_buckets(packet, class);
        const struct patronus_limit *limit = &configuration.classes[PATRONUS_CLASS_ICMP].source;
        if (by_source && !take(&by_source->opening, limit, now)) return PATRONUS_DROP_ICMP_SOURCE;
        if (flow && flow->state & PATRONUS_FLOW_ANSWERED) return ACCEPTED;
    }
    if (flow || !(packet->traits & HAS_PORTS)) return police_unanswered(packet, class, now);
    return police_opening(packet, class, now);
}

#endif

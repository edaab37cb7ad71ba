// The maps as a loader reads them; patronus_maps.h says what is in them.

#ifndef PATRONUS_MAP_DECLARATIONS_H
#define PATRONUS_MAP_DECLARATIONS_H

#include "kernel.h"
#include "parse.h"
#include "patronus_maps.h"

#define MAP(name, kind, entries, key_type, value_type) \
    struct {                                           \
        MAP_NUMBER(type, kind);                        \
        MAP_NUMBER(max_entries, entries);              \
        MAP_TYPE(key, key_type);                       \
        MAP_TYPE(value, value_type);                   \
    } name SECTION(".maps")

#define PREFIX_MAP(name, entries, key_type, value_type) \
    struct {                                            \
        MAP_NUMBER(type, MAP_LONGEST_PREFIX);           \
        MAP_NUMBER(max_entries, entries);               \
        MAP_NUMBER(map_flags, MAP_IS_NOT_PREALLOCATED); \
        MAP_TYPE(key, key_type);                        \
        MAP_TYPE(value, value_type);                    \
    } name SECTION(".maps")

MAP(ports, MAP_ARRAY, PATRONUS_PORT_COUNT, uint32_t, struct patronus_port);
MAP(transmit_ports, MAP_DEVICES, PATRONUS_PORT_COUNT, uint32_t, uint32_t);
MAP(counters, MAP_PER_CPU_ARRAY, PATRONUS_CAUSE_COUNT, uint32_t, struct patronus_counter);
PREFIX_MAP(rules4, PATRONUS_RULE_COUNT, struct patronus_prefix4, struct patronus_rule);
PREFIX_MAP(rules6, PATRONUS_RULE_COUNT, struct patronus_prefix6, struct patronus_rule);
PREFIX_MAP(routes4, PATRONUS_ROUTE_COUNT, struct patronus_prefix4, struct patronus_route);
PREFIX_MAP(routes6, PATRONUS_ROUTE_COUNT, struct patronus_prefix6, struct patronus_route);
MAP(neighbours, MAP_HASH, PATRONUS_NEIGHBOUR_COUNT, struct patronus_neighbour_key, struct patronus_neighbour);
MAP(steering, MAP_HASH, PATRONUS_STEERING_COUNT, struct patronus_five_tuple, struct patronus_steering);
MAP(flows, MAP_LRU_HASH, PATRONUS_FLOW_COUNT, struct patronus_five_tuple, struct patronus_flow);
MAP(blank_flow, MAP_ARRAY, 1, uint32_t, struct patronus_flow);
MAP(sources, MAP_ARRAY, PATRONUS_SOURCE_BUCKET_COUNT, uint32_t, struct patronus_source_buckets);
MAP(destinations, MAP_ARRAY, PATRONUS_DESTINATION_BUCKET_COUNT, uint32_t, struct patronus_destination_buckets);
MAP(verified, MAP_ARRAY, PATRONUS_VERIFIED_COUNT, uint32_t, struct patronus_note);
MAP(knocks, MAP_ARRAY, PATRONUS_KNOCK_COUNT, uint32_t, struct patronus_note);
MAP(guard, MAP_ARRAY, 1, uint32_t, struct patronus_guard);
MAP(tunnels, MAP_HASH, PATRONUS_TUNNEL_COUNT, uint32_t, struct patronus_tunnel);
MAP(transmissions, MAP_ARRAY, PATRONUS_TUNNEL_COUNT, uint32_t, struct patronus_transmission);
MAP(receptions, MAP_ARRAY, PATRONUS_TUNNEL_COUNT, uint32_t, struct patronus_reception);
MAP(sampler, MAP_PER_CPU_ARRAY, 1, uint32_t, struct patronus_sampler);
// What is known of the packet at hand.
MAP(scratch, MAP_PER_CPU_ARRAY, 1, uint32_t, struct packet);

struct {
    MAP_NUMBER(type, MAP_RING_BUFFER);
    MAP_NUMBER(max_entries, PATRONUS_SAMPLE_BYTES);
} samples SECTION(".maps");

const volatile struct patronus_constants constants SECTION(".rodata") = {
    .firewall = 1,
    .flood_guard = 1,
    .flow_table = 1,
    .forwarding = 1,
    .sampling = 1,
    .virtual_clock = 0,
};

struct patronus_configuration configuration SECTION(".data.configuration");

// The only entry of an array that has one.
INLINE void *only_entry(void *map) {
    uint32_t zero = 0;
    return map_lookup(map, &zero);
}

// The packet's instant: read once for each packet.
INLINE uint64_t instant(void) { return constants.virtual_clock ? configuration.time : monotonic_nanoseconds(); }

INLINE void count(uint32_t cause, uint64_t bytes) {
    struct patronus_counter *counter = map_lookup(&counters, &cause);
    if (!counter) return;
    counter->packets += 1;
    counter->bytes += bytes;
}

#endif

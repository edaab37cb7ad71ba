// The node's data plane, for each port the same: an XDP program that polices what comes in,
// keeps statistics of flows, and carries the packets of steered flows into tunnels and out
// of them. Whatever it cannot do, or need not, goes to the kernel and so to the node.
//
//   frame -> parse -> out of its tunnel? -> firewall, flood guard -> flow -> tunnel or port
//
// docs/dataplane.md describes what it does and why. Each packet ends with exactly one cause,
// under which it is counted.

#include "bucket.h"
#include "decapsulate.h"
#include "encapsulate.h"
#include "flow.h"
#include "kernel.h"
#include "maps.h"
#include "parse.h"
#include "police.h"
#include "sample.h"

// Everything about one packet that the steps hand on.
struct passage {
    struct packet *packet;
    struct flow_place place;
    const struct patronus_configuration *configuration;
    uint64_t now;
    uint8_t port_flags;
    bool is_decapsulated;
};

INLINE uint32_t *sampling_counter(bool is_drop) {
    struct patronus_sampler *state = only_entry(&sampler);
    if (!state) return 0;
    return is_drop ? &state->drops : &state->flows;
}

// Firewall, then flood guard: `ACCEPTED` or a cause to drop the packet. `marks` holds what is
// remembered of the flow's direction, if it still holds, and takes what may be remembered.
INLINE int admit(const struct passage *passage, bool is_current, bool is_good, uint8_t *marks) {
    if (!is_current) {
        uint32_t lists = constants.firewall ? lists_of_source(passage->packet) : 0;
        if ((lists & (PATRONUS_RULE_DENY | PATRONUS_RULE_ALLOW)) == PATRONUS_RULE_DENY) return PATRONUS_DROP_DENIED;
        *marks = lists & PATRONUS_RULE_ALLOW ? PATRONUS_MARK_ALLOWED : 0;
    }
    if (is_good || *marks & PATRONUS_MARK_ALLOWED || !constants.flood_guard) return ACCEPTED;
    if (passage->is_decapsulated || passage->port_flags & PATRONUS_PORT_TRUSTED) return ACCEPTED;
    return police(passage->packet, &passage->place, passage->configuration, passage->now);
}

// Looks the flow up; a SYN is policed without it.
INLINE void find_flow(struct passage *passage, struct patronus_five_tuple *key) {
    bool reversed = is_from_higher(passage->packet);
    five_tuple(key, passage->packet, reversed);
    passage->place.side = reversed;
    set_place(&passage->place, map_lookup(&flows, key));
}

INLINE void note_flow(struct passage *passage, const struct patronus_five_tuple *key, struct xdp_md *context) {
    struct flow_place *place = &passage->place;
    struct packet *packet = passage->packet;
    if (!place->flow) {
        if (packet->tcp_flags & TCP_RST) return;
        set_place(place, add_flow(key, packet, passage->configuration, passage->now));
        if (!place->flow) return;
        if (constants.sampling && passage->configuration->sample_flows) {
            uint32_t *counter = sampling_counter(false);
            uint32_t one_in = passage->configuration->sample_flows;
            if (counter) sample_packet(context, counter, one_in, PATRONUS_EVENT_FLOW_ADDED, passage->now);
        }
    }
    if (packet->protocol == PROTOCOL_TCP && !(place->flow->state & PATRONUS_FLOW_PROVEN)) {
        bool trusts_sequence = passage->port_flags & PATRONUS_PORT_LAN || passage->is_decapsulated;
        if (note_handshake(place, packet, trusts_sequence) && constants.flood_guard) {
            reward_handshake(packet, passage->configuration, passage->now);
        }
    }
    note_speaker(place, packet);
    note_packet(place, packet, passage->now);
}

// What was found out holds until the configuration's next generation.
INLINE void remember(const struct passage *passage, uint8_t marks) {
    struct patronus_direction *direction = passage->place.direction;
    direction->marks = marks | (passage->is_decapsulated ? PATRONUS_MARK_TUNNELLED : 0);
    direction->generation = passage->configuration->generation;
    direction->kind = 0;
}

// Admits a packet with a five-tuple and counts it into its flow: `ACCEPTED`, or a cause to drop it.
INLINE int track(struct passage *passage, struct xdp_md *context) {
    struct patronus_five_tuple key;
    uint8_t marks = 0;
    bool is_current = false;
    bool is_good = false;
    // A SYN is policed before anything is looked up: a flood's packets should cost little.
    bool is_opening = passage->packet->traits & IS_OPENING;
    passage->place.flow = 0;
    if (!is_opening) find_flow(passage, &key);
    if (passage->place.flow) {
        const struct patronus_direction *direction = passage->place.direction;
        uint32_t state = passage->place.flow->state;
        marks = direction->marks;
        is_current = direction->packets && direction->generation == passage->configuration->generation;
        if (is_current && (state & (PATRONUS_FLOW_PROVEN | PATRONUS_FLOW_ECHO)) == PATRONUS_FLOW_PROVEN) {
            note_packet(&passage->place, passage->packet, passage->now);
            return ACCEPTED;
        }
        is_good = (state & PATRONUS_FLOW_PROVEN || marks & PATRONUS_MARK_STEERED) && !(state & PATRONUS_FLOW_ECHO);
    }
    int cause = admit(passage, is_current, is_good, &marks);
    if (cause != ACCEPTED) return cause;
    if (is_opening) find_flow(passage, &key);
    note_flow(passage, &key, context);
    if (passage->place.flow && !is_current) remember(passage, marks);
    return ACCEPTED;
}

INLINE struct patronus_route *route_of(const struct packet *packet) {
    if (packet->family == 4) {
        struct patronus_prefix4 key;
        key.length = 32;
        store32(key.address, (uint32_t)packet->destination[0]);
        return map_lookup(&routes4, &key);
    }
    struct { uint32_t length, address[4]; } key;
    key.length = 128;
    key.address[0] = (uint32_t)packet->destination[0];
    key.address[1] = (uint32_t)(packet->destination[0] >> 32);
    key.address[2] = (uint32_t)packet->destination[1];
    key.address[3] = (uint32_t)(packet->destination[1] >> 32);
    return map_lookup(&routes6, &key);
}

struct decision {
    uint32_t kind;
    uint32_t target;
    struct patronus_route *route;
};

// Steering entry, else the longest prefix; remembered in the flow until anything changes.
INLINE void decide(const struct passage *passage, struct decision *decision) {
    struct patronus_direction *direction = passage->place.flow ? passage->place.direction : 0;
    uint32_t generation = passage->configuration->generation;
    bool is_known = direction && direction->kind && direction->generation == generation;
    decision->route = 0;
    if (is_known && (direction->marks & PATRONUS_MARK_STEERED || passage->is_decapsulated)) {
        decision->kind = direction->kind;
        decision->target = direction->target;
        return;
    }
    // A steering entry may be made at any time, without a new generation.
    if (passage->packet->traits & HAS_PORTS) {
        struct patronus_five_tuple key;
        five_tuple(&key, passage->packet, false);
        struct patronus_steering *entry = map_lookup(&steering, &key);
        if (entry) {
            decision->kind = entry->kind;
            decision->target = entry->target;
            if (direction) direction->marks |= PATRONUS_MARK_STEERED;
        } else if (is_known) {
            decision->kind = direction->kind;
            decision->target = direction->target;
            return;
        } else if (direction) {
            direction->marks &= ~PATRONUS_MARK_STEERED;
        }
        if (entry) goto decided;
    }
    decision->route = route_of(passage->packet);
    decision->kind = decision->route ? decision->route->kind : PATRONUS_ROUTE_PASS;
    decision->target = decision->route ? decision->route->target : 0;
decided:
    if (!direction) return;
    direction->kind = (uint8_t)decision->kind;
    direction->target = decision->target;
    direction->generation = generation;
}

// The Ethernet destination is this port's own address.
INLINE bool is_addressed(const struct xdp_md *context, const struct patronus_port *port) {
    void *data = frame_start(context);
    if (data + ETHERNET_BYTES > frame_end(context)) return false;
    return (load64(data) ^ load64(port->address)) << 16 == 0;
}

INLINE bool is_header_right(const struct xdp_md *context, const struct packet *packet) {
    uint32_t offset = packet->network_offset;
    void *network = frame_start(context) + offset;
    if (offset > NETWORK_OFFSET_LIMIT || network + IPV4_BYTES > frame_end(context)) return false;
    return is_ipv4_right(network);
}

INLINE int forward(struct xdp_md *context, const struct passage *passage, const struct patronus_port *port) {
    const struct packet *packet = passage->packet;
    bool is_decapsulated = passage->is_decapsulated;
    int plain = is_decapsulated ? PATRONUS_PASS_DECAPSULATED : PATRONUS_PASS_NOT_FORWARDED;
    if (!constants.forwarding || !port) return plain;
    if (!is_decapsulated) {
        if (!(port->flags & PATRONUS_PORT_LAN)) return plain;
        if (!is_addressed(context, port)) return PATRONUS_PASS_NOT_ADDRESSED;
    }
    uint32_t traits = packet->traits;
    if (traits & (IS_CONTROL | IS_FRAGMENT | HAS_OPTIONS)) {
        if (traits & IS_CONTROL) return is_decapsulated ? plain : PATRONUS_PASS_CONTROL;
        return traits & IS_FRAGMENT ? PATRONUS_PASS_FRAGMENT : PATRONUS_PASS_OPTIONS;
    }
    struct decision decision;
    decide(passage, &decision);
    if (decision.kind == PATRONUS_ROUTE_PASS) {
        bool is_steered = passage->place.flow && passage->place.direction->marks & PATRONUS_MARK_STEERED;
        return is_decapsulated ? plain : is_steered ? PATRONUS_PASS_STEERED : PATRONUS_PASS_NO_ROUTE;
    }
    if (packet->hop_limit <= 1) return PATRONUS_PASS_EXPIRED;
    if (packet->family == 4 && !is_header_right(context, packet)) return PATRONUS_PASS_CHECKSUM;
    if (decision.kind == PATRONUS_ROUTE_TUNNEL) return encapsulate(context, packet, decision.target, passage->now);
    int cause = is_decapsulated ? PATRONUS_REDIRECT_DELIVERED : PATRONUS_REDIRECT_FORWARDED;
    uint64_t next_hop[2] = {packet->destination[0], packet->destination[1]};
    if (decision.kind == PATRONUS_ROUTE_GATEWAY) {
        struct patronus_route *route = decision.route ? decision.route : route_of(packet);
        if (!route) return PATRONUS_PASS_NO_ROUTE;
        next_hop[0] = route->gateway[0];
        next_hop[1] = route->gateway[1];
    }
    return deliver(context, packet, decision.target, next_hop, cause);
}

// The packet's cause.
INLINE int handle(struct xdp_md *context, struct passage *passage) {
    struct packet *packet = passage->packet;
    int cause = parse_frame(packet, frame_start(context), frame_end(context));
    forget();
    if (cause != PARSED) return cause;
    passage->now = instant(passage->configuration);
    passage->is_decapsulated = false;
    uint32_t interface = context->ingress_ifindex;
    struct patronus_port *port = map_lookup(&ports, &interface);
    passage->port_flags = port ? port->flags : 0;
    if (packet->traits & IS_ADJACENT_BFD) return PATRONUS_PASS_CONTROL;
    if (constants.forwarding && packet->traits & IS_GENEVE && passage->port_flags & PATRONUS_PORT_WAN && port) {
        cause = decapsulate(context, packet, port, passage->now);
        if (cause == OPENED) {
            passage->is_decapsulated = true;
            cause = parse_frame(packet, frame_start(context), frame_end(context));
            forget();
            if (cause != PARSED) return PATRONUS_PASS_DECAPSULATED;
        } else if (cause != ACCEPTED) {
            return cause;
        }
    }
    if (constants.flow_table && packet->traits & HAS_PORTS) {
        cause = track(passage, context);
    } else {
        uint8_t marks = 0;
        passage->place.flow = 0;
        cause = admit(passage, false, false, &marks);
    }
    return cause == ACCEPTED ? forward(context, passage, port) : cause;
}

SECTION("xdp") int patronus(struct xdp_md *context) {
    struct passage passage;
    uint32_t length = (uint32_t)(frame_end(context) - frame_start(context));
    passage.configuration = only_entry(&configuration);
    passage.packet = only_entry(&scratch);
    if (!passage.configuration || !passage.packet) return XDP_PASS;
    passage.now = 0;
    uint32_t cause = (uint32_t)handle(context, &passage);
    count(cause, length);
    if (cause < PATRONUS_DROP_FIRST) return XDP_PASS;
    if (cause >= PATRONUS_REDIRECT_FIRST) return XDP_REDIRECT;
    if (constants.sampling && passage.configuration->sample_drops) {
        uint32_t *counter = sampling_counter(true);
        if (counter) sample_packet(context, counter, passage.configuration->sample_drops, cause, passage.now);
    }
    return XDP_DROP;
}

SECTION("license") char licence[] = "Dual MIT/GPL";

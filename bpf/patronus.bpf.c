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

// Shows one in so many packets to whoever looks on.
APART void show(struct xdp_md *context, struct packet *packet, uint32_t cause) {
    struct patronus_sampler *state = only_entry(&sampler);
    if (!state) return;
    strip(context, packet);
    if (cause == PATRONUS_EVENT_FLOW_ADDED) {
        sample_packet(context, &state->flows, configuration.sample_flows, cause, packet->now);
    } else {
        sample_packet(context, &state->drops, configuration.sample_drops, cause, packet->now);
    }
}

// Firewall, then flood guard: `ACCEPTED` or a cause to drop the packet. `marks` holds what is
// remembered of the flow's direction, if it still holds, and takes what may be remembered.
INLINE int admit(
    struct packet *packet, const struct patronus_flow *flow, bool is_current, bool is_good, uint8_t *marks) {
    if (!is_current) {
        uint32_t lists = constants.firewall ? lists_of_source(packet) : 0;
        if ((lists & (PATRONUS_RULE_DENY | PATRONUS_RULE_ALLOW)) == PATRONUS_RULE_DENY) return PATRONUS_DROP_DENIED;
        *marks = lists & PATRONUS_RULE_ALLOW ? PATRONUS_MARK_ALLOWED : 0;
    }
    if (is_good || *marks & PATRONUS_MARK_ALLOWED || !constants.flood_guard) return ACCEPTED;
    if (packet->port.flags & PATRONUS_PORT_TRUSTED || packet->is_decapsulated) return ACCEPTED;
    return police(packet, flow, packet->now);
}

// The packet's flow, or a new one; 0 where there is none and it gets none.
INLINE struct patronus_flow *note_flow(
    struct xdp_md *context, struct packet *packet, struct patronus_flow *flow, const struct patronus_five_tuple *key) {
    if (!flow) {
        if (packet->tcp_flags & TCP_RST) return 0;
        flow = add_flow(key, packet);
        if (!flow) return 0;
        if (constants.sampling && configuration.sample_flows) show(context, packet, PATRONUS_EVENT_FLOW_ADDED);
    }
    if (packet->tuple.protocol == PROTOCOL_TCP && !(flow->state & PATRONUS_FLOW_PROVEN)) {
        bool trusts_sequence = packet->port.flags & PATRONUS_PORT_LAN || packet->is_decapsulated;
        if (note_handshake(flow, packet, trusts_sequence) && constants.flood_guard) reward_handshake(packet);
    }
    note_speaker(flow, packet);
    return flow;
}

// What was found out holds until the configuration's next generation.
INLINE void remember(struct patronus_flow *flow, const struct packet *packet, uint8_t marks) {
    struct patronus_direction *direction = direction_of(flow, packet);
    direction->marks = marks | (packet->is_decapsulated ? PATRONUS_MARK_TUNNELLED : 0);
    direction->kind = 0;
    flow->generations[packet->side & 1] = configuration.generation;
}

// Admits a packet that is not of a proven flow, or looks again at one that is, and enters it into
// the flow table. The cause is `ACCEPTED`, or one to drop the packet; 0 when it gets no entry.
APART struct patronus_flow *introduce(struct xdp_md *context, struct packet *packet, struct patronus_flow *flow) {
    uint8_t marks = 0;
    bool is_current = false;
    bool is_good = false;
    if (flow) {
        uint32_t state = flow->state;
        is_current = is_decided(flow, packet);
        marks = direction_of(flow, packet)->marks;
        is_good = (state & PATRONUS_FLOW_PROVEN || marks & PATRONUS_MARK_STEERED) && !(state & PATRONUS_FLOW_ECHO);
    }
    int cause = admit(packet, flow, is_current, is_good, &marks);
    packet->cause = (uint32_t)cause;
    if (cause != ACCEPTED) return 0;
    const struct patronus_five_tuple *key;
    if (packet->traits & IS_OPENING) {
        key = flow_key(packet);
        flow = map_lookup(&flows, key);
    } else {
        key = &packet->tuple + (packet->side & 1);
    }
    flow = note_flow(context, packet, flow, key);
    if (flow && !is_current) remember(flow, packet, marks);
    return flow;
}

// Admits a packet with a five-tuple and counts it into its flow: `ACCEPTED`, or a cause to drop it.
INLINE int track(struct xdp_md *context, struct packet *packet, struct patronus_flow **found) {
    struct patronus_flow *flow = 0;
    // A SYN is policed before anything is looked up: a flood's packets should cost little.
    if (!(packet->traits & IS_OPENING)) {
        flow = map_lookup(&flows, flow_key(packet));
        if (flow && (flow->state & (PATRONUS_FLOW_PROVEN | PATRONUS_FLOW_ECHO)) == PATRONUS_FLOW_PROVEN
            && is_decided(flow, packet)) {
            goto counted;
        }
    }
    flow = introduce(context, packet, flow);
    if (!flow) return (int)packet->cause;
counted:
    note_packet(direction_of(flow, packet), packet);
    *found = flow;
    return ACCEPTED;
}

INLINE struct patronus_route *route_of(const struct packet *packet) {
    const uint64_t *destination = packet->tuple.destination;
    if (is_ipv4(packet)) {
        struct patronus_prefix4 key;
        key.length = 32;
        store32(key.address, (uint32_t)destination[0]);
        return map_lookup(&routes4, &key);
    }
    struct { uint32_t length, address[4]; } key;
    key.length = 128;
    key.address[0] = (uint32_t)destination[0];
    key.address[1] = (uint32_t)(destination[0] >> 32);
    key.address[2] = (uint32_t)destination[1];
    key.address[3] = (uint32_t)(destination[1] >> 32);
    return map_lookup(&routes6, &key);
}

struct decision {
    uint32_t kind;
    uint32_t target;
    struct patronus_route *route;
};

INLINE void take_known(const struct patronus_direction *direction, struct decision *decision) {
    decision->kind = direction->kind;
    decision->target = direction->target;
}

// Steering entry, else the longest prefix; remembered in the flow until anything changes.
INLINE void decide(const struct packet *packet, struct patronus_flow *flow, struct decision *decision) {
    struct patronus_direction *direction = flow ? direction_of(flow, packet) : 0;
    uint32_t side = packet->side & 1;
    // Read before the entry is looked for, which the host makes before it says so.
    uint32_t steering_generation = configuration.steering_generation;
    bool is_known = false;
    decision->route = 0;
    if (flow && direction->kind && is_decided(flow, packet)) {
        bool needs_no_entry = direction->marks & PATRONUS_MARK_STEERED || packet->is_decapsulated;
        if (needs_no_entry || flow->steering_generations[side] == steering_generation) {
            return take_known(direction, decision);
        }
        is_known = true;
    }
    forget();
    struct patronus_steering *entry = packet->traits & HAS_PORTS ? map_lookup(&steering, &packet->tuple) : 0;
    if (entry) {
        decision->kind = entry->kind;
        decision->target = entry->target;
    } else {
        if (flow) flow->steering_generations[side] = steering_generation;
        if (is_known) return take_known(direction, decision);
        decision->route = route_of(packet);
        decision->kind = decision->route ? decision->route->kind : PATRONUS_ROUTE_PASS;
        decision->target = decision->route ? decision->route->target : 0;
    }
    if (!flow) return;
    if (entry) direction->marks |= PATRONUS_MARK_STEERED;
    else direction->marks &= ~PATRONUS_MARK_STEERED;
    direction->kind = (uint8_t)decision->kind;
    direction->target = decision->target;
    flow->generations[side] = configuration.generation;
}

// Why a packet that may be forwarded goes to the kernel for what it is; `PARSED` when it does not.
INLINE int seclude(const struct packet *packet) {
    if (!(packet->traits & (IS_CONTROL | IS_FRAGMENT | HAS_OPTIONS))) return PARSED;
    if (packet->traits & IS_CONTROL) {
        return packet->is_decapsulated ? PATRONUS_PASS_DECAPSULATED : PATRONUS_PASS_CONTROL;
    }
    return packet->traits & IS_FRAGMENT ? PATRONUS_PASS_FRAGMENT : PATRONUS_PASS_OPTIONS;
}

// Why a packet goes to the kernel for which that was decided.
INLINE int cause_to_pass(const struct packet *packet, struct patronus_flow *flow) {
    if (packet->is_decapsulated) return PATRONUS_PASS_DECAPSULATED;
    return flow && direction_of(flow, packet)->marks & PATRONUS_MARK_STEERED ? PATRONUS_PASS_STEERED : PATRONUS_PASS_NO_ROUTE;
}

INLINE int forward(struct xdp_md *context, struct packet *packet, struct patronus_flow *flow) {
    if (!packet->is_decapsulated) {
        if (!constants.forwarding || !(packet->port.flags & PATRONUS_PORT_LAN)) return PATRONUS_PASS_NOT_FORWARDED;
        // The Ethernet destination is this port's own address.
        if ((packet->ethernet ^ load64(&packet->port)) << 16) return seldom(PATRONUS_PASS_NOT_ADDRESSED);
    }
    int cause = seclude(packet);
    if (cause != PARSED) return cause;
    struct decision decision;
    decide(packet, flow, &decision);
    if (decision.kind == PATRONUS_ROUTE_PASS) return cause_to_pass(packet, flow);
    if (packet->hop_limit <= 1) return seldom(PATRONUS_PASS_EXPIRED);
    if (is_ipv4(packet) && fold(packet->header_sum) != 0) return seldom(PATRONUS_PASS_CHECKSUM);
    if (decision.kind == PATRONUS_ROUTE_TUNNEL) return encapsulate(context, packet, decision.target);
    uint64_t next_hop[2] = {packet->tuple.destination[0], packet->tuple.destination[1]};
    if (decision.kind == PATRONUS_ROUTE_GATEWAY) {
        struct patronus_route *route = decision.route ? decision.route : route_of(packet);
        if (!route) return PATRONUS_PASS_NO_ROUTE;
        next_hop[0] = route->gateway[0];
        next_hop[1] = route->gateway[1];
    }
    return deliver(context, packet, decision.target, next_hop);
}

// Reads the packet, out of its tunnel if it is in one of ours: `PARSED`, or the packet's cause.
INLINE int read_packet(struct xdp_md *context, struct packet *packet) {
    bool has_tunnels = constants.forwarding && packet->port.flags & PATRONUS_PORT_WAN;
    if (has_tunnels) {
        int cause = open_plain(context, packet);
        forget();
        if (cause != ACCEPTED) return cause == OPENED ? PARSED : cause;
    }
    int cause = parse_frame(packet, frame_start(context), frame_end(context));
    forget();
    if (cause != PARSED) return cause;
    if (packet->traits & (IS_ADJACENT_BFD | IS_GENEVE)) {
        if (packet->traits & IS_ADJACENT_BFD) return seldom(PATRONUS_PASS_CONTROL);
        if (has_tunnels) {
            cause = open_any(context, packet);
            forget();
            if (cause != ACCEPTED) return cause == OPENED ? PARSED : cause;
        }
    }
    packet->now = instant();
    return PARSED;
}

// The packet's cause.
INLINE int handle(struct xdp_md *context, struct packet *packet) {
    int cause = read_packet(context, packet);
    forget();
    if (cause != PARSED) return cause;
    struct patronus_flow *flow = 0;
    if (constants.flow_table && packet->traits & HAS_PORTS) {
        cause = track(context, packet, &flow);
    } else {
        uint8_t marks = 0;
        cause = admit(packet, 0, false, false, &marks);
    }
    return cause == ACCEPTED ? forward(context, packet, flow) : cause;
}

SECTION("xdp") int patronus(struct xdp_md *context) {
    struct packet *packet = only_entry(&scratch);
    if (!packet) return XDP_PASS;
    uint32_t interface = context->ingress_ifindex;
    struct patronus_port *port = map_lookup(&ports, &interface);
    store64(&packet->port, port ? load64(port) : 0);
    packet->frame_length = (uint64_t)(frame_end(context) - frame_start(context));
    packet->is_decapsulated = 0;
    forget();
    uint32_t cause = (uint32_t)handle(context, packet);
    if (cause < PATRONUS_DROP_FIRST && !strip(context, packet)) cause = PATRONUS_DROP_NO_ROOM;
    count(cause, packet->frame_length);
    if (cause < PATRONUS_DROP_FIRST) return XDP_PASS;
    if (cause >= PATRONUS_REDIRECT_FIRST) return XDP_REDIRECT;
    if (constants.sampling && configuration.sample_drops) show(context, packet, cause);
    return XDP_DROP;
}

SECTION("license") char licence[] = "Dual MIT/GPL";

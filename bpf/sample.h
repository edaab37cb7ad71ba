// Headers of some packets for whoever looks on.

#ifndef PATRONUS_SAMPLE_H
#define PATRONUS_SAMPLE_H

#include "maps.h"

INLINE void copy_octets(struct patronus_sample *sample, void *data, void *end) {
    uint32_t count = 0;
#pragma unroll
    for (int word = 0; word < PATRONUS_SAMPLE_OCTETS / 8; word++) {
        if (data + word * 8 + 8 > end) break;
        store64(sample->octets + word * 8, load64(data + word * 8));
        count += 8;
    }
#pragma unroll
    for (int octet = 0; octet < 7; octet++) {
        if (count >= PATRONUS_SAMPLE_OCTETS || data + count + 1 > end) break;
        sample->octets[count] = load8(data + count);
        count += 1;
    }
    sample->octet_count = count;
}

// Takes one packet in so many; `counter` says how many have gone by.
INLINE void sample_packet(
    struct xdp_md *context, uint32_t *counter, uint32_t one_in, uint32_t cause, uint64_t now) {
    if (!one_in || ++*counter < one_in) return;
    *counter = 0;
    struct patronus_sample *sample = ring_reserve(&samples, sizeof(struct patronus_sample), 0);
    if (!sample) {
        count(PATRONUS_EVENT_SAMPLE_LOST, 0);
        return;
    }
    void *data = frame_start(context);
    void *end = frame_end(context);
    sample->time = now;
    sample->port = context->ingress_ifindex;
    sample->cause = cause;
    sample->frame_length = (uint32_t)(end - data);
    for (int word = 0; word < PATRONUS_SAMPLE_OCTETS / 8; word++) store64(sample->octets + word * 8, 0);
    copy_octets(sample, data, end);
    ring_submit(sample, 0);
}

#endif

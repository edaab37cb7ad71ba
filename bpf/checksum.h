// The Internet checksum (RFC 1071), taken wide and folded at the end.

#ifndef PATRONUS_CHECKSUM_H
#define PATRONUS_CHECKSUM_H

#include "kernel.h"

// A sum of numbers, each below 2^32, in 16 bits.
INLINE uint32_t fold(uint64_t sum) {
    sum = (sum & 0xFFFFFFFF) + (sum >> 32);
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint32_t)((sum & 0xFFFF) + (sum >> 16));
}

// Both halves of a number: its share of a sum.
INLINE uint64_t halves(uint64_t value) { return (value & 0xFFFFFFFF) + (value >> 32); }

// What takes a part out of a sum again.
INLINE uint32_t negative(uint64_t sum) { return ~fold(sum) & 0xFFFF; }

// An IPv4 header without options, as it lies in memory; 0xFFFF if its checksum is right.
INLINE uint32_t sum_of_ipv4(const void *header) {
    return fold((uint64_t)load32(header) + load32(header + 4) + load32(header + 8)
        + load32(header + 12) + load32(header + 16));
}

// One hop less in a header whose checksum was right (RFC 1624).
INLINE void decrement_hop_limit(void *header, uint8_t family) {
    if (family == 4) {
        store16(header + 8, load16(header + 8) - 1);
        uint32_t sum = (uint32_t)load16(header + 10) + 1;
        store16(header + 10, (uint16_t)(sum + (sum >= 0xFFFF)));
    } else {
        *(uint8_t *)(header + 7) -= 1;
    }
}

#endif

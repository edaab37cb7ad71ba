// The Internet checksum (RFC 1071), taken wide and folded at the end.

#ifndef PATRONUS_CHECKSUM_H
#define PATRONUS_CHECKSUM_H

#include "kernel.h"

// A sum in 16 bits. 2^16 is 1 modulo 2^16 - 1, so the remainder is the one's complement sum
// in one instruction; 0 stands for both zeros.
INLINE uint32_t fold(uint64_t sum) { return (uint32_t)(sum % 0xFFFF); }

// Both halves of a number: its share of a sum.
INLINE uint64_t halves(uint64_t value) { return (value & 0xFFFFFFFF) + (value >> 32); }

// What takes a part out of a sum again: 1 to 0xFFFF.
INLINE uint32_t negative(uint64_t sum) { return 0xFFFF - fold(sum); }

// The checksum of a sum that is not 0.
INLINE uint32_t checksum_of(uint64_t sum) {
    uint32_t value = negative(sum);
    return value == 0xFFFF ? 0 : value;
}

// Whether an IPv4 header without options has a right checksum.
INLINE bool is_ipv4_right(const void *header) {
    uint64_t sum = (uint64_t)load32(header) + load32(header + 4) + load32(header + 8);
    return fold(sum + load32(header + 12) + load32(header + 16)) == 0;
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
